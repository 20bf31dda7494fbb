"""What dense maps know about objects, as numbers over images with masks: AUROC, IoU, LOST; and mosaics, whose quadrants are objects."""

from __future__ import annotations

import statistics
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from contrastive_lab import measures
from contrastive_lab.data import Images
from contrastive_lab.measures.lost import lost_from_similarity
from contrastive_lab.training import Moment, Observer
from contrastive_lab.training.locality import object_cells
from contrastive_lab.training.observe import at_rest

FIXED = 0.5


def centred(cells: Float[Tensor, "P D"]) -> Float[Tensor, "P D"]:
    """Unit cells less their mean over the image. Features after a ReLU all correlate positively; LOST needs signs."""
    unit = F.normalize(cells, dim=1)
    return unit - unit.mean(dim=0)


def voters(patches: int) -> int:
    """How many of the least connected patches may vote in LOST: a ninth, as 100 of the 900 patches of a photograph in the paper."""
    return max(1, patches // 9)


def scores(maps: Float[Tensor, "N D h w"], images: Images) -> dict[str, float]:
    """Means over the images whose map has object and background cells, each 0 ... 1 but `corloc` (per cent).

    auroc: `locality_auroc`, every object cell asks. iou, iou_fixed: mask of the object cell nearest the object's middle, at the best
    threshold (which looks at the mask) and at cosine 0.5. pointing: the cell most similar to it is in the object too. seed: the least
    connected patch of LOST lies in the object. corloc: LOST's box meets the object's box with an IoU of at least 0.5. `images` is the
    number of images that counted.
    """
    grid = (maps.shape[2], maps.shape[3])
    masks = object_cells(images, grid)
    patch = images.size / grid[0]
    found: dict[str, list[float]] = {name: [] for name in ("auroc", "iou", "iou_fixed", "pointing", "seed")}
    boxes, truths = [], []
    for number, mask in enumerate(masks):
        if not 1 < int(mask.sum()) < mask.numel():
            continue
        cells = maps[number].flatten(1).T.contiguous().float().cpu()
        query = middle(mask)
        signs = centred(cells).double()  # from products, which also a collapsed map has
        box = lost_from_similarity(signs @ signs.T, grid=grid, patch=patch, k=voters(len(cells)))
        found["auroc"].append(measures.locality_auroc(cells, mask))
        found["iou"].append(measures.best_mask_iou(cells, mask, query=query)[0])
        found["iou_fixed"].append(measures.mask_iou(cells, mask, query=query, threshold=FIXED))
        heat = measures.self_similarity(cells)[query]
        heat[query] = -2.0  # it would always point at itself
        found["pointing"].append(float(measures.pointing_hit(heat.view(grid), mask)))
        found["seed"].append(float(mask.flatten()[box.seed]))
        boxes.append(box)
        truths.append([bounding_box(mask, patch)])
    means = {name: statistics.fmean(values) for name, values in found.items()}
    return {**means, "corloc": measures.corloc(boxes, truths), "images": len(boxes)}


def middle(mask: Bool[Tensor, "h w"]) -> int:
    """Number of the mask's cell that lies nearest to its centre of mass."""
    places = mask.nonzero().float()
    nearest = int((places - places.mean(dim=0)).square().sum(dim=1).argmin())
    row, column = places[nearest].long().tolist()
    return int(row * mask.shape[1] + column)


def bounding_box(mask: Bool[Tensor, "h w"], patch: float) -> tuple[float, float, float, float]:
    """Corners of the smallest box around the mask's cells, in pixels."""
    down, across = mask.any(dim=1).nonzero()[:, 0], mask.any(dim=0).nonzero()[:, 0]
    return int(across[0]) * patch, int(down[0]) * patch, (int(across[-1]) + 1) * patch, (int(down[-1]) + 1) * patch


def mosaics(tiles: Images, count: int) -> Images:
    """`count` squares of four different tiles each; the mask of a pixel is its quadrant, 1 to 4."""
    if len(tiles) < 4:
        raise ValueError(f"tiles has {len(tiles)} images, but a mosaic takes four different ones")
    index = torch.arange(4 * count) % len(tiles)
    a, b, c, d = tiles.pixels[index].view(count, 4, *tiles.pixels.shape[1:]).unbind(dim=1)
    pixels = torch.cat([torch.cat([a, b], dim=3), torch.cat([c, d], dim=3)], dim=2)
    side = tiles.size
    quadrant = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).repeat_interleave(side, 0).repeat_interleave(side, 1)
    return replace(
        Images(pixels, name=tiles.name, split=tiles.split, masks=quadrant.expand(count, -1, -1)),
        mean=tiles.mean,
        std=tiles.std,
        source=f"mosaics of {tiles.source}",
    )


def mosaic_auroc(maps: Float[Tensor, "N D h w"]) -> float:
    """Mean `locality_auroc` over mosaics and their four quadrants: does a cell find its own picture?"""
    height, width = maps.shape[2:]
    values = []
    for cells in maps:
        rows = cells.flatten(1).T.contiguous().float().cpu()
        for down in (slice(0, height // 2), slice(height // 2, None)):
            for across in (slice(0, width // 2), slice(width // 2, None)):
                mask = torch.zeros(height, width, dtype=torch.bool)
                mask[down, across] = True
                values.append(measures.locality_auroc(rows, mask))
    return statistics.fmean(values)


def watch(images: Images, *, every: int = 1) -> Observer:
    """An observer that adds `auroc` and `seed` of `scores` to the history at the end of every `every`-th epoch, and before training."""

    def look(moment: Moment) -> dict[str, float] | None:
        if not moment.epoch_end or moment.epoch % every:
            return None
        with at_rest(moment.method):
            device = next(moment.method.parameters()).device
            found = scores(moment.method.encoder.feature_map(images.to(device).as_float()).float().cpu(), images)
        return {"auroc": found["auroc"], "seed": found["seed"]}

    return look
