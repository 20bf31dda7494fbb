"""The images that a run is watched on, kept beside it so that a report can show them years later without the data set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE, MOST_VALUES = "probe.safetensors", 9


@dataclass(frozen=True)
class Probe:
    """N watched images (N, C, H, W) with their classes, in the order of the run's snapshots.

    `factors` are what else is known of them: values (N,) into the names that follow.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    name: str
    factors: Mapping[str, tuple[NDArray[np.int64], tuple[str, ...]]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, bytes]:
        """Equal for probes of equal images."""
        return self.name, len(self.pixels), self.pixels[:16].tobytes()


def save_probe(folder: str | Path, images: Any) -> Path:
    """Write the watched `images` (`data.Images`) into a run's folder, which is made if needed."""
    import torch
    from safetensors.torch import save

    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    labels = torch.zeros(len(images), dtype=torch.int64) if images.labels is None else images.labels
    classes = images.classes if images.labels is not None else ("image",)
    names = _factor_names(images)
    about = {"about": json.dumps({"name": images.name, "classes": list(classes), "factors": names})}
    tensors = {"pixels": images.pixels.cpu().contiguous(), "labels": labels.cpu().contiguous()}
    tensors |= {f"factor {name}": images.factors[name].cpu().contiguous().clone() for name in names}
    return write_aside(home / FILE, save(tensors, metadata=about))


def write_aside(path: Path, content: bytes) -> Path:
    """Write a file aside and move it to `path` when it is whole; on a full disk the old one stays, and the `OSError` names the new one."""
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_bytes(content)
        return unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise type(error)(error.errno, f"could not write {path.name} ({error.strerror or error})", str(path)) from error


def load_probe(folder: str | Path) -> Probe | None:
    """The watched images of a run, or None where none were kept."""
    from safetensors import safe_open

    path = Path(folder) / FILE
    if not path.exists():
        return None
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["about"])
        factors = {name: (file.get_tensor(f"factor {name}"), tuple(names)) for name, names in about.get("factors", {}).items()}
        return Probe(file.get_tensor("pixels"), file.get_tensor("labels"), tuple(about["classes"]), about["name"], factors)


def _factor_names(images: Any) -> dict[str, list[str]]:
    """The factors with a name for each value and few enough values to tell apart."""
    if images.name != "scenes":
        return {}
    from contrastive_lab.data.scenes import CLASSES

    known = {name: [str(word) for word in CLASSES[name]] for name in images.factors if name in CLASSES}
    return {name: words for name, words in known.items() if 2 < len(words) <= MOST_VALUES and int(images.factors[name].min()) >= 0}
