"""Exercises of notebook 11: similarity of cells, the score of a map, the mask from a threshold, and LOST's degrees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import object_locality_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def cell_similarity(cells: Tensor) -> Tensor:
    """(P, P) cosines between the P = H * W cells of one map (D, H, W), cells counted row by row."""
    rows = F.normalize(cells.flatten(1).T, dim=1)
    return rows @ rows.T


def query_auroc(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    """AUROC of one heat map (P,) against the object cells `inside` (P, bool), the query cell left out."""
    own = inside.clone()
    own[query] = False
    gap = heat[own][:, None] - heat[~inside][None, :]
    return (gap > 0).double().mean() + (gap == 0).double().mean() / 2


def threshold_iou(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    """IoU of the cells whose heat exceeds the threshold with the object cells `inside`; heat and inside are (P,)."""
    found = heat > threshold
    return (found & inside).sum() / (found | inside).sum()


def lost_degrees(cells: Tensor) -> Tensor:
    """For each of P cells, rows of (P, D), how many OTHER cells it correlates with positively once the mean cell is subtracted."""
    centred = cells - cells.mean(dim=0)
    positive = centred @ centred.T > 0
    return positive.sum(dim=1) - positive.diagonal().long()


def _maps() -> Sequence[Case]:
    return (
        Case("a map of 2 x 3 cells with 4 channels", (seeded(4, 2, 3, seed=1),), {}),
        Case("a map of 3 x 2 cells with 5 channels", (3 * seeded(5, 3, 2, seed=2) + 1,), {}),
        Case("a map of 4 x 4 cells, all positive as after a ReLU", (seeded(6, 4, 4, seed=3).abs(),), {}),
    )


def _heats() -> Sequence[Case]:
    heat = torch.tensor([1.0, 0.7, 0.2, 0.7, 0.4, 0.1, 0.9, 0.4])
    inside = torch.tensor([True, True, True, False, False, False, False, True])
    random = seeded(30, seed=4)
    return (
        Case("8 cells with ties, the query is cell 0", (heat, inside), {"query": 0}),
        Case("30 random cells, the query is cell 7", (random, torch.arange(30) % 4 == 3), {"query": 7}),
        Case("8 cells, the query is cell 7", (heat, inside), {"query": 7}),
    )


def _thresholds() -> Sequence[Case]:
    heat = torch.tensor([0.9, 0.8, 0.6, 0.5, 0.3, 0.2, 0.95, 0.1])
    inside = torch.tensor([True, True, False, True, True, False, False, False])
    return (
        Case("8 cells, one of them exactly at the threshold 0.5", (heat, inside), {"threshold": 0.5}),
        Case("8 cells, threshold 0.25", (heat, inside), {"threshold": 0.25}),
        Case("20 random cells, threshold 0", (seeded(20, seed=5), torch.arange(20) < 6), {"threshold": 0.0}),
    )


def _clouds() -> Sequence[Case]:
    around = seeded(8, 3, seed=7)
    return (
        Case("6 cells in 2 dimensions", (seeded(6, 2, seed=6),), {}),
        Case("8 cells far from the origin, as after a ReLU", (around + 4,), {}),
        Case("12 cells in 5 dimensions", (seeded(12, 5, seed=8).abs(),), {}),
    )


SIMILARITY = Exercise(
    name="cell_similarity",
    title="A map of similarities for every cell",
    statement=r"""
A convolutional network gives a map $F\in\mathbb R^{D\times H\times W}$: a vector $f_p$ of $D$ numbers for each of $P=HW$ cells.
Return all cosines

$$S_{qp}=\frac{f_q^\top f_p}{\lVert f_q\rVert\,\lVert f_p\rVert}\in\mathbb R^{P\times P}.$$

Row $q$, reshaped to $H\times W$, is the heat map of the query cell $q$. Count cells row by row: cell $(i,j)$ is number $iW+j$.""",
    minutes=8,
    difficulty=1,
    hints=(
        "Bring the map into a matrix with one row for each cell first: $P$ rows of $D$ numbers.",
        "`cells.flatten(1)` has shape (D, P) with the cells in the right order; its transpose has the rows. A `reshape` to (P, D) would "
        "mix channels and cells.",
        "`rows = F.normalize(cells.flatten(1).T, dim=1)`, and then one matrix product of `rows` with its transpose.",
    ),
    solution=cell_similarity,
    mistakes=wrong.SIMILARITY,
    gradient="none",
    cases=_maps,
)

AUROC = Exercise(
    name="query_auroc",
    title="Score a heat map without a threshold",
    statement=r"""
`heat` holds the similarity of every cell to the query, `inside` says which cells belong to the query's object. The area under the ROC curve
is a probability: take a random object cell (not the query itself) and a random background cell; how often is the object cell hotter?

$$\text{AUROC}=\frac{1}{|O|\,|B|}\sum_{o\in O}\sum_{b\in B}\Big([h_o>h_b]+\tfrac12[h_o=h_b]\Big).$$

$O$ are the cells of the object without $q$, $B$ those of the background. 0.5 is what a blind map gets, 1 a perfect one.""",
    minutes=12,
    difficulty=2,
    hints=(
        "You need the heat of the object cells but the query, and the heat of the background cells: two lists.",
        "All pairs at once: `heat[own][:, None] - heat[~inside][None, :]` is a matrix with one row for each object cell. Work on a copy of "
        "`inside` when you remove the query.",
        "The mean of `gap > 0` plus half the mean of `gap == 0`; turn the booleans into numbers with `.double()` first.",
    ),
    solution=query_auroc,
    mistakes=wrong.AUROC,
    gradient="none",
    cases=_heats,
)

IOU = Exercise(
    name="threshold_iou",
    title="From a heat map to a mask, and its IoU",
    statement=r"""
Cut the heat map at a threshold and compare the cells above it, $M=\{p: h_p>\theta\}$, with the object's cells $O$:

$$\text{IoU}=\frac{|M\cap O|}{|M\cup O|}.$$""",
    minutes=5,
    difficulty=1,
    hints=(
        "The threshold gives a boolean vector of the same length as `inside`.",
        "On boolean tensors `&` is the intersection and `|` the union; `.sum()` counts.",
        "`found = heat > threshold`, then the count of `found & inside` divided by the count of `found | inside`.",
    ),
    solution=threshold_iou,
    mistakes=wrong.IOU,
    gradient="none",
    cases=_thresholds,
)

DEGREES = Exercise(
    name="lost_degrees",
    title="Which cell has the fewest friends?",
    statement=r"""
LOST (Siméoni and others, 2021) finds an object without any mask and without any query. It bets that an object covers less of a picture
than its background: then a cell of the object correlates positively with *few* other cells. Features after a ReLU all correlate positively,
so subtract the mean cell first, $\tilde f_p=f_p-\frac1P\sum_r f_r$. The degree of cell $q$ is

$$d_q=\#\{p\ne q:\ \tilde f_q^\top\tilde f_p>0\}.$$

Return all $P$ degrees. The cell with the smallest is LOST's *seed*.""",
    minutes=8,
    difficulty=2,
    hints=(
        "Subtract the mean cell (the mean over rows) from every row, then make the matrix of all products.",
        "Count the positive entries of each row, but not the one on the diagonal: a cell always correlates with itself.",
        "`positive = centred @ centred.T > 0`; the answer is `positive.sum(dim=1)` less the diagonal, as whole numbers.",
    ),
    solution=lost_degrees,
    mistakes=wrong.DEGREES,
    gradient="none",
    cases=_clouds,
)

ALL = (SIMILARITY, AUROC, IOU, DEGREES)
