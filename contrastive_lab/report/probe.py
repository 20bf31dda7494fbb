"""The images that a run is watched on, kept beside it so that a report can show them years later without the data set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "probe.safetensors"


@dataclass(frozen=True)
class Probe:
    """N watched images (N, C, H, W) with their classes, in the order of the run's snapshots."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    name: str

    @property
    def key(self) -> tuple[str, int, bytes]:
        """Equal for probes of equal images."""
        return self.name, len(self.pixels), self.pixels[:16].tobytes()


def save_probe(folder: str | Path, images: Any) -> Path:
    """Write the watched `images` (`data.Images`) into a run's folder, which is made if needed."""
    import torch
    from safetensors.torch import save_file

    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    labels = torch.zeros(len(images), dtype=torch.int64) if images.labels is None else images.labels
    classes = images.classes if images.labels is not None else ("image",)
    about = {"about": json.dumps({"name": images.name, "classes": list(classes)})}
    tensors = {"pixels": images.pixels.cpu().contiguous(), "labels": labels.cpu().contiguous()}
    unfinished = home / (FILE + ".unfinished")
    save_file(tensors, unfinished, metadata=about)
    return unfinished.replace(home / FILE)


def load_probe(folder: str | Path) -> Probe | None:
    """The watched images of a run, or None where none were kept."""
    from safetensors import safe_open

    path = Path(folder) / FILE
    if not path.exists():
        return None
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["about"])
        return Probe(file.get_tensor("pixels"), file.get_tensor("labels"), tuple(about["classes"]), about["name"])
