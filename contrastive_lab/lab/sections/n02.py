"""Doors of 02_decoupling."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings

TEMPERATURE = 0.1


@door("02-multiplier")
@door("02-loss")
@door("02-weights")
def _toy() -> dict[str, Any]:
    """Two views of 64 images as embeddings: directions that differ, and a twin close to each."""
    draw = torch.Generator().manual_seed(0)
    z1 = torch.randn(64, 16, generator=draw)
    return {"z1": z1, "z2": z1 + 0.5 * torch.randn(64, 16, generator=draw)}


@door("02-training")
def _training() -> dict[str, Any]:
    """Images and four settings: NT-Xent and DCL in small and in large batches, with one rate for each batch size."""
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (scenes.load(split, preset=preset, label="colour", two=0.0) for split in ("train", "test"))
    small, large = profile(smoke=8, laptop=16, full=16), profile(smoke=64, laptop=256, full=512)
    settings = {f"{method} N={batch}": _settings(method, batch) for batch in (small, large) for method in ("simclr", "dcl")}
    return {"train_images": train, "test_images": test, "settings": settings}


def _settings(method: str, batch: int, **options: Any) -> Settings:
    # SGD, since Adam divides every gradient by its usual size and so hides most of a common factor.
    changes: dict[str, Any] = {
        "epochs": profile(smoke=1, laptop=8, full=15),
        "width": profile(smoke=8, laptop=16, full=64),
        "optimizer": "sgd",
        "lr": 0.06 * batch / 128,
        "weight_decay": 5e-4,
        "batch_size": batch,
        "options": {"temperature": TEMPERATURE, **options},
    }
    return Settings.recommended(method, "scenes", **changes)


@door("02-compare")
@door("02-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished runs: opened where they lie, trained where not."""
    from contrastive_lab.training import Evaluate

    here = _training()
    images = here["train_images"]
    watch = Evaluate(images, here["test_images"], probe=len(here["test_images"]))
    runs = {}
    for name, settings in here["settings"].items():
        runs[name] = kept_or_trained("02-batches", settings, images, [watch, multiplier])
    narrow = _settings("dclw", profile(smoke=64, laptop=256, full=512), sigma=0.01)
    return {**here, "evaluate": watch, "runs": runs, "narrow": narrow}


def multiplier(moment: Any) -> dict[str, float] | None:
    """An observer: the mean of q over the batch of this step, whatever the method."""
    from contrastive_lab import methods

    if moment.step is None:
        return None
    one, two = moment.step.embeddings[:2].float()
    return {"q": float(methods.npc_multiplier(one, two, temperature=TEMPERATURE).mean())}
