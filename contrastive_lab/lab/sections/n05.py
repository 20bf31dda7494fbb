"""Doors of 05_clusters_instead_of_pairs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from contrastive_lab.lab.doors import door, kept_or_trained
from contrastive_lab.lab.profiles import profile
from contrastive_lab.training import Settings

PROTOTYPES = 16


@door("05-sinkhorn")
@door("05-swap")
@door("05-queue")
def _toy() -> dict[str, Any]:
    """Two views of 512 images from ten clusters that lean to one side, and their cosines with 16 random prototypes."""
    draw = torch.Generator().manual_seed(0)
    centres = torch.randn(10, 32, generator=draw) + 0.8 * torch.randn(1, 32, generator=draw)
    z = centres[torch.randint(10, (512,), generator=draw)] + 0.6 * torch.randn(512, 32, generator=draw)
    views = [F.normalize(z + 0.3 * torch.randn(512, 32, generator=draw), dim=1) for _ in range(2)]
    prototypes = F.normalize(torch.randn(PROTOTYPES, 32, generator=draw), dim=1)
    return {"scores1": views[0] @ prototypes.T, "scores2": views[1] @ prototypes.T}


@door("05-training")
@door("05-multicrop")
def _training() -> dict[str, Any]:
    from contrastive_lab.data import scenes

    preset = profile(smoke="tiny", laptop="quick", full="full")
    train, test = (scenes.load(split, preset=preset, label="background", two=0.0) for split in ("train", "test"))
    changes: dict[str, Any] = {
        "epochs": profile(smoke=2, laptop=24, full=30),
        "width": profile(smoke=8, laptop=16, full=64),
        "options": {"n_prototypes": PROTOTYPES},
    }
    return {"train_images": train, "test_images": test, "settings": Settings.recommended("swav", "scenes", **changes)}


@door("05-prototypes")
@door("05-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run: opened where it lies, trained where not."""
    from contrastive_lab.training import Evaluate

    here = _training()
    images, settings = here["train_images"], here["settings"]
    watch = Evaluate(images, here["test_images"], probe=len(here["test_images"]))
    run = kept_or_trained("05-swav", settings, images, [watch])
    return {**here, "evaluate": watch, "run": run}
