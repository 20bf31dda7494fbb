"""Doors of 03_attraction_and_repulsion."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings

VIEWS = 3


@door("03-attraction")
@door("03-repulsion")
@door("03-slopes")
@door("03-family")
def _toy() -> dict[str, Any]:
    """Four views of 32 images as embeddings: three near one another, one far from them."""
    draw = torch.Generator().manual_seed(0)
    image = torch.randn(1, 32, 16, generator=draw)
    spread = torch.tensor([0.3, 0.3, 0.3, 1.2])[:, None, None]
    return {"views": image + spread * torch.randn(4, 32, 16, generator=draw)}


@door("03-training")
def _training() -> dict[str, Any]:
    """Images, and settings of CACR with three views and of SimCLR with two; SimCLR has the epochs to see as many views."""
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (scenes.load(split, preset=preset, label="colour", two=0.0) for split in ("train", "test"))
    epochs = profile(smoke=2, laptop=8, full=40)
    changes: dict[str, Any] = {"batch_size": profile(smoke=32, laptop=128, full=256), "width": profile(smoke=8, laptop=16, full=64)}
    settings = {
        "cacr": Settings.recommended("cacr", "scenes", epochs=epochs, options={"n_views": VIEWS}, **changes),
        "simclr": Settings.recommended("simclr", "scenes", epochs=epochs * VIEWS // 2, **changes),
    }
    return {"train_images": train, "test_images": test, "settings": settings}


@door("03-tail")
def _tail() -> dict[str, Any]:
    """A long-tailed part of the images and a balanced one of the same size; settings as in the training section."""
    from contrastive_lab.data.subset import chosen
    from contrastive_lab.experiments.claims.long_tail import linear_tail

    here = _training()
    images = here["train_images"]
    tail = linear_tail(images.labels)
    parts = {"balanced": images.take(chosen(len(images), images.labels, len(tail), 0)), "tail": images.take(tail)}
    return {**here, "parts": parts}


@door("03-views")
@door("03-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished runs: opened where they lie, trained where not."""
    from contrastive_lab.training import Evaluate

    here = _training()
    images = here["train_images"]
    watch = Evaluate(images, here["test_images"], probe=len(here["test_images"]))
    runs = {}
    for name, settings in here["settings"].items():
        runs[name] = kept_or_trained("03-balanced", settings, images, [watch])
    return {**here, "evaluate": watch, "runs": runs}
