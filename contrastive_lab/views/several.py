"""Several views of each image: the callables that a training loop uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from contrastive_lab.views.augmentation import Augmentation
from contrastive_lab.views.batch import Batch


@dataclass(frozen=True)
class TwoViews:
    """Two views of each image. With `second` the two differ in kind, as in BYOL and PixPro."""

    first: Augmentation
    second: Augmentation | None = None

    def __call__(self, pixels: Tensor, *, generator: torch.Generator | None = None) -> Batch:
        return _batch(pixels, (self.first, self.first if self.second is None else self.second), generator)


TwoCropsWithBoxes = TwoViews
"""PixPro's name for two views: the boxes it needs are in `Batch.boxes` of every batch."""


@dataclass(frozen=True)
class ManyViews:
    """`count` views of each image, all of one kind (CACR's positives)."""

    augmentation: Augmentation
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count is {self.count}, but at least one view is needed (two to learn from)")

    def __call__(self, pixels: Tensor, *, generator: torch.Generator | None = None) -> Batch:
        return _batch(pixels, (self.augmentation,) * self.count, generator)


@dataclass(frozen=True)
class MultiCrop:
    """SwAV's views: `n_large` large crops first, then `n_small` small ones of lower resolution."""

    large: Augmentation
    small: Augmentation
    n_large: int = 2
    n_small: int = 4

    def __post_init__(self) -> None:
        if self.n_large < 1 or self.n_small < 0:
            raise ValueError(f"n_large is {self.n_large} and n_small {self.n_small}, but at least 1 large and 0 small crops are needed")

    def __call__(self, pixels: Tensor, *, generator: torch.Generator | None = None) -> Batch:
        return _batch(pixels, (self.large,) * self.n_large + (self.small,) * self.n_small, generator)


def _batch(pixels: Tensor, augmentations: Sequence[Augmentation], generator: torch.Generator | None) -> Batch:
    made = [
        view
        for augmentation, equal in groupby(augmentations)
        for view in augmentation.several(pixels, len(list(equal)), generator=generator)
    ]
    views, boxes = zip(*made, strict=True)
    return Batch(views=views, boxes=boxes)
