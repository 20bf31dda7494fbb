"""Doors of 01_two_forces."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings


@door("01-views")
@door("01-loss")
@door("01-forces")
@door("01-identity")
def _toy() -> dict[str, Any]:
    """Two views of 64 images as embeddings: directions that differ, and a twin not far from each."""
    draw = torch.Generator().manual_seed(0)
    z1 = torch.randn(64, 16, generator=draw)
    return {"z1": z1, "z2": z1 + 0.8 * torch.randn(64, 16, generator=draw)}


@door("01-training")
def _training() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (scenes.load(split, preset=preset, label="colour", two=0.0) for split in ("train", "test"))
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=12, full=40),
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=8, laptop=32, full=64),
    }
    return {"train_images": train, "test_images": test, "settings": Settings.recommended("simclr", "scenes", **changes)}


@door("01-plane")
@door("01-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run: opened where it lies, trained where not."""
    from contrastive_lab.training import Evaluate

    here = _training()
    images, settings = here["train_images"], here["settings"]
    watch = Evaluate(images, here["test_images"], probe=len(here["test_images"]))
    run = kept_or_trained("01-simclr", settings, images, [watch])
    return {**here, "evaluate": watch, "run": run}
