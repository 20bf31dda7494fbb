"""Whether the encoder's map knows objects, measured while it trains on images whose masks are known."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.methods import Method
from contrastive_lab.training.observe import Moment, at_rest

LEAST_SIDE = 64
"""Smaller images are enlarged first: at 32 pixels most maps have 4 x 4 cells, too few for an object."""


class Locality:
    """Adds `locality`, the mean mask AUROC of the encoder's cells over up to `count` images, at the end of every `every`-th epoch.

    0.5 is blind; raw colour and random weights already reach more than that on most images, so compare with epoch 0.
    """

    def __init__(self, images: Images, *, every: int = 1, count: int = 48) -> None:
        if images.masks is None:
            raise ValueError(f"images {images.name!r} have no masks; scenes and STL-10 with its masks have them")
        if every < 1 or count < 1:
            raise ValueError(f"every is {every} and count is {count}, but both must be at least 1")
        self.images, self.every = images.take(slice(0, count)), every

    def __call__(self, moment: Moment) -> dict[str, float] | None:
        if not moment.epoch_end or moment.epoch % self.every:
            return None
        with at_rest(moment.method):
            return {"locality": map_locality(moment.method, self.images)}


def map_locality(method: Method, images: Images) -> float:
    """Mean `locality_auroc` over the images whose map has object and background cells; for a method in eval mode."""
    from contrastive_lab import measures

    pixels = images.to(next(method.parameters()).device).as_float()
    if images.size < LEAST_SIDE:
        pixels = F.interpolate(pixels, scale_factor=2, mode="bilinear", align_corners=False)
    with torch.no_grad():
        maps = method.encoder.feature_map(pixels).float().cpu()
    values = [
        measures.locality_auroc(cells.flatten(1).T.contiguous(), mask)
        for cells, mask in zip(maps, object_cells(images, tuple(maps.shape[2:])), strict=True)
        if 1 < int(mask.sum()) < mask.numel()
    ]
    if not values:
        raise ValueError(f"no image of {images.name!r} has two object cells and background on a map of {tuple(maps.shape[2:])} cells")
    return sum(values) / len(values)


def object_cells(images: Images, grid: tuple[int, ...]) -> Bool[Tensor, "N h w"]:
    """Masks on the grid of a feature map: a cell belongs to the object if at least half of it does."""
    assert images.masks is not None
    covered = F.interpolate((images.masks > 0).float()[:, None].cpu(), size=grid, mode="area")
    return covered[:, 0] >= 0.5
