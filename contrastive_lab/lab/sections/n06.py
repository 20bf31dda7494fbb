"""Doors of 06_pixels."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings


@door("06-mask")
def _crops() -> dict[str, Any]:
    """Two random views of 64 scenes with their boxes."""
    from contrastive_lab.data import scenes
    from contrastive_lab.views import Augmentation, TwoViews

    images = scenes.load("train", count=64)
    augmentation = Augmentation.for_data("scenes", size=32, mean=images.mean, std=images.std)
    batch = TwoViews(augmentation)(images.pixels, generator=torch.Generator().manual_seed(0))
    return {"images": images, "batch": batch}


@door("06-loss")
@door("06-propagation")
def _toy() -> dict[str, Any]:
    """Cells of two views of 16 images, 4 x 4 cells in 8 dimensions, and the boxes of the views."""
    draw = torch.Generator().manual_seed(0)
    corner, size = torch.rand(16, 4, generator=draw) * 0.4, 0.5 + 0.1 * torch.rand(16, 2, generator=draw)
    boxes = [torch.cat([corner[:, k : k + 2], corner[:, k : k + 2] + size], dim=1) for k in (0, 2)]
    cells = [torch.randn(16, 16, 8, generator=draw) for _ in range(2)]
    return {"y": cells[0], "k": cells[1], "boxes1": boxes[0], "boxes2": boxes[1]}


@door("06-training")
def _training() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    count = profile(smoke=128, laptop=1000, full=8000)
    train = scenes.load("train", count=count, label="background", two=0.0)
    test = scenes.load("test", count=profile(smoke=48, laptop=200, full=500), label="background", two=0.0)
    changes: dict[str, Any] = {
        "epochs": profile(smoke=1, laptop=8, full=40),
        "batch_size": profile(smoke=32, laptop=64, full=128),
        "width": profile(smoke=4, laptop=16, full=64),
        "options": {"hidden_dim": profile(smoke=32, laptop=128, full=512), "out_dim": profile(smoke=16, laptop=64, full=128)},
    }
    return {"train_images": train, "test_images": test, "settings": Settings.recommended("pixpro", "scenes", **changes)}


@door("06-dense")
@door("06-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run: opened where it lies, trained where not."""
    from contrastive_lab.training import Evaluate

    here = _training()
    images, settings = here["train_images"], here["settings"]
    watch = Evaluate(images, here["test_images"], probe=len(here["test_images"]))
    run = kept_or_trained("06-pixpro", settings, images, [watch])
    return {**here, "evaluate": watch, "run": run}
