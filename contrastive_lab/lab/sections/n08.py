"""Doors of 08_arbitrary_pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.methods import Hydra
from contrastive_lab.training import Evaluate, Settings

COLOURS, SHAPES = ("red", "green", "blue"), ("circle", "square", "cross")


@door("08-gates")
@door("08-loss")
def _toy() -> dict[str, Any]:
    """A batch of raw vectors of five classes, partners drawn from the batch, and soft gates."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(5).repeat(6)
    return {
        "z": torch.randn(30, 16, generator=draw),
        "keys": torch.randn(30, 16, generator=draw),
        "gate": torch.rand(30, 16, generator=draw),
        "labels": labels,
        "partners": labels[torch.randperm(30, generator=draw)],
    }


@door("08-training")
def _training() -> dict[str, Any]:
    """Scenes of one object in nine classes, three colours by three shapes, and Hydra's recipe."""
    images, test = (
        nine_classes(split, profile(smoke=2000, laptop=10000, full=40000) // part) for split, part in (("train", 1), ("test", 4))
    )
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=15, full=40),
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=8, laptop=24, full=64),
        "options": {"num_classes": 9},
    }
    settings = Settings.recommended("hydra", "scenes", **changes)
    return {"train_images": images, "test_images": test, "settings": settings, "evaluate": Evaluate(images, test, probe=len(test))}


@door("08-relations")
@door("08-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run: opened where it lies, trained where not."""
    here = _training()
    settings, images = here["settings"], here["train_images"]
    run = kept_or_trained("08-hydra", settings, images, [here["evaluate"]])
    assert isinstance(run.method, Hydra)
    return {**here, "run": run}


def nine_classes(split: str, count: int) -> Images:
    """Of `count` scenes those with one of three colours and three shapes; class 3 * colour + shape."""
    from contrastive_lab.data import scenes

    drawn = scenes.load(split, count=count, label="shape_colour", two=0.0)
    names = tuple(f"{colour} {shape}" for colour in COLOURS for shape in SHAPES)
    number = torch.tensor([names.index(name) if name in names else -1 for name in drawn.classes])
    assert drawn.labels is not None
    chosen = drawn.take((number[drawn.labels] >= 0).nonzero()[:, 0])
    assert chosen.labels is not None
    return replace(chosen, labels=number[chosen.labels], classes=names)
