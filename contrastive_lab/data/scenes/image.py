"""The picture of a scene, with masks and boxes, rendered in batches of numpy arrays.

Only + - * / comparisons, floor and square root in float64, one array operation each: all are exactly rounded by IEEE 754, so every
platform paints the same bytes. A compiler that fuses a multiplication with an addition (numexpr, numba, torch.compile, GPU kernels)
would not, and must not be used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from contrastive_lab.data.scenes.factors import SHAPES, Scenes

RGB = np.array(
    [(220, 50, 47), (70, 160, 70), (60, 90, 210), (235, 200, 50), (140, 70, 180), (240, 130, 40), (60, 190, 200), (240, 240, 240)]
)
RADII = np.array([0.09, 0.12, 0.15])
_PATTERN_GAIN = np.array([0.0, 0.12, 0.12, 0.15])
_CHUNK_PIXELS = 2**17


class Rendered(NamedTuple):
    """Bytes, channels last; `semantic` 0 or 1 + shape, `instance` 0 or 1 + object, of the topmost object that covers over half a pixel."""

    pixels: UInt8[np.ndarray, "N H W 3"]
    semantic: UInt8[np.ndarray, "N H W"]
    instance: UInt8[np.ndarray, "N H W"]


def render(scenes: Scenes, size: int = 32) -> Rendered:
    """Paint the scenes at `size` x `size` pixels; a watermark covers the objects but not their masks."""
    if not 16 <= size <= 512:
        raise ValueError(f"size is {size}, but scenes are painted at 16 to 512 pixels; 32, 48, 64 and 96 are usual")
    count = len(scenes)
    pixels = np.empty((count, size, size, 3), dtype=np.uint8)
    semantic, instance = np.zeros((2, count, size, size), dtype=np.uint8)
    centre = (np.arange(size) + 0.5) / size
    chunk = max(32, _CHUNK_PIXELS // size**2)  # small enough for the processor's cache
    for start in range(0, count, chunk):
        part = slice(start, start + chunk)
        image = np.repeat(_background(scenes, part, centre)[:, None], 3, axis=1)
        for k in (0, 1):
            for shape, rows, opacity in _objects(scenes, part, centre, k):
                colour = (RGB[scenes.colour[part][rows, k]] / 255)[:, :, None, None]
                image[rows] = (1 - opacity)[:, None] * image[rows] + opacity[:, None] * colour
                solid = opacity > 0.5
                for mask, value in ((semantic, 1 + shape), (instance, 1 + k)):
                    mask[part][rows] = np.where(solid, np.uint8(value), mask[part][rows])
        pixels[part] = np.moveaxis((255 * image + 0.5).astype(np.uint8), 1, -1)
    _stamp(pixels, scenes.watermark)
    return Rendered(pixels, semantic, instance)


def boxes(instance: UInt8[np.ndarray, "N H W"]) -> Float64[np.ndarray, "N 2 4"]:
    """Corners (x1, y1, x2, y2) of each object's visible part in units of the image; NaN where fewer than 4 pixels are visible."""
    size = instance.shape[-1]
    found = np.full((len(instance), 2, 4), np.nan)
    for k in (0, 1):
        mask = instance == 1 + k
        for side, line in ((0, mask.any(axis=1)), (1, mask.any(axis=2))):
            found[:, k, side] = line.argmax(axis=1) / size
            found[:, k, side + 2] = (size - line[:, ::-1].argmax(axis=1)) / size
        found[mask.sum(axis=(1, 2)) < 4, k] = np.nan
    return found


def _background(scenes: Scenes, part: slice, centre: Float64[np.ndarray, "H"]) -> Float64[np.ndarray, "n H H"]:
    kind = scenes.background[part]
    x = centre + np.zeros((len(kind), 1))
    p = (scenes.phase[part] / 8)[:, None]
    lit = np.zeros((len(kind), len(centre), len(centre)), dtype=bool)
    for number, pattern in enumerate((_stripes, _checks, _dots), start=1):
        rows = kind == number
        lit[rows] = pattern(x[rows], centre, p[rows])
    base = 0.08 + 0.06 * scenes.tone[part]
    return np.where(lit, (base + _PATTERN_GAIN[kind])[:, None, None], base[:, None, None])


