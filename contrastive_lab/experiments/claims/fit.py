"""Training for trials whose images or networks `train_and_measure` can't make."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from contrastive_lab.data import Images
from contrastive_lab.methods import Method
from contrastive_lab.training import Settings, prepare, train
from contrastive_lab.training.machine import usable_device


def fit(settings: Mapping[str, Any], images: Images, method: Method | None = None) -> tuple[Method, dict[str, Any]]:
    """A trained method on its device, and the beginning of its row: settings, number of images, last logs, seconds.

    `settings` go through `Settings.recommended`; without a `method` a fresh one is prepared.
    """
    chosen = Settings.recommended(**settings)
    device = usable_device(chosen.device)
    images = images.to(device)
    learner = prepare(chosen, images) if method is None else method
    start = time.perf_counter()
    run = train(learner, images, chosen)
    last = run.history[-1] if run.history else {}
    row = {
        "settings": asdict(chosen),
        "images": len(images),
        "last": {name: value for name, value in last.items() if isinstance(value, int | float)},
        "train_seconds": round(time.perf_counter() - start, 2),
    }
    return learner.to(device), row
