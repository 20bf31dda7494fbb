"""Doors of 09_dimensional_collapse."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.lab.doors import door, kept, place
from contrastive_lab.lab.profiles import profile
from contrastive_lab.methods import SimCLR, alignment_loss, uniformity_loss
from contrastive_lab.training import Run, Settings

ARMS = ("SimCLR, τ = 0.2", "SimCLR, τ = 2", "alignment only", "uniformity only")


@door("09-ranks")
@door("09-samples")
@door("09-toy")
def _toy() -> dict[str, Any]:
    """A cloud of 2,000 points in 32 dimensions whose variances fall like 1, 1/2, 1/3, ..."""
    draw = torch.Generator().manual_seed(0)
    scale = torch.arange(1, 33, dtype=torch.float64).pow(-0.5)
    return {"cloud": torch.randn(2000, 32, generator=draw, dtype=torch.float64) * scale}


@door("09-training")
def _training() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    counts = {"train": profile(smoke=256, laptop=1500, full=8000), "test": profile(smoke=256, laptop=600, full=2000)}
    train, test = (scenes.load(split, count=count, label="colour", two=0.0) for split, count in counts.items())
    return {"train_images": train, "test_images": test, "settings": settings_for("SimCLR, τ = 0.2")}


@door("09-lamps")
@door("09-layers")
@door("09-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and one finished run for each of `ARMS`: opened where they lie, trained where not."""
    here = _training()
    runs = {arm: run_of(arm, here["train_images"], here["test_images"]) for arm in ARMS}
    return {**here, "runs": runs}


def settings_for(arm: str) -> Settings:
    """The same network and schedule for every arm; the embedding is small enough for the number of test images."""
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=8, full=40),
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=4, laptop=16, full=32),
        "options": {"out_dim": profile(smoke=16, laptop=64, full=64), "temperature": 2.0 if arm.endswith("τ = 2") else 0.2},
    }
    return Settings.recommended("simclr", "scenes", **changes)


def run_of(arm: str, train_images: Images, test_images: Images, *observers: Any) -> Run:
    """The finished run of one of `ARMS`; `observers` watch it only while it is trained."""
    from contrastive_lab.training import Evaluate, prepare, train

    settings = settings_for(arm)
    home = place(f"09-{ARMS.index(arm)}", settings)
    if run := kept(f"09-{ARMS.index(arm)}", settings):
        return run
    method = prepare(settings, train_images)
    assert isinstance(method, SimCLR)
    if arm == "alignment only":
        method.loss = lambda z1, z2, **_: alignment_loss(z1, z2)  # type: ignore[method-assign]
    elif arm == "uniformity only":
        method.loss = lambda z1, z2, **_: (uniformity_loss(z1) + uniformity_loss(z2)) / 2  # type: ignore[method-assign]
    watch = Evaluate(train_images, test_images, probe=len(test_images))
    return train(method, train_images, settings, [watch, *observers], folder=home)
