"""Exercises of notebook 06: which cells of two crops show the same place, the loss that makes them agree, and pixel propagation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import pixels_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def positive_mask(boxes1: Tensor, boxes2: Tensor, side: int = 4, threshold: float = 0.7) -> Tensor:
    """(N, side², side²) booleans: does cell i of crop 1 show the same place as cell j of crop 2? Boxes (N, 4) are x1, y1, x2, y2."""
    steps = (torch.arange(side) + 0.5) / side
    centres, diagonals = [], []
    for boxes in (boxes1, boxes2):
        x1, y1, x2, y2 = boxes.T[:, :, None]
        x, y = x1 + (x2 - x1) * steps, y1 + (y2 - y1) * steps
        centres.append(torch.stack([x.repeat(1, side), y.repeat_interleave(side, dim=1)], dim=-1))
        diagonals.append(torch.hypot(x2 - x1, y2 - y1) / side)
    distance = (centres[0][:, :, None] - centres[1][:, None]).norm(dim=-1)
    return distance / torch.maximum(*diagonals)[:, None] < threshold


def pixel_consistency(y: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    """Minus the mean cosine of matched cells, averaged over images; y and k (a constant) are (N, P, C), mask (N, P, P) is boolean."""
    cosines = F.normalize(y, dim=2) @ F.normalize(k.detach(), dim=2).transpose(1, 2)
    matched = (cosines * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp_min(1)
    return -matched.mean()


def propagate(x: Tensor, gamma: float = 2.0) -> Tensor:
    """Smoothed cells (N, P, C) of cells x (N, P, C): sums of unit cells, weighted by positive cosine to the power gamma."""
    unit = F.normalize(x, dim=2)
    weights = (unit @ unit.transpose(1, 2)).clamp_min(0) ** gamma
    return weights @ unit


def _crops() -> Sequence[Case]:
    def boxes(*rows: tuple[float, ...]) -> Tensor:
        return torch.tensor(rows)

    plain = boxes((0.0, 0.0, 1.0, 1.0), (0.1, 0.2, 0.7, 0.9)), boxes((0.0, 0.0, 1.0, 1.0), (0.3, 0.1, 0.95, 0.65))
    mirrored = boxes((0.0, 0.0, 1.0, 1.0), (0.8, 0.1, 0.2, 0.6)), boxes((1.0, 0.0, 0.0, 1.0), (0.35, 0.2, 0.9, 0.8))
    zoomed = boxes((0.05, 0.1, 0.95, 0.9)), boxes((0.42, 0.3, 0.7, 0.62))
    apart = boxes((0.0, 0.0, 0.3, 0.3), (0.0, 0.5, 0.6, 1.0)), boxes((0.6, 0.6, 1.0, 1.0), (0.3, 0.4, 0.8, 0.7))
    return (
        Case("two pairs of crops, 4 x 4 cells", plain, {"side": 4, "threshold": 0.7}),
        Case("mirrored crops, 3 x 3 cells", mirrored, {"side": 3, "threshold": 0.7}),
        Case("a small crop inside a large one, 4 x 4 cells", zoomed, {"side": 4, "threshold": 0.7}),
        Case("crops far apart, and crops side by side, threshold 1.5", apart, {"side": 3, "threshold": 1.5}),
    )


def _cells() -> Sequence[Case]:
    draw = torch.Generator().manual_seed(3)
    some = torch.rand(3, 5, 5, generator=draw) < 0.3
    uneven = torch.rand(3, 5, 5, generator=draw) < torch.tensor([0.1, 0.5, 0.9])[:, None, None]
    none = some.clone()
    none[1] = False
    return (
        Case("3 images of 5 cells in 4 dimensions", (seeded(3, 5, 4, seed=1), seeded(3, 5, 4, seed=2), some), {}),
        Case("images with few and with many matches", (seeded(3, 5, 4, seed=3), seeded(3, 5, 4, seed=4), uneven), {}),
        Case("one image whose crops don't overlap", (seeded(3, 5, 4, seed=5), seeded(3, 5, 4, seed=6), none), {}),
    )


def _maps() -> Sequence[Case]:
    lengths = torch.tensor([0.5, 1.0, 2.0, 3.0, 1.5])[:, None]
    return (
        Case("2 maps of 5 cells in 4 dimensions, gamma 2", (seeded(2, 5, 4, seed=7),), {"gamma": 2.0}),
        Case("cells of different lengths, gamma 1", (lengths * seeded(1, 5, 3, seed=8),), {"gamma": 1.0}),
        Case("gamma 4", (seeded(1, 6, 3, seed=9),), {"gamma": 4.0}),
    )


POSITIVE_MASK = Exercise(
    name="positive_mask",
    title="Which cells show the same place?",
    statement=r"""
