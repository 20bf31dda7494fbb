"""Doors of 10_modality_gap."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Run, Settings

TEMPERATURES = (0.02, 0.07, 0.2, 0.5)


@door("10-world")
def _world() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    return {"images": scenes.load("train", preset="tiny", size=64)}


@door("10-loss")
def _toy() -> dict[str, Any]:
    """64 pairs: directions that differ, and a partner not far from each."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(64, 16, generator=draw)
    return {"x": x, "y": x + 0.8 * torch.randn(64, 16, generator=draw)}


@door("10-training")
@door("10-cones")
@door("10-split")
def _training() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (scenes.load(split, preset=preset) for split in ("train", "test"))
    return {"train_images": train, "test_images": test.take(slice(0, 500)), "settings": _settings(0.07)}


@door("10-temperature")
@door("10-closing")
@door("10-own")
def _trained() -> dict[str, Any]:
    """The training section's objects and finished runs by temperature: opened where they lie, trained where not."""
    here = _training()
    runs = {tau: run_of("10-clip", _settings(tau), here["train_images"], here["test_images"]) for tau in temperatures()}
    return {**here, "runs": runs, "run": runs[0.07]}


@door("10-break")
def _broken() -> dict[str, Any]:
    here = _training()
    epochs = profile(smoke=1, laptop=4, full=8)
    return {**here, "settings": dataclasses.replace(here["settings"], epochs=epochs)}


@door("10-false")
def _classes() -> dict[str, Any]:
    """Scenes of one object whose caption names its colour and nothing else, and settings for eight such sentences."""
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (_named(scenes.load(split, preset=preset, two=0.0, label="colour")) for split in ("train", "test"))
    epochs = profile(smoke=1, laptop=6, full=12)
    settings = dataclasses.replace(_settings(0.07), epochs=epochs)
    return {"train_images": train, "test_images": test, "settings": settings, "sentences": [sentence(name) for name in train.classes]}


def temperatures() -> tuple[float, ...]:
    """The two that differ most and the usual one in a smoke run, all four otherwise."""
    return profile(smoke=(0.02, 0.07, 0.5), laptop=TEMPERATURES, full=TEMPERATURES)


def sentence(colour: str) -> str:
    return f"a {colour} thing"


def run_of(name: str, settings: Settings, images: Images, test: Images) -> Run:
    """A finished run with the embeddings of the test pairs as frames; trained now if it isn't there yet."""
    from contrastive_lab.lab.modalities import Pairs

    return kept_or_trained(name, settings, images, [Pairs(test)])


def _settings(temperature: float) -> Settings:
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=10, full=20),
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=8, laptop=16, full=32),
        "options": {"temperature": temperature, "learn_temperature": False},
    }
    return Settings.recommended("clip", "scenes", **changes)


def _named(images: Images) -> Images:
    assert images.labels is not None
    return dataclasses.replace(images, captions=tuple((sentence(images.classes[label]),) for label in images.labels.tolist()))
