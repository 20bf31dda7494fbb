"""Exercises of notebook 03: positives that compete with positives, negatives that compete with negatives, and where a push turns round."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import attraction_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def attraction(views: Tensor, t_pos: float = 1.0) -> Tensor:
    """Mean weighted cost of each view to the V - 1 other views of its image; views is (V, N, D) with rows of any length."""
    z = F.normalize(views, dim=2)
    cost = (z[:, None] - z[None]).square().sum(dim=3)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    scores = (t_pos * cost).masked_fill(itself[:, :, None], -math.inf)
    weight = scores.softmax(dim=1)
    return (weight * cost).sum(dim=1).mean()


def repulsion(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    """Minus the mean weighted cost of each anchor x[i] to the views y[j] of the other images; x and y are (N, D)."""
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    cost = 2 - 2 * x @ y.T
    itself = torch.eye(len(x), dtype=torch.bool, device=x.device)
    weight = (-t_neg * cost).masked_fill(itself, -math.inf).softmax(dim=1)
    return -(weight * cost).sum(dim=1).mean()


def push_slopes(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    """Derivative of the repulsion of one anchor by each of its M costs (M,), the weights' own change included."""
    weight = (-t_neg * cost).softmax(dim=0)
    mean = (weight * cost).sum()
    return -weight * (1 - t_neg * (cost - mean))


def _views() -> Sequence[Case]:
    base, noise = seeded(1, 5, 3, seed=1), seeded(3, 5, 3, seed=2)
    return (
        Case("3 views of 5 images, t = 1", (base + 0.5 * noise,), {"t_pos": 1.0}),
        Case("3 unrelated views, t = 2", (noise,), {"t_pos": 2.0}),
        Case("4 views of length 20 of 4 images, t = 0.5", (20 * seeded(4, 4, 6, seed=3),), {"t_pos": 0.5}),
        Case("a large t = 100", (noise,), {"t_pos": 100.0}),
    )


def _pairs() -> Sequence[Case]:
    one, two = seeded(6, 3, seed=1), seeded(6, 3, seed=2)
    near = one + 0.3 * two
    return (
        Case("6 images whose views differ a little, t = 2", (one, near), {"t_neg": 2.0}),
        Case("6 images with unrelated views, t = 0.9", (one, two), {"t_neg": 0.9}),
        Case("5 images, embeddings of length 20, t = 2", (20 * seeded(5, 4, seed=3), 20 * seeded(5, 4, seed=4)), {"t_neg": 2.0}),
        Case("a large t = 100", (one, near), {"t_neg": 100.0}),
    )


def _costs() -> Sequence[Case]:
    angles = torch.tensor([0.3, 1.2, 3.1])
    return (
        Case("negatives at 0.3, 1.2 and 3.1 radians, t = 2", (2 - 2 * angles.cos(),), {"t_neg": 2.0}),
        Case("five costs, t = 0.5", (torch.tensor([0.2, 1.1, 1.9, 2.4, 3.8]),), {"t_neg": 0.5}),
        Case("equal costs, t = 2", (torch.full((4,), 1.5),), {"t_neg": 2.0}),
    )


ATTRACTION = Exercise(
    name="attraction",
    title="Positives compete with positives",
    statement=r"""
`views` holds $V$ views of $N$ images. With the cost $c(a,b)=\lVert a-b\rVert_2^2$ of unit vectors, each view $z_{v,i}$
spreads its attention over the $V-1$ other views of the same image and pays the weighted cost:

$$\pi^+_{vui}=\frac{e^{\,t^+c(z_{v,i},z_{u,i})}}{\sum_{u'\ne v}e^{\,t^+c(z_{v,i},z_{u',i})}},\qquad
\mathcal L_{CA}=\frac1{VN}\sum_{v,i}\sum_{u\ne v}\pi^+_{vui}\,c(z_{v,i},z_{u,i}).$$

Note the plus: **far** positives weigh more. And $t^+$ multiplies.""",
    minutes=15,
    difficulty=3,
    hints=(
        "Compute all costs between views of the same image at once: a tensor of shape $(V,V,N)$, where axis 0 is the anchor's view and "
        "axis 1 the positive's.",
        "A view is not its own positive: put $-\\infty$ on the diagonal of the first two axes before the softmax over axis 1. The cost on "
        "that diagonal is 0, so it needs no mask.",
        "`(z[:, None] - z[None]).square().sum(dim=3)` has all costs; `torch.eye(V, dtype=torch.bool)[:, :, None]` is the mask; "
        "then `(weight * cost).sum(dim=1).mean()`.",
    ),
    solution=attraction,
    mistakes=wrong.ATTRACTION,
    gradient="same",
    cases=_views,
)

REPULSION = Exercise(
    name="repulsion",
    title="Negatives compete with negatives",
    statement=r"""
The anchors are the rows of one view, the negatives of anchor $i$ the rows $j\ne i$ of another.
Near negatives weigh more, and cost *lowers* the loss:

$$\pi^-_{ij}=\frac{e^{-t^-c(x_i,y_j)}}{\sum_{j'\ne i}e^{-t^-c(x_i,y_{j'})}},\qquad
\mathcal L_{CR}=-\frac1N\sum_i\sum_{j\ne i}\pi^-_{ij}\,c(x_i,y_j).$$

Both signs are minus now.""",
    minutes=10,
    difficulty=2,
    hints=(
        "An $N\\times N$ matrix of costs, a softmax along each row, a weighted sum, a mean, a minus.",
        "On the unit sphere $c=2-2\\cos$. The diagonal holds the twin, which is no negative: mask the *scores* with $-\\infty$. Never "
        "multiply an infinite *cost* by a weight of 0: that is not a number.",
        "`weight = (-t_neg * cost).masked_fill(itself, -math.inf).softmax(dim=1)`, and the loss is `-(weight * cost).sum(dim=1).mean()`.",
    ),
    solution=repulsion,
    mistakes=wrong.REPULSION,
    gradient="same",
    cases=_pairs,
)

PUSH_SLOPES = Exercise(
    name="push_slopes",
    title="Where the push turns round",
    statement=r"""
One anchor has the costs $c_1,\dots,c_M$ to its negatives, and $r=-\sum_j\pi_jc_j$ with $\pi=\mathrm{softmax}(-t^-c)$.
The weights depend on the costs too. Derive and return all $\partial r/\partial c_j$ (no autograd).
With $\bar c=\sum_j\pi_jc_j$ the answer has the form $-\pi_j[\,\dots]$.""",
    minutes=15,
    difficulty=3,
    hints=(
        "Product rule: $\\partial r/\\partial c_j=-\\pi_j-\\sum_k c_k\\,\\partial\\pi_k/\\partial c_j$.",
        "The softmax of $-t\\,c$ has $\\partial\\pi_k/\\partial c_j=-t\\,\\pi_k(\\delta_{kj}-\\pi_j)$.",
        "The sum becomes $-t\\,\\pi_j(c_j-\\bar c)$, so the answer is $-\\pi_j\\,[1-t\\,(c_j-\\bar c)]$.",
    ),
    solution=push_slopes,
    mistakes=wrong.PUSH_SLOPES,
    gradient="on paper",
    cases=_costs,
)

ALL = (ATTRACTION, REPULSION, PUSH_SLOPES)
