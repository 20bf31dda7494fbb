"""Doors of 04_hard_negatives."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Evaluate, Run, Settings


@door("04-queue")
def _toy() -> dict[str, Any]:
    """Queries, their keys and a queue as random directions; each key lies near its query."""
    draw = torch.Generator().manual_seed(0)
    q = torch.randn(32, 128, generator=draw)
    return {"q": q, "k": q + 0.6 * torch.randn(32, 128, generator=draw), "queue": torch.randn(1024, 128, generator=draw)}


@door("04-training")
def _training() -> dict[str, Any]:
    """Scenes of one object, classes are its colours, and MoCo's recipe with a queue shorter than the set of images."""
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    images, test = (scenes.load(split, preset=preset, label="colour", two=0.0) for split in ("train", "test"))
    queue = profile(smoke=128, laptop=512, full=2048)
    settings = _settings("moco", {"queue_length": queue})
    watch = Evaluate(images, test, probe=len(test))
    return {"train_images": images, "test_images": test, "settings": settings, "evaluate": watch}


@door("04-mochi")
@door("04-hard")
@door("04-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run, and the settings of MoCHi with the same queue."""
    here = _training()
    options = mixtures(here["settings"])
    return {**here, "run": run_of("04-moco", here["settings"], here), "mochi_settings": _settings("mochi", options)}


@door("04-mixing")
def _mixing() -> dict[str, Any]:
    """Random directions, and the finished run to compare them with."""
    return {**_toy(), "run": _trained()["run"], "evaluate": _training()["evaluate"]}


@door("04-false")
def _both() -> dict[str, Any]:
    here = _trained()
    return {**here, "mochi_run": run_of("04-mochi", here["mochi_settings"], here)}


def mixtures(settings: Settings) -> dict[str, Any]:
    """MoCHi's options in the proportions of its recipe: N and s a sixteenth of the queue, s' an eighth of that; a quarter for warm-up."""
    queue = settings.options["queue_length"]
    return {
        "queue_length": queue,
        "n_hard": queue // 16,
        "s": queue // 16,
        "s_prime": queue // 128,
        "warmup_epochs": max(1, settings.epochs // 4),
    }


def run_of(name: str, settings: Settings, here: dict[str, Any]) -> Run:
    """The finished run that lies in the notebook's folder, or a new one."""
    return kept_or_trained(name, settings, here["train_images"], [here["evaluate"]])


def _settings(method: str, options: dict[str, Any]) -> Settings:
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=20, full=20),
        "width": profile(smoke=8, laptop=24, full=64),
    }
    return Settings.recommended(method, "scenes", options=options, **changes)
