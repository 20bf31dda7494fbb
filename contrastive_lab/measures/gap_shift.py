"""Closing or widening the modality gap by hand, and what retrieval makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, product_slices, unit_rows
from contrastive_lab.measures.inputs import points, same_shape

RECALL_AT = (1, 5)


@exact_arithmetic()
def shift_along_gap(
    x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], deltas: Iterable[float | int], *, sides: Literal["one", "two"] = "one"
) -> list[dict[str, float]]:
    """Move x against the gap by each delta (in units of the unit gap direction), normalise again, and measure.

    "one" moves x alone, "two" moves x and y by half of delta towards each other; the gap closes near delta = gap, not delta = 1.
    Each dictionary holds `delta`; the new `gap` (for "one" signed along the old direction, so that it turns negative beyond closure);
    `alignment` of the pairs; `recall_x_to_y@1`, `recall_y_to_x@1` and the same @5, shares in 0 ... 1 that depend on N (keep N = 500).
    A twin counts as found when fewer than K strangers are at least as similar. Liang et al. 2022 (arXiv:2203.02053), section 5.
    """
    if sides not in ("one", "two"):
        raise ValueError(f"sides is {sides!r}, but must be 'one' (x moves) or 'two' (both move by half)")
    steps = [float(delta) for delta in deltas]
    if not steps or not all(math.isfinite(delta) for delta in steps):
        raise ValueError(f"deltas is {steps}, but must hold at least one number, all finite")
    x, y = points("x", x, normalize=True), points("y", y, normalize=True)
    same_shape(x, y)
    x, y = unit_rows(x), unit_rows(y)
    offset = x.mean(dim=0) - y.mean(dim=0)
    if not float(torch.linalg.vector_norm(offset)) > 1e-12:
        raise ValueError("x and y have the same centroid, so there is no gap and no direction to shift along")
    axis = offset / torch.linalg.vector_norm(offset)
    moves = [(delta, 0.0) if sides == "one" else (delta / 2, delta / 2) for delta in steps]
    return _sweep(x, y, axis, steps, moves, signed=sides == "one")


def _sweep(
    x: Float64[Tensor, "N D"],
    y: Float64[Tensor, "N D"],
    axis: Float64[Tensor, "D"],
    steps: Sequence[float],
    moves: Sequence[tuple[float, float]],
    *,
    signed: bool,
) -> list[dict[str, float]]:
    on_x, on_y = x @ axis, y @ axis
    lengths_x = [_length_after(on_x, move, delta, "x") for delta, (move, _) in zip(steps, moves, strict=True)]
    lengths_y = [_length_after(on_y, -move, delta, "y") for delta, (_, move) in zip(steps, moves, strict=True)]
    ranks = _ranks(x, y, on_x, on_y, moves, lengths_x, lengths_y)
    table = []
    for number, (delta, (a, b)) in enumerate(zip(steps, moves, strict=True)):
        weight_x, weight_y = 1 / lengths_x[number], 1 / lengths_y[number]
        moved = (weight_x @ x - a * weight_x.sum() * axis - weight_y @ y - b * weight_y.sum() * axis) / len(x)
        gap = float(torch.linalg.vector_norm(moved))
        own = ((x * y).sum(dim=1) - a * on_y + b * on_x - a * b) * weight_x * weight_y
        row = {"delta": delta, "gap": math.copysign(gap, float(moved @ axis)) if signed else gap, "alignment": float((2 - 2 * own).mean())}
        for k in RECALL_AT:
            row[f"recall_x_to_y@{k}"] = float((ranks[number, 0] < k).double().mean())
            row[f"recall_y_to_x@{k}"] = float((ranks[number, 1] < k).double().mean())
        table.append(row)
    return table


def _length_after(along: Float64[Tensor, "N"], move: float, delta: float, name: str) -> Float64[Tensor, "N"]:
    """Norm of unit rows moved by -move along the axis, from their projections alone."""
    squared = 1 - 2 * move * along + move**2
    if not float(squared.min()) > 1e-24:
        raise ValueError(f"delta {delta} moves row {int(squared.argmin())} of {name} onto the origin, where it has no direction")
    return squared.sqrt()


def _ranks(
    x: Float64[Tensor, "N D"],
    y: Float64[Tensor, "N D"],
    on_x: Float64[Tensor, "N"],
    on_y: Float64[Tensor, "N"],
    moves: Sequence[tuple[float, float]],
    lengths_x: Sequence[Float64[Tensor, "N"]],
    lengths_y: Sequence[Float64[Tensor, "N"]],
) -> Int64[Tensor, "L 2 N"]:
    """How many strangers are at least as similar as the twin, for each move and both directions; cosines are multiplied out once.

    Within 1e-12 counts as equal, so that copies of the twin (repeated captions) are strangers on every machine.
    """
    ranks = torch.full((len(moves), 2, len(x)), -1, dtype=torch.int64, device=x.device)
    diagonal = (x * y).sum(dim=1)
    for part in product_slices(len(x), 4 * len(x), x.device):
        cosines = x[part] @ y.T
        for number, (a, b) in enumerate(moves):
            own = (diagonal - a * on_y + b * on_x - a * b) / lengths_x[number] / lengths_y[number] - 1e-12
            shifted = (cosines - a * on_y + b * on_x[part, None] - a * b) / lengths_x[number][part, None] / lengths_y[number]
            ranks[number, 0, part] += (shifted >= own[part, None]).sum(dim=1)
            ranks[number, 1] += (shifted >= own).sum(dim=0)
    return ranks