A crop with box $(x_1,y_1,x_2,y_2)$ is cut into `side` $\times$ `side` cells of size $b_x=(x_2-x_1)/\text{side}$ and $b_y$. The cell in row
$r$, column $c$ has its centre at $x_1+(c+\tfrac12)b_x$, $y_1+(r+\tfrac12)b_y$ and the number $r\cdot\text{side}+c$. Cells $i$ of crop 1 and
$j$ of crop 2 are a positive pair if

$$\frac{\lVert\text{centre}_i-\text{centre}_j\rVert_2}{\max(\delta_1,\delta_2)}<T,\qquad\delta=\sqrt{b_x^2+b_y^2}.$$

Mirrored crops have $x_1>x_2$; the formula needs no change for them.""",
    minutes=20,
    difficulty=3,
    hints=(
        "First the centres of one crop: `steps = (torch.arange(side) + 0.5) / side` are those of its cells, in units of the box.",
        "`x = x1 + (x2 - x1) * steps` has one value for each column, `y` one for each row. Row by row means that x is repeated as a whole "
        "(`repeat`) and every y stands `side` times in a row (`repeat_interleave`).",
        "All distances at once: `(a[:, :, None] - b[:, None]).norm(dim=-1)` is (N, P, P). Divide by the larger of the two diagonals of "
        "each image pair, `torch.maximum`, and compare.",
    ),
    solution=positive_mask,
    mistakes=wrong.POSITIVE_MASK,
    gradient="none",
    cases=_crops,
)

PIXEL_CONSISTENCY = Exercise(
    name="pixel_consistency",
    title="Matched cells must agree",
    statement=r"""
One direction of PixPro's loss, with $A$ the mask of positive pairs and $\langle\cdot,\cdot\rangle$ the cosine:

$$\mathcal L=-\frac1N\sum_n\frac{\sum_{ij}A_n(i,j)\,\langle y_{n,i},k_{n,j}\rangle}{\sum_{ij}A_n(i,j)}$$

An image pair without any positive counts as 0, and still counts in $N$. The cells $k$ come from the momentum twin: no gradient may
reach them.""",
    minutes=10,
    difficulty=2,
    hints=(
        "Normalise the cells over their channels (the last axis), those of the twin as `k.detach()`; then a batched matrix product gives "
        "all cosines, (N, P, P).",
        "Multiply the cosines with the mask and add up over both cell axes; divide by how many entries of the mask are true.",
        "`mask.sum(dim=(1, 2)).clamp_min(1)` keeps an image without positives from dividing by 0. Last comes minus the mean over images.",
    ),
    solution=pixel_consistency,
    mistakes=wrong.PIXEL_CONSISTENCY,
    gradient="same",
    cases=_cells,
)

PROPAGATE = Exercise(
    name="propagate",
    title="Pixel propagation",
    statement=r"""
Every cell becomes a weighted sum over *all* cells of its own map (itself included), with $\hat x=x/\lVert x\rVert$:

$$y_i=\sum_j\max(\hat x_i^\top\hat x_j,\,0)^{\gamma}\;\hat x_j$$

(PixPro puts a linear map before the second $\hat x_j$; here it is left out.)""",
    minutes=5,
    difficulty=1,
    hints=(
        "Two matrix products: cells with cells, then weights with cells.",
        "Clamp the cosines at 0 before the power: cells that point away must get no weight.",
        "`weights = (unit @ unit.transpose(1, 2)).clamp_min(0) ** gamma`, then `weights @ unit`.",
    ),
    solution=propagate,
    mistakes=wrong.PROPAGATE,
    gradient="same",
    cases=_maps,
)

ALL = (POSITIVE_MASK, PIXEL_CONSISTENCY, PROPAGATE)
