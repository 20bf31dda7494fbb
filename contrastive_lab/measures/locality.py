"""Object locality: does a dense feature map know which of its cells belong together?

A network that only knows *where* a cell is scores above chance (receptive fields, zero padding): show the same number for random
weights and for raw colour beside it.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, product_slices, unit_rows, working_dtype
from contrastive_lab.measures.inputs import points


@exact_arithmetic()
def self_similarity(features: Float[Tensor, "*cells"]) -> Float[Tensor, "P P"]:
    """Cosine of every cell with every other, from (P, D) rows or one (D, H, W) map, row-major; row q is the heat map of query q.

    Enlarge this map for display (nearest), not the features.
    """
    if isinstance(features, Tensor) and features.ndim == 3:
        features = features.flatten(1).T
    features = points("features", features, at_least=1, normalize=True)
    unit = unit_rows(features)
    return (unit @ unit.T).to(working_dtype(features))


@exact_arithmetic()
def locality_auroc(features: Float[Tensor, "P D"], mask: Bool[Tensor, "H W"]) -> float:
    """How well similarity to one object cell ranks object before background: AUROC, mean over all object cells as queries.

    Each query is left out of its own ranking, ties count half; 0.5 is blind, 1 perfect.
    """
    unit, inside = _cells(features, mask)
    if int(inside.sum()) < 2 or bool(inside.all()):
        raise ValueError(f"mask has {int(inside.sum())} object cells of {inside.numel()}, but needs at least two, and background")
    queries = unit[inside]
    count, background = len(queries), int((~inside).sum())
    wins = torch.zeros((), dtype=torch.float64, device=unit.device)
    for part in product_slices(count, 4 * len(unit), unit.device):
        scores = _similarity(queries[part], unit)
        rivals = scores[:, ~inside].sort(dim=1).values
        own = scores[:, inside].contiguous()
        beaten = torch.searchsorted(rivals, own) + torch.searchsorted(rivals, own, right=True)
        itself = torch.arange(part.start, part.stop, device=unit.device)[:, None]
        wins += (beaten.sum() - beaten.gather(1, itself).sum()).double() / 2
    return float(wins) / (count * (count - 1) * background)


@exact_arithmetic()
def mask_iou(features: Float[Tensor, "P D"], mask: Bool[Tensor, "H W"], *, query: int, threshold: float | int) -> float:
    """Intersection over union of the cells more similar to cell `query` than `threshold` with the mask; the query counts as a cell."""
    unit, inside = _cells(features, mask)
    found = _heat(unit, inside, query) > threshold
    return float((found & inside).sum()) / float((found | inside).sum())


@exact_arithmetic()
def best_mask_iou(features: Float[Tensor, "P D"], mask: Bool[Tensor, "H W"], *, query: int) -> tuple[float, float]:
    """Largest `mask_iou` over all thresholds, and a threshold that reaches it. It looks at the mask: report it beside a fixed threshold."""
    unit, inside = _cells(features, mask)
    heat, order = _heat(unit, inside, query).sort(descending=True, stable=True)
    hits = inside[order].double().cumsum(dim=0)
    size = torch.arange(1, len(heat) + 1, dtype=torch.float64, device=heat.device)
    score = hits / (size + inside.sum() - hits)
    # A threshold can't part equal similarities: only the last cell of a tie ends a mask.
    lower = torch.cat([heat[1:], heat[-1:] - 1])
    score = torch.where(lower < heat, score, -1.0)
    best = int(score.argmax())
    return float(score[best]), float((heat[best] + lower[best]) / 2)


@exact_arithmetic()
def attention_mass_mask(attention: Float[Tensor, "H W"], *, keep: float | int = 0.6) -> Bool[Tensor, "H W"]:
    """Largest cells that together hold the share `keep` of the map's mass, the one that crosses it included; equal cells in reading order.

    As in DINO's visualize_attention (Caron et al. 2021, arXiv:2104.14294); one head at a time.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep is {keep}, but must be a share above 0 and at most 1")
    mass = points("attention", attention, at_least=1).flatten().double()
    if float(mass.min()) < 0 or not float(mass.sum()) > 0:
        raise ValueError(f"attention runs from {float(mass.min())} to {float(mass.max())}, but must be non-negative with some mass")
    ordered, order = mass.sort(descending=True, stable=True)
    before = ordered.cumsum(dim=0) - ordered
    # The margin keeps rounding of the sum from adding a cell to a share that is already complete.
    kept = torch.zeros_like(mass, dtype=torch.bool)
    kept[order] = before < (keep - 1e-6) * mass.sum()
    return kept.view(attention.shape).to(attention.device)


@exact_arithmetic()
def pointing_hit(heat: Float[Tensor, "H W"], mask: Bool[Tensor, "H W"]) -> bool:
    """Does the hottest cell (the first in reading order, if several) lie inside the mask?"""
    flat, inside = points("heat", heat, at_least=1), _inside(mask)
    if heat.shape != mask.shape:
        raise ValueError(f"heat has shape {tuple(heat.shape)} and mask {tuple(mask.shape)}; both must show the same cells")
    flat = flat.flatten()
    first = int((flat == flat.max()).nonzero()[0])
    return bool(inside[first])


def _cells(features: Tensor, mask: Tensor) -> tuple[Float64[Tensor, "P D"], Bool[Tensor, "P"]]:
    features, inside = points("features", features, at_least=1, normalize=True), _inside(mask)
    if len(features) != len(inside):
        raise ValueError(f"features has {len(features)} cells and mask {tuple(mask.shape)} = {len(inside)}; resize the mask to the map")
    return unit_rows(features), inside.to(features.device)


def _inside(mask: Tensor) -> Bool[Tensor, "P"]:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(f"mask has type {getattr(mask, 'dtype', type(mask).__name__)}, but must be a bool tensor; compare, as in mask > 0")
    if mask.ndim != 2 or not bool(mask.any()):
        raise ValueError(f"mask has shape {tuple(mask.shape)} and {int(mask.sum())} object cells, but must be (H, W) with at least one")
    return mask.flatten()


def _heat(unit: Float64[Tensor, "P D"], inside: Bool[Tensor, "P"], query: int) -> Float64[Tensor, "P"]:
    if isinstance(query, bool) or not isinstance(query, int) or not 0 <= query < len(unit):
        raise ValueError(f"query is {query}, but must be a cell index in 0 ... {len(unit) - 1}")
    return _similarity(unit[query : query + 1], unit)[0]


def _similarity(queries: Float64[Tensor, "Q D"], cells: Float64[Tensor, "P D"]) -> Float64[Tensor, "Q P"]:
    # Equal features must tie exactly, whatever order a matrix product adds in.
    return (queries @ cells.T).round(decimals=12)
