"""Digits over backgrounds: two sets that share one thing and differ in another, for contrastive analysis (SepCLR).

Half of the images are background alone, half carry a digit: 0.5 background, or 0.5 background + 0.5 digit. The background's class is
common to both sets; the digit is salient to the target set. Louiset et al., ICLR 2024, lay MNIST over CIFAR-10; here the digits are
the 1,797 scans of 8 x 8 pixels that scikit-learn ships (1,400 for training, 397 for testing, no scan in both), so nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from contrastive_lab.data import textures
from contrastive_lab.data.images import Images
from contrastive_lab.data.scenes.randomness import Draws

_SPLITS = {"train": 0, "test": 2}
_TRAIN_SCANS = 1400
_COUNTS = {"train": 4000, "test": 1000}
_STREAM = 900  # added to the split, so that digits share no draw with scenes


def load(
    split: str = "train",
    *,
    background: str | Images = "patches",
    size: int = 32,
    seed: int = 0,
    count: int | None = None,
    device: str | torch.device = "cpu",
) -> Images:
    """Digits over "patches" (natural pixels), "textures" (drawn), the images of another set by name ("cifar10"), or any `Images`.

    `groups` are 0 background and 1 target, half and half within each class of background. `labels` and `factors["common_label"]` are
    the class of the background, which both groups have; `factors["salient_label"]` is the digit, -1 for background images.
    `count` defaults to 4,000 (train) or 1,000 (test), and more patches or textures never change earlier ones; or to all images of
    another set.

    Patches come from six regions of two photographs (sky, lake, temple, trees, leaves, petals): real pixels, but few and told apart
    largely by colour. Textures are told apart by structure alone, their colours are random.
    """
    _check(split, size, count)
    if background == "textures":
        return make_synthetic_scenes(count or _COUNTS[split], seed=seed, split=split, size=size).to(device)
    if background == "patches":
        draws, classes = _draws(count or _COUNTS[split], seed, split, len(textures.REGIONS))
        plain = _images(textures.patches(draws, classes, size, split), classes, textures.REGIONS, split)
        return superimpose(replace(plain, source="patches of scikit-learn's two photographs"), seed=seed).to(device)
    plain = background if isinstance(background, Images) else _named(background, split, size, seed, count)
    return superimpose(plain if count is None else plain.take(slice(count)), split=split, seed=seed).to(device)


def make_synthetic_scenes(n: int, *, seed: int = 0, split: str = "train", size: int = 32) -> Images:
    """Digits over six drawn textures: stripes in three directions, checkerboard, rings and smooth blobs."""
    _check(split, size, n)
    draws, classes = _draws(n, seed, split, len(textures.TEXTURES))
    parts = [slice(start, start + 64) for start in range(0, n, 64)]
    pixels = [textures.textures(Draws(seed, draws.split, draws.index[part]), classes[part], size) for part in parts]
    plain = _images(np.concatenate(pixels), classes, textures.TEXTURES, split)
    return superimpose(replace(plain, source="textures drawn by contrastive_lab.data.textures"), seed=seed)


def superimpose(backgrounds: Images, *, split: str | None = None, seed: int = 0) -> Images:
    """Use each image once, alternately as background and under a digit, within each of its classes.

    `split` ("train" or "test", by default that of the images) says which of the scans may be drawn. The digit is enlarged to three
    quarters of the image (bilinear) and pasted one to three sixteenths away from the top-left corner. Images without labels get the
    common label -1.
    """
    split = split or backgrounds.split
    _check(split, backgrounds.size, len(backgrounds))
    draws = Draws(seed, _STREAM + _SPLITS[split], np.arange(len(backgrounds)))
    common = torch.full((len(backgrounds),), -1) if backgrounds.labels is None else backgrounds.labels.cpu()
    groups = _alternate(common)
    scans, digits = _scans(split)
    chosen = torch.from_numpy(draws.below(len(scans), 330))
    layer = torch.where((groups == 1)[:, None, None, None], _paste(scans[chosen], draws, backgrounds.size), 0.0)
    pixels = (0.5 * backgrounds.pixels.cpu() + 127.5 * layer + 0.5).to(torch.uint8)
    values = pixels.transpose(0, 1).flatten(1).double() / 255
    composed = Images(
        pixels=pixels,
        name="digits",
        split=split,
        labels=None if backgrounds.labels is None else common,
        classes=backgrounds.classes,
        groups=groups,
        factors={"common_label": common, "salient_label": torch.where(groups == 1, digits[chosen], -1)},
        mean=tuple(round(m, 3) for m in values.mean(1).tolist()),
        std=tuple(round(max(s, 0.01), 3) for s in values.std(1, correction=0).tolist()),
        source=f"scikit-learn's digits over {backgrounds.source or backgrounds.name}",
    )
    return composed.to(backgrounds.device)


class SuperimposedDataset(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """The same images for a plain PyTorch loader: (image in [0, 1], 0 background or 1 target, common label, digit or -1)."""

    def __init__(self, images: Images) -> None:
        if images.groups is None or "salient_label" not in images.factors:
            raise ValueError(f"images is the set {images.name!r} without groups and salient labels; make it with digits.superimpose(...)")
        self.images, self.groups = images, images.groups

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        factors = self.images.factors
        return self.images.pixels[i].float() / 255, self.groups[i], factors["common_label"][i], factors["salient_label"][i]


def _check(split: str, size: int, count: int | None) -> None:
    if split not in _SPLITS:
        raise ValueError(f"split is {split!r}, but the digits have only a 'train' and a 'test' part")
    if not 16 <= size <= 256 or size % 16:
        raise ValueError(f"size is {size}, but must be a multiple of 16 from 16 to 256 pixels; 32 is usual")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}, but must be at least 1")


def _named(name: str, split: str, size: int, seed: int, count: int | None) -> Images:
    from contrastive_lab import data

    if name == "digits":
        raise ValueError("background is 'digits', but digits cannot lie over digits; take 'patches', 'textures' or 'cifar10'")
    images: Images = data.load(name, split, size=size, seed=seed, count=count)
    return images


def _draws(count: int, seed: int, split: str, classes: int) -> tuple[Draws, Int64[np.ndarray, "N"]]:
    """Draws of the samples and their class; two by two, so that every class has as many backgrounds as targets."""
    index = np.arange(count)
    return Draws(seed, _STREAM + _SPLITS[split], index), index // 2 % classes


def _images(pixels: UInt8[np.ndarray, "N H W 3"], classes: Int64[np.ndarray, "N"], names: tuple[str, ...], split: str) -> Images:
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return Images(pixels=planes, name="backgrounds", split=split, labels=torch.from_numpy(classes), classes=names)


def _alternate(classes: Int64[Tensor, "N"]) -> Int64[Tensor, "N"]:
    """0, 1, 0, 1, ... within each class, in order."""
    order = torch.argsort(classes, stable=True)
    sizes = torch.unique(classes, return_counts=True)[1]
    rank = torch.cat([torch.arange(int(size)) for size in sizes])
    return torch.empty_like(classes).scatter_(0, order, rank % 2)


@cache
def _scans(split: str) -> tuple[Float[Tensor, "S 8 8"], Int64[Tensor, "S"]]:
    """Scans of this split in [0, 1] and their digits; the cut is the same for every seed."""
    from sklearn.datasets import load_digits

    scans = load_digits()
    order = np.argsort(Draws(0, _STREAM, np.arange(len(scans.images))).uniform(0), kind="stable")
    rows = order[:_TRAIN_SCANS] if split == "train" else order[_TRAIN_SCANS:]
    return torch.from_numpy(scans.images[rows]).float() / 16, torch.from_numpy(scans.target[rows].astype(np.int64))


def _paste(scans: Float[Tensor, "N 8 8"], draws: Draws, size: int) -> Float[Tensor, "N 1 H W"]:
    unit, side = size // 16, 3 * size // 4
    large = F.interpolate(scans[:, None], size=(side, side), mode="bilinear", align_corners=False).clamp(0, 1)
    canvas = torch.zeros(len(scans), 1, size, size)
    left, top = (torch.from_numpy(unit + draws.below(2 * unit + 1, field)) for field in (331, 332))
    within = torch.arange(side)
    rows, columns = top[:, None] + within, left[:, None] + within
    canvas[torch.arange(len(scans))[:, None, None], 0, rows[:, :, None], columns[:, None, :]] = large[:, 0]
    return canvas
