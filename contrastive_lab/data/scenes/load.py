"""The world as a set of images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Int64

from contrastive_lab.data.images import Images
from contrastive_lab.data.scenes.factors import CLASSES, World
from contrastive_lab.data.scenes.image import render
from contrastive_lab.data.scenes.knobs import OFF, Knobs
from contrastive_lab.data.scenes.language import captions

PRESETS: Mapping[str, Mapping[str, int]] = {
    "tiny": {"train": 256, "validation": 64, "test": 64, "ood": 64},
    "quick": {"train": 2000, "validation": 500, "test": 500, "ood": 500},
    "full": {"train": 8000, "validation": 1000, "test": 1000, "ood": 1000},
}
MEAN, STD = (0.259, 0.255, 0.252), (0.148, 0.134, 0.136)  # of the first 8,000 scenes at 32 pixels


def load(
    split: str = "train",
    *,
    preset: str = "quick",
    size: int = 32,
    seed: int = 0,
    count: int | None = None,
    device: str | torch.device = "cpu",
    holdout: bool = False,
    knobs: Knobs = OFF,
    two: float = 0.6,
    label: str = "shape",
    shots: int = 16,
) -> Images:
    """Scenes 0, 1, ... of a split, painted and described; no network, no files, the same bytes everywhere.

    `count` overrides the preset (tiny 256 / 64 / 64, quick 2,000 / 500 / 500, full 8,000 / 1,000 / 1,000; ood as test). The split
    "fewshot" holds `shots` scenes of each class instead, the first of every class before the second.

    `labels` are the classes of `label`, any key of `scenes.CLASSES` that every scene has. All describe object 0, and objects 0 and 1
    look alike to an encoder: with the usual `two=0.6` chance of a second object no classifier of shape exceeds about 75 %.
    `two=0` gives scenes of one object, whose every label is well defined. Background, tone and count are so in every scene.

    `masks` are at image resolution, `captions` are (short, long), and `factors` hold every label including those of the second object
    ("second_shape", ...; -1 where absent), the relation (-1 for a single object), `caption_of` and `watermark` (see `Knobs`).
    """
    _check(split, preset, count, label, shots)
    world = World(seed=seed, split=split, two=two, holdout=holdout, knobs=knobs)
    number = count if count is not None else PRESETS[preset].get(split, 0)
    index = few_shots(world, label, shots) if split == "fewshot" else np.arange(number)
    scenes = world.draw(index)
    painted = render(scenes, size)
    labels = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in scenes.labels().items()}
    knobbed = {"caption_of": torch.from_numpy(scenes.caption_of), "watermark": torch.from_numpy(scenes.watermark)}
    return Images(
        pixels=torch.from_numpy(painted.pixels).permute(0, 3, 1, 2).contiguous(),
        name="scenes",
        split=split,
        labels=labels[label],
        classes=CLASSES[label],
        masks=torch.from_numpy(painted.semantic),
        captions=captions(scenes),
        factors=labels | knobbed,
        mean=MEAN,
        std=STD,
        source=f"drawn by contrastive_lab.data.scenes, seed {seed}, {len(index)} scenes of {size} x {size} pixels",
    ).to(device)


def few_shots(world: World, label: str, shots: int) -> Int64[np.ndarray, "N"]:
    """Numbers of the first `shots` scenes of each class, shot by shot; classes that the world lacks are left out."""
    classes = range(len(CLASSES[label]))
    pool = max(4096, 64 * shots * len(classes))
    values = world.draw(range(pool)).labels()[label]
    found = [np.flatnonzero(values == c)[:shots] for c in classes]
    return np.array([rows[shot] for shot in range(shots) for rows in found if shot < len(rows)], dtype=np.int64)


def _check(split: str, preset: str, count: int | None, label: str, shots: int) -> None:
    if preset not in PRESETS:
        raise ValueError(f"preset is {preset!r}, but must be one of {', '.join(PRESETS)}")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}, but must be at least 1, or None for the size of preset {preset!r}")
    if count is not None and split == "fewshot":
        raise ValueError(f"count is {count}, but the split 'fewshot' takes a number per class: pass shots={count} instead")
    if label not in CLASSES or label == "relation":
        usable = ", ".join(name for name in CLASSES if name != "relation")
        raise ValueError(f"label is {label!r}, but every scene must have it: one of {usable}; relation is in factors['relation']")
    if shots < 1:
        raise ValueError(f"shots is {shots}, but must be at least 1 scene per class")
