"""Exercises of notebook 01: the loss, its two forces, and the identity that ties them together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import two_forces_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def info_nce(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    """NT-Xent of two views of the same N images, both (N, D) with rows of any length."""
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    scores = z @ z.T / temperature
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    scores = scores.masked_fill(itself, -math.inf)
    twin = torch.arange(len(z), device=z.device).roll(len(z1))
    return F.cross_entropy(scores, twin)


def alignment(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared distance on the unit sphere between x[i] and y[i], both (N, D)."""
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    return (x - y).square().sum(dim=1).mean()


def uniformity(x: Tensor, t: float = 2.0) -> Tensor:
    """Log of the mean of exp(-t * squared distance) over all pairs of different rows of x (N, D)."""
    x = F.normalize(x, dim=1)
    distance = torch.cdist(x, x)
    first, second = torch.triu_indices(len(x), len(x), offset=1)
    potential = -t * distance[first, second].square()
    return potential.logsumexp(dim=0) - math.log(len(first))


def recombine(align: Tensor, uniform: Tensor, candidates: Tensor, temperature: float = 0.5) -> Tensor:
    """InfoNCE from alignment, uniformity at t = 1 / (2 temperature) and the number of candidates."""
    return align / (2 * temperature) + uniform + candidates.log()


def _pairs() -> Sequence[Case]:
    one, two = seeded(6, 3, seed=1), seeded(6, 3, seed=2)
    near = one + 0.3 * two
    return (
        Case("6 images whose views differ a little, temperature 0.5", (one, near), {"temperature": 0.5}),
        Case("6 images with unrelated views, temperature 0.2", (one, two), {"temperature": 0.2}),
        Case("2 images in 2 dimensions, temperature 1", (seeded(2, 2, seed=3), seeded(2, 2, seed=4)), {"temperature": 1.0}),
        Case("embeddings of length 20, temperature 0.5", (20 * one, 20 * near), {"temperature": 0.5}),
        Case("a very small temperature of 0.01", (one, near), {"temperature": 0.01}),
    )


def _aligned() -> Sequence[Case]:
    one, two = seeded(6, 3, seed=1), seeded(6, 3, seed=2)
    return (
        Case("6 pairs that lie near each other", (one, one + 0.3 * two), {}),
        Case("6 unrelated pairs", (one, two), {}),
        Case("5 pairs in 8 dimensions", (seeded(5, 8, seed=3), seeded(5, 8, seed=4)), {}),
    )


def _clouds() -> Sequence[Case]:
    return (
        Case("6 points on the sphere, t = 2", (seeded(6, 3, seed=1),), {"t": 2.0}),
        Case("4 points on the circle, t = 0.5", (seeded(4, 2, seed=2),), {"t": 0.5}),
        Case("7 points in 16 dimensions, t = 2", (5 * seeded(7, 16, seed=3),), {"t": 2.0}),
        Case("a narrow kernel, t = 80", (seeded(6, 3, seed=1),), {"t": 80.0}),
    )


def _terms() -> Sequence[Case]:
    rows = ((0.4, -2.5, 255.0, 0.2), (0.1, -0.9, 511.0, 0.5), (1.2, -3.1, 30.0, 1.0))
    return tuple(
        Case(
            f"alignment {a}, uniformity {u}, {n:.0f} candidates, temperature {tau}",
            tuple(map(torch.tensor, (a, u, n))),
            {"temperature": tau},
        )
        for a, u, n, tau in rows
    )


