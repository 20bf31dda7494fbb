"""Doors of 07_common_and_salient."""

from __future__ import annotations

from typing import Any

import torch

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings


@door("07-salient")
@door("07-joint")
def _toy() -> dict[str, Any]:
    """Two views of the raw codes of 32 images, every second one background; the second view differs a little."""
    draw = torch.Generator().manual_seed(0)
    c1, s1 = (torch.randn(32, 6, generator=draw) for _ in range(2))
    c2, s2 = (x + 0.3 * torch.randn(32, 6, generator=draw) for x in (c1, s1))
    return {"c1": c1, "c2": c2, "s1": s1, "s2": s2, "groups": torch.arange(32) % 2}


@door("07-data")
@door("07-training")
def _training() -> dict[str, Any]:
    """Digits over patches, and SepCLR's recipe for them."""
    from contrastive_lab import data

    size, count = profile(smoke=16, laptop=32, full=32), profile(smoke=512, laptop=3000, full=20000)
    train = data.load("digits", size=size, count=count)
    test = data.load("digits", "test", size=size, count=profile(smoke=300, laptop=1000, full=2000))
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=10, full=30),
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=8, laptop=12, full=48),
        "lr": 1e-3,
        "image_size": size,
    }
    return {"train_images": train, "test_images": test, "settings": Settings.recommended("sepclr", "digits", **changes)}


@door("07-probes")
@door("07-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run: opened where it lies, trained where not."""

    here = _training()
    images, settings = here["train_images"], here["settings"]
    run = kept_or_trained("07-sepclr", settings, images)
    return {**here, "run": run}
