"""Doors: what one section of a notebook needs, so that a learner may start in the middle."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.lab.profiles import current, profile
from contrastive_lab.training import Settings

Door = Callable[[], dict[str, Any]]
DOORS: dict[str, Door] = {}


def start(section: str) -> SimpleNamespace:
    """Prepare what `section` ("01-training") needs, say what it is, and return it; works in a fresh kernel."""
    if section not in DOORS:
        raise ValueError(f"section is {section!r}, but must be one of {', '.join(map(repr, sorted(DOORS)))}")
    torch.manual_seed(0)
    here = DOORS[section]()
    print(f"{section} is ready: {', '.join(f'{name} ({_brief(value)})' for name, value in here.items())}")
    return SimpleNamespace(**here)


def door(section: str) -> Callable[[Door], Door]:
    """Register the function that prepares `section`."""

    def register(function: Door) -> Door:
        DOORS[section] = function
        return function

    return register


def folder(name: str, settings: Settings) -> Path:
    """Where a notebook keeps a run, one folder for each combination of settings; says whether one lies there already."""
    path = _place(name, settings)
    if (path / "run.json").exists():
        print(f"this run was begun here before and goes on from where it lies; delete {path} to train it anew")
    return path


def _place(name: str, settings: Settings) -> Path:
    from contrastive_lab.data.locate import cache_folder

    key = f"{zlib.crc32(settings.to_json().encode()):08x}"
    return cache_folder() / "runs" / f"{name}-{current()}-{key}"


def _brief(value: object) -> str:
    if isinstance(value, Images):
        return f"{len(value):,} images of {value.size} px"
    if isinstance(value, torch.Tensor):
        return " x ".join(map(str, value.shape))
    return type(value).__name__


@door("00-world")
def _world() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    return {"images": scenes.load("train", preset="tiny", size=profile(smoke=48, laptop=96, full=96))}


@door("00-views")
def _views() -> dict[str, Any]:
    from contrastive_lab.views import Augmentation

    images = _world()["images"]
    return {"images": images, "augmentation": Augmentation.for_data("scenes", size=images.size, mean=images.mean, std=images.std)}


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
    from contrastive_lab.training import Evaluate, Run, prepare, train

    here = _training()
    images, settings = here["train_images"], here["settings"]
    watch = Evaluate(images, here["test_images"], probe=len(here["test_images"]))
    place = _place("01-simclr", settings)
    finished = (place / "run.json").exists() and '"finished"' in (place / "run.json").read_text("utf-8")
    run = Run.load(place) if finished else train(prepare(settings, images), images, settings, [watch], folder=place)
    return {**here, "evaluate": watch, "run": run}