INFO_NCE = Exercise(
    name="info_nce",
    title="InfoNCE in about six lines",
    statement=r"""
Write the loss of SimCLR. Stack both views into $2N$ rows, make them unit vectors $z_a$, and for each anchor $a$ with twin $p(a)$ compute

$$\ell_a=-\frac{z_a^\top z_{p(a)}}{\tau}+\log\sum_{b\ne a}e^{z_a^\top z_b/\tau},\qquad \mathcal L=\frac1{2N}\sum_a\ell_a .$$

The sum runs over all rows but the anchor itself; the twin stays in it.""",
    minutes=15,
    difficulty=2,
    hints=(
        "Compute one $2N\\times2N$ matrix of all cosines divided by $\\tau$. Row $a$ holds the scores of anchor $a$: the loss is a "
        "classification of each row, and the right class is the column of the twin.",
        "Put $-\\infty$ on the diagonal (`masked_fill` with a boolean `torch.eye`), so that no anchor can choose itself. The twin of row "
        "$a$ is row $a+N$, counted modulo $2N$.",
        "`F.cross_entropy(scores, twin)` is `-scores[a, twin[a]] + logsumexp(scores[a])`, averaged over the rows: exactly the formula, and "
        "it never overflows. `torch.arange(2 * N).roll(N)` lists the twins.",
    ),
    solution=info_nce,
    mistakes=wrong.INFO_NCE,
    gradient="same",
    cases=_pairs,
)

ALIGNMENT = Exercise(
    name="alignment",
    title="Measure the pull",
    statement=r"""
$$\mathcal L_\text{align}=\frac1N\sum_i\lVert\hat x_i-\hat y_i\rVert_2^2,\qquad \hat x=\frac{x}{\lVert x\rVert_2}.$$

It is 0 when both views of every image coincide, and 4 when they are opposite.""",
    minutes=5,
    difficulty=1,
    hints=(
        "Normalise the rows first: the measure is about directions, not lengths.",
        "The squared distance of one pair is a sum over the $D$ coordinates; only then comes the mean over the $N$ pairs.",
        "`(x - y).square().sum(dim=1).mean()` after `F.normalize(x, dim=1)` and the same for `y`.",
    ),
    solution=alignment,
    mistakes=wrong.ALIGNMENT,
    gradient="same",
    cases=_aligned,
)

UNIFORMITY = Exercise(
    name="uniformity",
    title="Measure the push",
    statement=r"""
$$\mathcal L_\text{unif}(t)=\log\frac{2}{N(N-1)}\sum_{i<j}e^{-t\lVert\hat x_i-\hat x_j\rVert_2^2}$$

Each point carries a bump of width $1/\sqrt t$; the measure is the log of how much the bumps of *different* points overlap. It is 0 when
all points coincide and falls as they spread.""",
    minutes=10,
    difficulty=2,
    hints=(
        "Every unordered pair of different rows counts once. A point's distance to itself is 0 and must not enter.",
        "`torch.cdist(x, x)` gives all distances, `torch.triu_indices(N, N, offset=1)` the pairs $i<j$. "
        "The logarithm comes last, after the mean.",
        "The log of a mean of exponentials is `logsumexp(...) - math.log(number of pairs)`; that also survives a large $t$.",
    ),
    solution=uniformity,
    mistakes=wrong.UNIFORMITY,
    gradient="same",
    cases=_clouds,
)

RECOMBINE = Exercise(
    name="recombine",
    title="Put the loss back together",
    statement=r"""
On the unit sphere $z^\top z'=1-\tfrac12\lVert z-z'\rVert^2$. Put this into both halves of InfoNCE and replace the sum over $M$ candidates
by $M$ times their mean. Return the result in terms of `align` $=\mathcal L_\text{align}$, `uniform` $=\mathcal L_\text{unif}(t)$ at
$t=\frac1{2\tau}$, and `candidates` $=M$ (a tensor, so use `.log()`).""",
    minutes=10,
    difficulty=2,
    hints=(
        "Do the two halves one after the other: $-z_a^\\top z_{p(a)}/\\tau$ first. Its mean contains the alignment and a constant.",
        "$-\\frac1\\tau\\overline{z^\\top z^+}=-\\frac1\\tau+\\frac{1}{2\\tau}\\mathcal L_\\text{align}$. In the other half, "
        "$e^{z^\\top z'/\\tau}=e^{1/\\tau}\\,e^{-\\lVert z-z'\\rVert^2/(2\\tau)}$.",
        "The constants $-1/\\tau$ and $+1/\\tau$ cancel. What is left of the second half is $\\log M$ "
        "plus the uniformity with $t=1/(2\\tau)$.",
    ),
    solution=recombine,
    mistakes=wrong.RECOMBINE,
    gradient="none",
    cases=_terms,
)

ALL = (INFO_NCE, ALIGNMENT, UNIFORMITY, RECOMBINE)
