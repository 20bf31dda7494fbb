"""What goes wrong in the exercises of notebook 06, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Answer, Mistake

Reach = Callable[[Tensor, Tensor], Tensor]


def _grid(boxes: Tensor, side: int, *, shift: float = 0.5, by_column: bool = False) -> Tensor:
    steps = (torch.arange(side) + shift) / side
    x1, y1, x2, y2 = boxes.T[:, :, None]
    x, y = x1 + (x2 - x1) * steps, y1 + (y2 - y1) * steps
    if by_column:
        return torch.stack([x.repeat_interleave(side, dim=1), y.repeat(1, side)], dim=-1)
    return torch.stack([x.repeat(1, side), y.repeat_interleave(side, dim=1)], dim=-1)


def _diagonal(boxes: Tensor, side: int) -> Tensor:
    return torch.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / side


def _with(
    reach: Reach = torch.maximum, *, order: float = 2.0, shift: float = 0.5, by_column: bool = False, straight: bool = False
) -> Answer:
    """The right mask but for the named difference."""

    def answer(boxes1: Tensor, boxes2: Tensor, side: int = 4, threshold: float = 0.7) -> Tensor:
        if straight:
            boxes1, boxes2 = (
                torch.cat([torch.minimum(b[:, :2], b[:, 2:]), torch.maximum(b[:, :2], b[:, 2:])], 1) for b in (boxes1, boxes2)
            )
        one, two = (_grid(boxes, side, shift=shift, by_column=by_column) for boxes in (boxes1, boxes2))
        distance = torch.linalg.vector_norm(one[:, :, None] - two[:, None], ord=order, dim=-1)
        unit = reach(_diagonal(boxes1, side), _diagonal(boxes2, side))
        return distance / unit[:, None, None] < threshold

    return answer


def _scaled(*, side_of_crop: bool = False, squared: bool = False, one_unit: bool = False) -> Answer:
    """The right mask but for what is compared with the threshold."""

    def answer(boxes1: Tensor, boxes2: Tensor, side: int = 4, threshold: float = 0.7) -> Tensor:
        distance = (_grid(boxes1, side)[:, :, None] - _grid(boxes2, side)[:, None]).norm(dim=-1)
        unit = torch.maximum(_diagonal(boxes1, side), _diagonal(boxes2, side)) * (side if side_of_crop else 1)
        unit = unit.max() if one_unit else unit[:, None, None]
        return distance ** (2 if squared else 1) / unit < threshold

    return answer


def _too_far(boxes1: Tensor, boxes2: Tensor, side: int = 4, threshold: float = 0.7) -> Tensor:
    return ~torch.as_tensor(_with()(boxes1, boxes2, side, threshold))


def _both_squared(boxes1: Tensor, boxes2: Tensor, side: int = 4, threshold: float = 0.7) -> Tensor:
    return torch.as_tensor(_with()(boxes1, boxes2, side, math.sqrt(threshold)))


def _other_way_round(boxes1: Tensor, boxes2: Tensor, side: int = 4, threshold: float = 0.7) -> Tensor:
    return torch.as_tensor(_with()(boxes2, boxes1, side, threshold))


POSITIVE_MASK = (
    Mistake(
        "you undid the mirror",
        "A mirrored crop has x1 > x2 on purpose: its first column shows the right end. Don't sort the corners and don't take abs.",
        _with(straight=True),
    ),
    Mistake("cells are measured at their corners", "The centre of cell c is half a cell further: (c + 0.5) / side.", _with(shift=0.0)),
    Mistake(
        "the cells are numbered column by column",
        "Row by row: x runs fastest. Repeat x as a whole, and each y `side` times in a row.",
        _with(by_column=True),
    ),
    Mistake("you divided by the smaller diagonal", "Take the larger of the two cells' diagonals: torch.maximum.", _with(torch.minimum)),
    Mistake("you divided by the diagonal of crop 1 alone", "The unit is the larger diagonal of the pair.", _with(lambda one, two: one)),
    Mistake(
        "you divided by the mean diagonal",
        "Neither their mean: the larger of the two diagonals, torch.maximum, image pair by image pair.",
        _with(lambda one, two: (one + two) / 2),
    ),
    Mistake(
        "the distance has no unit",
        "Divide by the larger cell diagonal: otherwise 0.7 means 70 % of the image, and nearly all cells match.",
        _with(lambda one, two: torch.ones_like(one)),
    ),
    Mistake(
        "the unit is the diagonal of the image",
        "The unit is the diagonal of a cell, so that the mask means the same for every zoom.",
        _with(lambda one, two: torch.full_like(one, math.sqrt(2))),
    ),
    Mistake(
        "that is not the Euclidean distance",
        "Square the two differences, add, take the root (norm), instead of adding them.",
        _with(order=1.0),
    ),
    Mistake(
        "the unit is the diagonal of the crop",
        "Divide it by `side`: the unit is the diagonal of one cell, sqrt(b_x^2 + b_y^2).",
        _scaled(side_of_crop=True),
    ),
    Mistake("the distance is still squared", "Take the root of the sum of squares (norm does), then divide.", _scaled(squared=True)),
    Mistake(
        "the root is missing on both sides",
        "Squared distance over squared diagonal must be compared with the square of the threshold; or take both roots.",
        _both_squared,
    ),
    Mistake(
        "all images share one unit",
        "Each image pair has its own: the larger of its two cell diagonals. torch.maximum compares two tensors entry by entry.",
        _scaled(one_unit=True),
    ),
    Mistake(
        "that is the larger of the two differences",
        "Take the Euclidean distance: square both differences, add, take the root.",
        _with(order=math.inf),
    ),
    Mistake("you added the two diagonals", "The unit is the larger diagonal of the pair, not their sum: torch.maximum.", _with(torch.add)),
    Mistake("the comparison is the wrong way round", "Positives are near: distance < threshold.", _too_far),
    Mistake("rows and columns are exchanged", "Entry [n, i, j] belongs to cell i of crop 1 and cell j of crop 2.", _other_way_round),
)


def _cosines(y: Tensor, k: Tensor) -> Tensor:
    return F.normalize(y, dim=2) @ F.normalize(k, dim=2).transpose(1, 2)


def _mean(cosines: Tensor, mask: Tensor) -> Tensor:
    return -((cosines * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp_min(1)).mean()


def _pooled(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    return -(_cosines(y, k) * mask).sum() / mask.sum()


def _no_guard(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    return -((_cosines(y, k) * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2))).mean()


def _over_cells(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    cosines = F.normalize(y, dim=1) @ F.normalize(k, dim=1).transpose(1, 2)
    return _mean(cosines, mask)


def _cell_by_cell(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    each = (_cosines(y, k) * mask).sum(dim=2) / mask.sum(dim=2).clamp_min(1)
    return -(each.sum(dim=1) / mask.any(dim=2).sum(dim=1).clamp_min(1)).mean()


def _every_cell(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    return -((_cosines(y, k) * mask).sum(dim=2) / mask.sum(dim=2).clamp_min(1)).mean()


def _empty_left_out(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    some = mask.any(dim=2).any(dim=1)
    return _mean(_cosines(y, k)[some], mask[some])


def _one_minus(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    return -_mean(1 - _cosines(y, k), mask)


PIXEL_CONSISTENCY = (
    Mistake(
        "the cells are not normalised",
        "Cosines, not dot products: F.normalize(..., dim=2) first.",
        lambda y, k, mask: _mean(y @ k.transpose(1, 2), mask),
    ),
    Mistake("you normalised over the cells", "dim=1 are the cells; a cell's own vector lies along dim=2.", _over_cells),
    Mistake(
        "the sign is missing",
        "A loss must fall when matched cells agree: put a minus before the mean.",
        lambda y, k, mask: -_mean(_cosines(y, k), mask),
    ),
    Mistake(
        "you averaged over all pairs of cells",
        "Divide by the number of positives of each image, not by P * P.",
        lambda y, k, mask: -(_cosines(y, k) * mask).mean(),
    ),
    Mistake(
        "all images share one mean",
        "First the mean over the positives of each image, then the mean over images: otherwise pairs that overlap much decide alone.",
        _pooled,
    ),
    Mistake(
        "an image without positives gives 0 / 0", "Keep the divisor at 1 or more: .clamp_min(1). Such an image then counts as 0.", _no_guard
    ),
    Mistake(
        "you averaged cell by cell",
        "All positive pairs of an image count equally: one sum over i and j above the line, one below it, then divide.",
        _cell_by_cell,
    ),
    Mistake(
        "cells without a partner are counted",
        "They have no positive pair: divide by the number of positive pairs of the image, one sum over i and j.",
        _every_cell,
    ),
    Mistake("images without positives are left out", "They count as 0 and still count in N: keep them in the mean.", _empty_left_out),
    Mistake("that is one minus the cosine", "PixPro's loss is minus the cosine: -1 at best, not 0.", _one_minus),
    Mistake(
        "the mask is turned over",
        "Entry [n, i, j] of the mask belongs to cell i of y and cell j of k, as in y @ k.transpose(1, 2).",
        lambda y, k, mask: _mean(_cosines(y, k), mask.transpose(1, 2)),
    ),
    Mistake("you added up the images", "The loss is a mean over the N images.", lambda y, k, mask: len(y) * _mean(_cosines(y, k), mask)),
    Mistake(
        "only cells at the same index are compared",
        "The crops differ: cell i of view 1 may lie at cell j of view 2. Use the mask over all pairs.",
        lambda y, k, mask: -F.cosine_similarity(y, k, dim=2).mean(),
    ),
)


def _affinity(x: Tensor) -> tuple[Tensor, Tensor]:
    unit = F.normalize(x, dim=2)
    return unit, unit @ unit.transpose(1, 2)


def _no_clamp(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return cosine**gamma @ unit


def _no_power(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return cosine.clamp_min(0) @ unit


def _softmax(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return (gamma * cosine).softmax(dim=2) @ unit


def _divided(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    weights = cosine.clamp_min(0) ** gamma
    return weights / weights.sum(dim=2, keepdim=True) @ unit


def _without_itself(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return (cosine.clamp_min(0) ** gamma * (1 - torch.eye(x.shape[1]))) @ unit


def _raw_values(x: Tensor, gamma: float = 2.0) -> Tensor:
    _, cosine = _affinity(x)
    return cosine.clamp_min(0) ** gamma @ x


def _raw_cosines(x: Tensor, gamma: float = 2.0) -> Tensor:
    return (x @ x.transpose(1, 2)).clamp_min(0) ** gamma @ F.normalize(x, dim=2)


def _power_first(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return (cosine**gamma).clamp_min(0) @ unit


def _over_the_cells(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit = F.normalize(x, dim=1)
    return (unit @ unit.transpose(1, 2)).clamp_min(0) ** gamma @ unit


def _smoothed(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return cosine.clamp_min(0) ** gamma @ unit


def _times_gamma(x: Tensor, gamma: float = 2.0) -> Tensor:
    unit, cosine = _affinity(x)
    return gamma * cosine.clamp_min(0) @ unit


PROPAGATE = (
    Mistake(
        "the clamp comes after the power",
        "An even power has turned opposite cells into friends by then: .clamp_min(0) first, then the power.",
        _power_first,
    ),
    Mistake(
        "you normalised over the cells",
        "dim=1 are the cells (and what F.normalize takes unasked); a cell's own vector lies along dim=2.",
        _over_the_cells,
    ),
    Mistake("you multiplied by gamma", "Gamma is an exponent: weights = cosines ** gamma.", _times_gamma),
    Mistake(
        "the result is normalised",
        "Leave the sum as it is; the loss takes cosines and normalises by itself.",
        lambda x, gamma=2.0: F.normalize(_smoothed(x, gamma), dim=2),
    ),
    Mistake(
        "you took the mean over the cells",
        "The sum is not divided by the number of cells.",
        lambda x, gamma=2.0: _smoothed(x, gamma) / x.shape[1],
    ),
    Mistake(
        "negative cosines are not clamped", "An even power turns opposite cells into friends: .clamp_min(0) before the power.", _no_clamp
    ),
    Mistake("gamma is not used", "Raise the clamped cosine to the power gamma: it sharpens the weights.", _no_power),
    Mistake("that is a softmax", "The weights are a power of the cosine; PixPro has no softmax here.", _softmax),
    Mistake(
        "the weights are divided by their sum",
        "PixPro doesn't divide: the result is normalised to unit length in the loss anyway.",
        _divided,
    ),
    Mistake("the cell itself is left out", "The sum runs over all cells, j = i included; its weight is 1.", _without_itself),
    Mistake(
        "the summed cells are not normalised",
        "Sum the unit vectors, as the released code does; otherwise long cells speak louder.",
        _raw_values,
    ),
    Mistake("the similarities are not cosines", "Normalise the cells before comparing them: F.normalize(x, dim=2).", _raw_cosines),
)
