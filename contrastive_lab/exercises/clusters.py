"""Exercises of notebook 05: balanced codes, and the prediction of one view's code from the other view."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import clusters_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Codes (B, K) of B images over K prototypes from their cosines (B, K); each row sums to 1."""
    logs = scores / epsilon
    for _ in range(iterations):
        logs = logs - logs.logsumexp(dim=0, keepdim=True)  # every prototype gets the same mass
        logs = logs - logs.logsumexp(dim=1, keepdim=True)  # then every image spreads exactly 1
    return logs.exp()


def swapped_prediction(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    """Mean cross-entropy of each view's prediction with the other view's codes, which are constants; all four are (B, K)."""
    first = F.log_softmax(scores1 / temperature, dim=1)
    second = F.log_softmax(scores2 / temperature, dim=1)
    return -((codes1.detach() * second).sum(dim=1) + (codes2.detach() * first).sum(dim=1)).mean() / 2


def _cosines(count: int, prototypes: int, seed: int, lean: float | int = 0.0) -> Tensor:
    """Scores between unit vectors; with `lean` all images lie near one direction, so that some prototypes are everybody's favourite."""
    z = F.normalize(seeded(count, 8, seed=seed) + lean * seeded(1, 8, seed=seed + 50), dim=1)
    return z @ F.normalize(seeded(prototypes, 8, seed=seed + 100), dim=1).T


def _matrices() -> Sequence[Case]:
    return (
        Case("6 images, 4 prototypes, epsilon 0.2", (_cosines(6, 4, seed=1),), {"epsilon": 0.2, "iterations": 3}),
        Case("5 images with one favourite prototype, epsilon 0.1", (_cosines(5, 3, seed=2, lean=2.0),), {"epsilon": 0.1, "iterations": 3}),
        Case("one sweep only", (_cosines(6, 4, seed=3, lean=1.0),), {"epsilon": 0.1, "iterations": 1}),
        Case("a tiny epsilon of 0.005", (_cosines(4, 3, seed=4),), {"epsilon": 0.005, "iterations": 3}),
    )


def _swaps() -> Sequence[Case]:
    cases = []
    for title, count, prototypes, tau, seed in (
        ("6 images, 4 prototypes, temperature 0.1", 6, 4, 0.1, 5),
        ("4 images, 7 prototypes, temperature 0.5", 4, 7, 0.5, 6),
        ("8 images, 3 prototypes, temperature 1", 8, 3, 1.0, 7),
    ):
        scores = _cosines(count, prototypes, seed), _cosines(count, prototypes, seed + 20)
        codes = sinkhorn(scores[0], epsilon=0.2), sinkhorn(scores[1], epsilon=0.1)
        cases.append(Case(title, (*scores, *codes), {"temperature": tau}))
    return tuple(cases)


SINKHORN = Exercise(
    name="sinkhorn",
    title="Balanced codes in five lines",
    statement=r"""
Turn scores $S$ (images by prototypes) into codes $Q$ that use all prototypes equally. Start from $Q_{bk}=e^{S_{bk}/\varepsilon}$,
then repeat `iterations` times:

1. scale each **prototype** (a column of $Q$) so that all columns add up to the same number,
2. scale each **image** (a row) so that its masses add up to 1.

Return $Q$ as (B, K). Work with logarithms of the masses: dividing becomes subtracting, and nothing overflows.""",
    minutes=15,
    difficulty=2,
    hints=(
        "Keep `logs = scores / epsilon`. Dividing a column by its sum means subtracting the log of that sum, and the log of a sum of "
        "exponentials is `logsumexp`.",
        "Columns first: `logs - logs.logsumexp(dim=0, keepdim=True)`; dim 0 runs over the images. Then the rows with dim 1. "
        "Whether a column sums to 1 or to B / K doesn't matter, because the rows are scaled last.",
        "Both lines stand inside `for _ in range(iterations)`, and the function returns `logs.exp()`.",
    ),
    solution=sinkhorn,
    mistakes=wrong.SINKHORN,
    gradient="none",
    cases=_matrices,
)

SWAPPED_PREDICTION = Exercise(
    name="swapped_prediction",
    title="The swap",
    statement=r"""
Each view predicts the code of the *other* view. With $p_v=\operatorname{softmax}(S_v/\tau)$ over the prototypes,

$$\mathcal L=\frac1{2B}\sum_b\Big[-\sum_k q^{(1)}_{bk}\log p^{(2)}_{bk}-\sum_k q^{(2)}_{bk}\log p^{(1)}_{bk}\Big].$$

Sum over prototypes, mean over images, mean over the two directions. Codes are targets, that is constants: no gradient may reach them,
even where whoever calls the function forgot `no_grad`.""",
    minutes=10,
    difficulty=1,
    hints=(
        "A cross-entropy with soft targets: the code weighs the logarithms of the predicted probabilities.",
        "`F.log_softmax(scores / temperature, dim=1)` gives $\\log p$ for a whole view, one row for each image.",
        "`(codes1.detach() * second).sum(dim=1)` with `second` the log-softmax of view 2; add the other direction, take `.mean()`, "
        "halve it, and change the sign.",
    ),
    solution=swapped_prediction,
    mistakes=wrong.SWAPPED_PREDICTION,
    gradient="same",
    cases=_swaps,
)

ALL = (SINKHORN, SWAPPED_PREDICTION)
