"""What is in a scene: every factor of every sample, drawn from the counter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float64, Int64

from contrastive_lab.data.scenes.knobs import OFF, Knobs
from contrastive_lab.data.scenes.randomness import Draws, mix

SPLITS: Mapping[str, int] = MappingProxyType({"train": 0, "validation": 1, "test": 2, "fewshot": 3, "ood": 4})
SHAPES = ("circle", "square", "triangle", "cross", "ring", "bar")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "white")
SIZES = ("small", "medium", "large")
ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "centre", "right")
BACKGROUNDS = ("plain", "striped", "checkered", "dotted")
TONES = ("very dark", "dark", "dim", "grey", "light")
RELATIONS = ("left of", "right of", "above", "below")
CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shape": SHAPES,
        "colour": COLOURS,
        "size": SIZES,
        "cell": tuple(f"{row} {column}" for row in ROWS for column in COLUMNS),
        "row": ROWS,
        "column": COLUMNS,
        "background": BACKGROUNDS,
        "tone": TONES,
        "count": ("one", "two"),
        "relation": RELATIONS,
        "shape_colour": tuple(f"{colour} {shape}" for shape in SHAPES for colour in COLOURS),
    }
)
_LIGHT = len(TONES) - 1


@dataclass(frozen=True, kw_only=True)
class World:
    """One split of the world. `two` is the chance of a second object.

    `holdout=True` reserves the pairs with (shape + colour) % 6 == 0: they appear in split "ood" only, and nothing else does there.
    With `holdout=False`, split "ood" differs by its light tone.
    """

    seed: int = 0
    split: str = "train"
    two: float = 0.6
    holdout: bool = False
    knobs: Knobs = OFF

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"split is {self.split!r}, but must be one of {', '.join(SPLITS)}")
        if not 0 <= self.two <= 1:
            raise ValueError(f"two is {self.two}, but is the chance of a second object, between 0 and 1")

    def draw(self, index: range | Int64[np.ndarray, "N"]) -> Scenes:
        """The scenes with these numbers."""
        draws = Draws(self.seed, SPLITS[self.split], np.asarray(index, dtype=np.int64))
        second = draws.uniform(0) < self.two
        first_cell, free_cell = draws.below(9, 13), draws.below(8, 23)
        pairs = [_pair(self, draws, k) for k in (0, 1)]
        shifts = [[(draws.uniform(14 + 10 * k + axis) - 0.5) * 0.1 for axis in (0, 1)] for k in (0, 1)]
        tone = draws.below(len(TONES), 2)
        return Scenes(
            world=self,
            draws=draws,
            two=second,
            background=draws.below(len(BACKGROUNDS), 1),
            tone=np.full_like(tone, _LIGHT) if self.split == "ood" and not self.holdout else tone,
            phase=draws.below(8, 3),
            template=draws.below(4, 40),
            shape=_present(pairs[0][0], pairs[1][0], second),
            colour=_present(pairs[0][1], pairs[1][1], second),
            size=_present(draws.below(3, 12), draws.below(3, 22), second),
            cell=_present(first_cell, free_cell + (free_cell >= first_cell), second),
            shift=np.moveaxis(np.array(shifts), -1, 0),
            caption_of=np.where(draws.uniform(50) < self.knobs.mismatch, draws.index ^ (1 + draws.below(255, 51)), draws.index),
            watermark=np.where(draws.fraction(84) < self.knobs.watermark, draws.below(256, 84), -1),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenes:
    """Factors of N scenes as class numbers; the last axis of `shape` ... `shift` is the object, -1 where there is no second object.

    `shift` is the jitter (dx, dy) from the centre of the cell, in image sizes. `caption_of` is the sample that the captions describe.
    `watermark` is the number of the glyph or -1. Further renderers draw their own fields from `draws`.
    """

    world: World
    draws: Draws
    two: Bool[np.ndarray, "N"]
    background: Int64[np.ndarray, "N"]
    tone: Int64[np.ndarray, "N"]
    phase: Int64[np.ndarray, "N"]
    template: Int64[np.ndarray, "N"]
    shape: Int64[np.ndarray, "N 2"]
    colour: Int64[np.ndarray, "N 2"]
    size: Int64[np.ndarray, "N 2"]
    cell: Int64[np.ndarray, "N 2"]
    shift: Float64[np.ndarray, "N 2 2"]
    caption_of: Int64[np.ndarray, "N"]
    watermark: Int64[np.ndarray, "N"]

    def __len__(self) -> int:
        return len(self.two)

    @property
    def relation(self) -> Int64[np.ndarray, "N"]:
        """Where object 0 lies, seen from object 1: by columns, or by rows where the columns agree; -1 for a single object."""
        (row, other_row), (column, other_column) = (self.cell // 3).T, (self.cell % 3).T
        sideways, upright = np.where(column < other_column, 0, 1), np.where(row < other_row, 2, 3)
        return np.where(self.two, np.where(column != other_column, sideways, upright), -1)

    def labels(self) -> dict[str, Int64[np.ndarray, "N"]]:
        """Class numbers by factor (`CLASSES` has their names): object 0, scene, then object 1 as "second_...", -1 where absent."""
        things = {
            "shape": self.shape,
            "colour": self.colour,
            "size": self.size,
            "cell": self.cell,
            "row": self.cell // 3,
            "column": np.where(self.cell < 0, -1, self.cell % 3),
            "shape_colour": np.where(self.shape < 0, -1, len(COLOURS) * self.shape + self.colour),
        }
        scene = {"background": self.background, "tone": self.tone, "count": self.two.astype(np.int64), "relation": self.relation}
        first, second = ({f"{prefix}{name}": v[:, k] for name, v in things.items()} for k, prefix in enumerate(("", "second_")))
        return first | scene | second


def _present(first: Int64[np.ndarray, "N"], second: Int64[np.ndarray, "N"], two: Bool[np.ndarray, "N"]) -> Int64[np.ndarray, "N 2"]:
    return np.stack([first, np.where(two, second, -1)], axis=1)


def _pair(world: World, draws: Draws, k: int) -> tuple[Int64[np.ndarray, "N"], Int64[np.ndarray, "N"]]:
    shape, colour = draws.below(len(SHAPES), 10 + 10 * k), draws.below(len(COLOURS), 11 + 10 * k)
    if k == 0 and world.knobs.long_tail > 0:
        shape, colour = _thin(draws, shape, colour, world.knobs.long_tail)
    return (shape, _reserve(draws, shape, colour, k, world.split == "ood")) if world.holdout else (shape, colour)


def _thin(
    draws: Draws, shape: Int64[np.ndarray, "N"], colour: Int64[np.ndarray, "N"], exponent: float
) -> tuple[Int64[np.ndarray, "N"], Int64[np.ndarray, "N"]]:
    """Keep a pair with the chance weight / largest weight and otherwise redraw it from the power law: exactly the law, fewest changes."""
    weight = pair_weights(exponent)
    drawn = len(COLOURS) * shape + colour
    kept = draws.fraction(89) * weight.max() < weight[drawn]
    redrawn = np.searchsorted(np.cumsum(weight), draws.below(int(weight.sum()), 89), side="right")
    pair = np.where(kept, drawn, redrawn)
    return pair // len(COLOURS), pair % len(COLOURS)


@lru_cache(maxsize=32)
def pair_weights(exponent: float) -> Int64[np.ndarray, "48"]:
    """Weights of the 48 shape-colour pairs under the long tail, as integers so that every platform draws alike; ranks follow a hash."""
    pairs = range(len(SHAPES) * len(COLOURS))
    ranked = sorted(pairs, key=mix)
    weight = {pair: math.floor(2**24 * (rank + 1) ** -exponent + 0.5) for rank, pair in enumerate(ranked)}
    return np.array([weight[pair] for pair in pairs], dtype=np.int64)


def _reserve(draws: Draws, shape: Int64[np.ndarray, "N"], colour: Int64[np.ndarray, "N"], k: int, only: bool) -> Int64[np.ndarray, "N"]:
    """Replace colours of the wrong side of the hold-out by one of the right side (field 16, 26)."""
    reserved = np.add.outer(np.arange(len(SHAPES)), np.arange(len(COLOURS))) % 6 == 0
    allowed = reserved if only else ~reserved
    position = np.zeros_like(colour)
    for s in range(len(SHAPES)):
        rows = shape == s
        choices = np.flatnonzero(allowed[s])
        position[rows] = choices[draws.below(len(choices), 16 + 10 * k)[rows]]
    return np.where(allowed[shape, colour], colour, position)
