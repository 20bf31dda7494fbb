"""Backgrounds for digits that need no image file: six drawn textures and patches of the two photographs that scikit-learn ships."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float64, Int64, UInt8

from contrastive_lab.data.scenes.randomness import Draws

TEXTURES = ("horizontal stripes", "vertical stripes", "diagonal stripes", "checkerboard", "rings", "blobs")
REGIONS = ("sky", "lake", "temple", "trees", "leaves", "petals")
_RECTANGLES = {  # photograph, then left, top, right, bottom in its pixels
    "sky": (0, 335, 0, 640, 130),
    "lake": (0, 350, 205, 556, 270),
    "temple": (0, 95, 90, 330, 345),
    "trees": (0, 335, 300, 640, 427),
    "leaves": (1, 0, 0, 160, 427),
    "petals": (1, 205, 115, 410, 330),
}
_TRAIN_SHARE = 0.65
_SMALLEST, _LARGEST = 32, 56


def textures(draws: Draws, classes: Int64[np.ndarray, "N"], size: int) -> UInt8[np.ndarray, "N H W 3"]:
    """One texture for each sample: period of 4 to 10 pixels (of 32), random phase, two colours at least 0.4 apart, noise 0.02.

    Reads fields 300-311, 400-463 and from 1000.
    """
    level = np.stack([_level(draws, i, int(c), size) for i, c in enumerate(classes)])
    colours = np.stack([[draws.uniform(302 + 3 * k + channel) for channel in range(3)] for k in (0, 1)])
    first, second = np.moveaxis(colours, 2, 1)
    near = ((first - second) ** 2).sum(axis=1, keepdims=True) < 0.4**2
    second = np.where(near, (first + 0.5) % 1, second)
    noise = draws.noise(range(1000, 1000 + 4 * 3 * size * size, 4)).reshape(len(classes), size, size, 3)
    painted = level[..., None] * second[:, None, None] + (1 - level[..., None]) * first[:, None, None] + 0.02 * noise
    return (255 * np.clip(painted, 0, 1) + 0.5).astype(np.uint8)


def patches(draws: Draws, classes: Int64[np.ndarray, "N"], size: int, split: str) -> UInt8[np.ndarray, "N H W 3"]:
    """A square of 32 to 56 photograph pixels from the region of each class, reduced to `size`, mirrored at random.

    The left 65 % of every region serve training and the rest testing, so that no pixel is in both. Reads fields 320-323.
    """
    photographs = _photographs()
    side = _SMALLEST + draws.below(_LARGEST - _SMALLEST + 1, 320)
    across, down, mirrored = draws.uniform(321), draws.uniform(322), draws.uniform(323) < 0.5
    cut = []
    for i, c in enumerate(classes):
        photograph, left, top, right, bottom = _part(REGIONS[c], split)
        s = int(side[i])
        x, y = (start + int(u[i] * (stop - start - s + 1)) for start, stop, u in ((left, right, across), (top, bottom, down)))
        square = photographs[photograph][None, :, y : y + s, x : x + s]
        small = F.interpolate(square, size=(size, size), mode="bilinear", antialias=True, align_corners=False)[0]
        cut.append(small.flip(-1) if mirrored[i] else small)
    return (torch.stack(cut).clamp(0, 255) + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _part(region: str, split: str) -> tuple[int, int, int, int, int]:
    photograph, left, top, right, bottom = _RECTANGLES[region]
    border = left + int(_TRAIN_SHARE * (right - left))
    return (photograph, left, top, border, bottom) if split == "train" else (photograph, border, top, right, bottom)


@cache
def _photographs() -> tuple[torch.Tensor, ...]:
    from sklearn.datasets import load_sample_images

    return tuple(torch.from_numpy(image.copy()).permute(2, 0, 1).float() for image in load_sample_images().images)


def _level(draws: Draws, i: int, kind: int, size: int) -> Float64[np.ndarray, "H W"]:
    """Values in [0, 1] that say how much of the second colour shows."""
    one = Draws(draws.seed, draws.split, draws.index[i : i + 1])
    if TEXTURES[kind] == "blobs":
        coarse = np.array([one.uniform(400 + q)[0] for q in range(64)]).reshape(1, 1, 8, 8)
        smooth = F.interpolate(torch.from_numpy(coarse), size=(size, size), mode="bicubic", align_corners=False)[0, 0].numpy()
        return np.asarray((smooth - smooth.min()) / (smooth.max() - smooth.min()))
    turn = 2 * math.pi * 32 / size / (4 + 6 * one.uniform(300)[0])
    phase, shift = 2 * math.pi * one.uniform(301)[0], 2 * math.pi * one.uniform(308)[0]
    y, x = np.mgrid[:size, :size] * turn
    match TEXTURES[kind]:
        case "horizontal stripes":
            wave = np.sin(y + phase)
        case "vertical stripes":
            wave = np.sin(x + phase)
        case "diagonal stripes":
            wave = np.sin((x + (y if one.uniform(309)[0] < 0.5 else -y)) / math.sqrt(2) + phase)
        case "checkerboard":
            wave = np.sign(np.sin(x + phase) * np.sin(y + shift))
        case _:
            centre = size * turn * (0.3 + 0.4 * np.array([one.uniform(310)[0], one.uniform(311)[0]]))
            wave = np.sin(np.hypot(x - centre[0], y - centre[1]) + phase)
    return np.asarray((wave + 1) / 2)
