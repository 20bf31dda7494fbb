"""Doors of 00_start_here."""

from __future__ import annotations

from typing import Any

from contrastive_lab.lab.doors import door
from contrastive_lab.lab.profiles import profile


@door("00-world")
def _world() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    return {"images": scenes.load("train", preset="tiny", size=profile(smoke=48, laptop=96, full=96))}


@door("00-views")
def _views() -> dict[str, Any]:
    from contrastive_lab.views import Augmentation

    images = _world()["images"]
    return {"images": images, "augmentation": Augmentation.for_data("scenes", size=images.size, mean=images.mean, std=images.std)}