def _stripes(x: Float64[np.ndarray, "n H"], y: Float64[np.ndarray, "H"], p: Float64[np.ndarray, "n 1"]) -> Bool[np.ndarray, "n 1 H"]:
    return (np.floor(2 * (4 * x + p)) % 2 == 0)[:, None, :]


def _checks(x: Float64[np.ndarray, "n H"], y: Float64[np.ndarray, "H"], p: Float64[np.ndarray, "n 1"]) -> Bool[np.ndarray, "n H H"]:
    return (np.floor(4 * x + p) % 2 == 1)[:, None, :] ^ (np.floor(4 * y) % 2 == 1)[:, None]


def _dots(x: Float64[np.ndarray, "n H"], y: Float64[np.ndarray, "H"], p: Float64[np.ndarray, "n 1"]) -> Bool[np.ndarray, "n H H"]:
    along, down = (6 * x + p) % 1 - 0.5, (6 * y) % 1 - 0.5
    return (along * along)[:, None, :] + (down * down)[:, None] < 0.06


def _objects(
    scenes: Scenes, part: slice, centre: Float64[np.ndarray, "H"], k: int
) -> Iterator[tuple[int, Int64[np.ndarray, "m"], Float64[np.ndarray, "m H H"]]]:
    """Opacity of object k, for all scenes of a chunk that show the same shape."""
    shapes, cell, shift = scenes.shape[part, k], scenes.cell[part, k], scenes.shift[part, k]
    for shape in range(len(SHAPES)):
        rows = np.flatnonzero(shapes == shape)
        if len(rows) == 0:
            continue
        column, row = cell[rows] % 3, cell[rows] // 3
        x = centre - ((column + 0.5) / 3 + shift[rows, 0])[:, None]
        y = centre - ((row + 0.5) / 3 + shift[rows, 1])[:, None]
        radius = RADII[scenes.size[part, k][rows]][:, None, None]
        distance = _distance(shape, x[:, None, :], y[:, :, None], radius)
        yield shape, rows, np.clip(0.5 - distance * len(centre), 0, 1)


def _distance(
    shape: int, x: Float64[np.ndarray, "m 1 H"], y: Float64[np.ndarray, "m H 1"], r: Float64[np.ndarray, "m 1 1"]
) -> Float64[np.ndarray, "m H H"]:
    """Signed distance to the outline, negative inside, in image sizes."""
    across, down = np.abs(x), np.abs(y)
    match SHAPES[shape]:
        case "circle":
            return np.sqrt(x * x + y * y) - r
        case "square":
            return np.maximum(across, down) - 0.88 * r
        case "triangle":
            return np.maximum(y - 0.7 * r, 0.866 * across - 0.5 * y - 0.5 * r)
        case "cross":
            return np.minimum(np.maximum(across - 0.33 * r, down - r), np.maximum(down - 0.33 * r, across - r))
        case "ring":
            return np.abs(np.sqrt(x * x + y * y) - 0.75 * r) - 0.28 * r
        case _:
            return np.maximum(across - 1.1 * r, down - 0.35 * r)


def _stamp(pixels: UInt8[np.ndarray, "N H W 3"], watermark: Int64[np.ndarray, "N"]) -> None:
    """Two rows of four black or white cells of two pixels, the lowest bit of the number first."""
    rows = np.flatnonzero(watermark >= 0)
    bits = (watermark[rows, None] >> np.arange(8)) & 1
    glyph = np.repeat(np.repeat(bits.reshape(-1, 2, 4), 2, axis=1), 2, axis=2)
    pixels[rows, :4, :8] = (255 * glyph[..., None]).astype(np.uint8)
