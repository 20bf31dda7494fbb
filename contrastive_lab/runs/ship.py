"""Making a finished run small: half-precision weights, the rows of evaluated epochs, plane coordinates in 16 bits, a card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from contrastive_lab.measures import pca_path
from contrastive_lab.runs.finished import CARD, HISTORY, PATH, WEIGHTS, trained_part
from contrastive_lab.training import Run

LARGEST = 6_000_000


def ship(run: Run, folder: str | Path, card: Mapping[str, Any], *, labels: Tensor | None = None) -> Path:
    """Write the finished `run` to `folder`; `card` needs settings, data, measured, train_seconds, environment and command.

    `labels` are the classes of the images that the run's snapshots show. Raises `ValueError` for weights above 6 MB: those don't travel.
    """
    from safetensors.torch import save

    home = Path(folder)
    weights = {name: value.detach().cpu().contiguous() for name, value in trained_part(run.method).items()}
    weights = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    files = {
        HISTORY: (json.dumps([_rounded(row) for row in run.history if "knn" in row]) + "\n").encode("utf-8"),
        PATH: save(_path(run, labels)),
        WEIGHTS: save(weights),
    }
    if len(files[WEIGHTS]) > LARGEST:
        raise ValueError(
            f"the weights take {len(files[WEIGHTS]) / 1e6:.1f} MB, but at most {LARGEST / 1e6:.0f} MB travel; take a smaller width"
        )
    home.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (home / name).write_bytes(content)
    sums = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    (home / CARD).write_text(json.dumps({**card, "md5": sums}, indent=1) + "\n", "utf-8")
    return home


def _path(run: Run, labels: Tensor | None) -> dict[str, Tensor]:
    places = pca_path(run.frames("embeddings").float())
    unit = places.abs().max().clamp_min(1e-9) / 32_000
    frames = [frame.epoch for frame in run.snapshots if "embeddings" in frame.tensors]
    classes = torch.zeros(places.shape[1]) if labels is None else labels.cpu()
    return {
        "epochs": torch.tensor(frames, dtype=torch.int32),
        "places": (places / unit).round().to(torch.int16).contiguous(),
        "unit": unit.float(),
        "labels": classes.to(torch.uint8),
    }


def _rounded(row: Mapping[str, float | int]) -> dict[str, float]:
    return {name: float(f"{value:.5g}") for name, value in row.items()}
