"""Exercises of notebook 09: count the directions of a cloud three ways."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from contrastive_lab.exercises import dimensional_collapse_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def participation_ratio(z: Tensor) -> Tensor:
    """Number of directions that the rows of z (N, D) use: squared sum over sum of squares of the covariance's eigenvalues."""
    centred = z - z.mean(dim=0)
    eigenvalues = torch.linalg.svdvals(centred).square() / (len(z) - 1)
    return eigenvalues.sum().square() / eigenvalues.square().sum()


def hill_number(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    """Hill number of order q >= 0 of positive eigenvalues (D)."""
    share = eigenvalues / eigenvalues.sum()
    if q == 1:
        return torch.exp(-(share * share.log()).sum())
    return share.pow(q).sum().pow(1 / (1 - q))


def rankme(z: Tensor) -> Tensor:
    """RankMe of the rows of z (N, D): exponential of the entropy of the singular values' shares, each raised by 1e-7."""
    singular = torch.linalg.svdvals(z)
    share = singular / singular.sum() + 1e-7
    return torch.exp(-(share * share.log()).sum())


def _clouds() -> Sequence[Case]:
    tilted = seeded(40, 4, seed=1) @ torch.diag(torch.tensor([3.0, 1.0, 0.5, 0.2])) @ seeded(4, 4, seed=2)
    return (
        Case("four points on a cross", (torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]),), {}),
        Case("40 points in 4 dimensions, far from the origin", (tilted + 5,), {}),
        Case("the same cloud at the origin, ten times as large", (10 * (tilted - tilted.mean(dim=0)),), {}),
        Case("30 points in 8 dimensions", (seeded(30, 8, seed=3) + 0.5,), {}),
    )


def _matrices() -> Sequence[Case]:
    dead = torch.tensor([1.0, 1.0, 1.0, 0.0])
    return (*_clouds(), Case("40 points whose last coordinate is dead", (seeded(40, 4, seed=5) * dead,), {}))


def _spectra() -> Sequence[Case]:
    steep = torch.arange(1, 13, dtype=torch.float32).pow(-1.5)
    return (
        Case("eigenvalues i^-1.5, q = 2", (steep,), {"q": 2.0}),
        Case("eigenvalues i^-1.5, q = 1", (steep,), {"q": 1.0}),
        Case("eigenvalues i^-1.5, q = 0", (steep,), {"q": 0.0}),
        Case("eigenvalues i^-1.5, q = 8", (steep,), {"q": 8.0}),
        Case("the same, three times as large, q = 0.5", (3 * steep,), {"q": 0.5}),
    )


PARTICIPATION_RATIO = Exercise(
    name="participation_ratio",
    title="How many directions?",
    statement=r"""
Let $\lambda_1\ge\dots\ge\lambda_D$ be the eigenvalues of the covariance of the rows of `z`, the variances along its principal
directions. Write

$$\mathrm{PR}=\frac{\big(\sum_i\lambda_i\big)^2}{\sum_i\lambda_i^2}=\frac1{\sum_ip_i^2},\qquad p_i=\frac{\lambda_i}{\sum_j\lambda_j}.$$

It is $D$ when all directions are equally wide and 1 when only one has any width.""",
    minutes=8,
    difficulty=1,
    hints=(
        "A covariance is taken around the mean: subtract it from every row first.",
        "The singular values of the centred rows, squared and divided by $N-1$, are the eigenvalues of the covariance. "
        "The factor cancels in the ratio.",
        "`torch.linalg.svdvals(centred).square()` gives them up to a factor; then the squared sum over the sum of squares.",
    ),
    solution=participation_ratio,
    mistakes=wrong.PARTICIPATION_RATIO,
    gradient="none",
    cases=_clouds,
)

HILL_NUMBER = Exercise(
    name="hill_number",
    title="One formula for the whole family",
    statement=r"""
The Hill number of order $q$ of shares $p_i=\lambda_i/\sum_j\lambda_j$ (ecologists count species with it) is

$$\mathrm{Hill}_q=\Big(\sum_ip_i^{\,q}\Big)^{\frac1{1-q}}\ (q\neq1),\qquad \mathrm{Hill}_1=e^{-\sum_ip_i\ln p_i}.$$

Write it for positive eigenvalues of any scale.""",
    minutes=8,
    difficulty=2,
    hints=(
        "First turn the eigenvalues into shares that add up to one.",
        "At $q=1$ the first formula has no value; the second is its limit. An `if` is the honest way.",
        "`share.pow(q).sum().pow(1 / (1 - q))`, and `torch.exp(-(share * share.log()).sum())` for $q=1$.",
    ),
    solution=hill_number,
    mistakes=wrong.HILL_NUMBER,
    gradient="none",
    cases=_spectra,
)

RANKME = Exercise(
    name="rankme",
    title="RankMe, the odd one",
    statement=r"""
Garrido and others (2023) use the singular values $\sigma_k$ of the matrix as it is, not centred and not squared:

$$s_k=\frac{\sigma_k}{\sum_j\sigma_j}+10^{-7},\qquad \mathrm{RankMe}=\exp\Big(-\sum_ks_k\ln s_k\Big).$$""",
    minutes=6,
    difficulty=1,
    hints=(
        "`torch.linalg.svdvals(z)` gives the singular values; nothing is subtracted from the rows.",
        "Shares are divided by the sum; the small constant is added to each share afterwards.",
        "The entropy is minus the sum of share times log share. The rank is its exponential.",
    ),
    solution=rankme,
    mistakes=wrong.RANKME,
    gradient="none",
    cases=_matrices,
)

ALL = (PARTICIPATION_RATIO, HILL_NUMBER, RANKME)
