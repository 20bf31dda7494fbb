"""The random part of a view: every number that is drawn, one row for each image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from contrastive_lab.views.constant import constant

TRIES = 10
_COLUMNS = {"crop": 2 * TRIES + 2, "flip": 1, "jitter": 9, "grey": 1, "blur": 2, "solarise": 1}


@dataclass(frozen=True)
class Parameters:
    """What makes one view of each of N images; applying the same parameters again gives the same view.

    `crop` holds top, left, height and width in pixels of the source. `factors` are brightness, contrast, saturation (1 changes
    nothing) and hue (turns of the colour circle, 0 changes nothing); `order` says in which order these four are applied.
    `sigma` is the width of the blur in pixels of the view, 0 for none. None stands for an operation that is never used.
    """

    crop: Int64[Tensor, "N 4"]
    flip: Bool[Tensor, "N"]
    factors: Float[Tensor, "N 4"] | None = None
    order: Int64[Tensor, "N 4"] | None = None
    grey: Bool[Tensor, "N"] | None = None
    sigma: Float[Tensor, "N"] | None = None
    solarise: Bool[Tensor, "N"] | None = None

    def __len__(self) -> int:
        return len(self.crop)

    def __getitem__(self, rows: slice) -> Parameters:
        return self._map(lambda value: value[rows])

    def to(self, device: torch.device | str) -> Parameters:
        """The same parameters on another device: the way to make the same views on a CPU and on a GPU."""
        return self._map(lambda value: value.to(device))

    def _map(self, change: Callable[[Tensor], Tensor]) -> Parameters:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        changed: dict[str, Any] = {name: change(value) for name, value in values if value is not None}
        return Parameters(**changed)


def uniforms(count: int, *, device: torch.device | str = "cpu", generator: torch.Generator | None = None) -> Float[Tensor, "N U"]:
    """All randomness of `count` views: uniform numbers in [0, 1), as many columns for each operation as it needs.

    The table has the same width whatever the augmentation, so the crops stay the same when, say, the blur is switched off.
    """
    return torch.rand(count, sum(_COLUMNS.values()), device=device, generator=generator)


def by_operation(table: Float[Tensor, "N U"]) -> dict[str, Tensor]:
    """The columns of `uniforms`, under the names of the operations that use them."""
    return dict(zip(_COLUMNS, torch.split(table, list(_COLUMNS.values()), dim=1), strict=True))


def crops(
    u: Float[Tensor, "N 22"], image_size: tuple[int, int], scale: tuple[float, float], ratio: tuple[float, float]
) -> Int64[Tensor, "N 4"]:
    """Top, left, height and width of random crops, distributed as in torchvision's `RandomResizedCrop`.

    The share of the area is uniform in `scale` and the logarithm of width / height uniform in that of `ratio`. The first of ten tries
    that fits is taken; if none fits, the largest central crop whose shape is allowed.
    """
    rows, columns = image_size
    area, aspect, corner = torch.split(u, [TRIES, TRIES, 2], dim=1)
    area = rows * columns * _between(area, *scale)
    aspect = _between(aspect, math.log(ratio[0]), math.log(ratio[1])).exp()
    sides = torch.stack([(area / aspect).sqrt().round(), (area * aspect).sqrt().round()], dim=-1)

    limit = constant([float(rows), float(columns)], sides)
    fits = ((sides > 0) & (sides <= limit)).all(dim=-1)
    first = fits.int().argmax(dim=1).view(-1, 1, 1).expand(-1, 1, 2)
    central = constant(_central_crop(rows, columns, ratio), sides)
    found = fits.any(dim=1, keepdim=True)
    sides = torch.where(found, sides.gather(1, first).squeeze(1), central)

    room = limit - sides
    corner = torch.where(found, torch.minimum((corner * (room + 1)).floor(), room), (room / 2).floor())
    return torch.cat([corner, sides], dim=1).long()


def _central_crop(rows: int, columns: int, ratio: tuple[float, float]) -> list[float]:
    if columns / rows < ratio[0]:
        return [float(round(columns / ratio[0])), float(columns)]
    if columns / rows > ratio[1]:
        return [float(rows), float(round(rows * ratio[1]))]
    return [float(rows), float(columns)]


def jitter_factors(u: Float[Tensor, "N 5"], strength: tuple[float, float, float, float], probability: float) -> Float[Tensor, "N 4"]:
    """Factors for brightness, contrast, saturation and hue, as `ColorJitter` draws them; for a share `probability` of images."""
    *around_one, hue = strength
    low = constant([max(0.0, 1 - s) for s in around_one] + [-hue], u)
    high = constant([1 + s for s in around_one] + [hue], u)
    unchanged = constant([1.0, 1.0, 1.0, 0.0], u)
    return torch.where(u[:, :1] < probability, low + u[:, 1:] * (high - low), unchanged)


def random_order(u: Float[Tensor, "N K"]) -> Int64[Tensor, "N K"]:
    """A random permutation for each row: the order of random numbers."""
    return u.argsort(dim=1)


def blur_sigmas(u: Float[Tensor, "N 2"], sigma: tuple[float, float], probability: float) -> Float[Tensor, "N"]:
    """Widths of Gaussian blur, uniform in `sigma`; 0 where an image is not blurred."""
    return _between(u[:, 1], *sigma) * (u[:, 0] < probability)


def _between(u: Tensor, low: float, high: float) -> Tensor:
    return low + u * (high - low)
