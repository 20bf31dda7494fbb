"""What a training step receives: random views of some images and what is known about those images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Views of N images, ready for the encoder.

    `views[v]` is (N, C, S, S), normalised; views may differ in size S. `boxes[v]` is (N, 4): the corners (x1, y1, x2, y2) of the
    crop in units of the source image, x1 > x2 where the view was mirrored. `index` are positions in the data set.
    """

    views: tuple[Float[Tensor, "N C _ _"], ...]
    boxes: tuple[Float[Tensor, "N 4"], ...]
    index: Int64[Tensor, "N"] | None = None
    labels: Int64[Tensor, "N"] | None = None
    groups: Int64[Tensor, "N"] | None = None
    captions: tuple[tuple[str, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.views[0])


@runtime_checkable
class Views(Protocol):
    """Anything that turns stored images into a batch of random views; the same generator state gives the same views."""

    def __call__(self, pixels: UInt8[Tensor, "N C H W"], *, generator: torch.Generator | None = None) -> Batch: ...
