"""Exercises of notebook 12: an honest comparison of two methods, and the loss of a method of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import comparison_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def paired_difference(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean and standard error of the seed-by-seed differences ours - theirs, as a tensor of two numbers."""
    differences = ours - theirs
    return torch.stack([differences.mean(), differences.std() / len(differences) ** 0.5])


def two_forces(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    """Alignment of the pairs plus `weight` times the uniformity at `t`, averaged over both views; rows of any length."""
    z1, z2 = F.normalize(z1, dim=1), F.normalize(z2, dim=1)
    alignment = (z1 - z2).square().sum(dim=1).mean()
    uniformity = sum(torch.pdist(z).square().mul(-t).exp().mean().log() for z in (z1, z2)) / 2
    return alignment + weight * uniformity


def _scores() -> Sequence[Case]:
    return (
        Case("three seeds", (torch.tensor([0.62, 0.58, 0.66]), torch.tensor([0.60, 0.57, 0.63])), {}),
        Case(
            "five seeds that differ much, but together",
            (torch.tensor([0.4, 0.5, 0.6, 0.7, 0.9]), torch.tensor([0.42, 0.51, 0.58, 0.73, 0.88])),
            {},
        ),
        Case("four seeds, the other sign", (torch.tensor([0.1, 0.3, 0.2, 0.25]), torch.tensor([0.2, 0.5, 0.1, 0.35])), {}),
    )


def _pairs() -> Sequence[Case]:
    one, noise = seeded(8, 5, seed=1), seeded(8, 5, seed=2)
    return (
        Case("8 images whose views differ a little", (one, one + 0.3 * noise), {"weight": 1.0, "t": 2.0}),
        Case("unrelated views, more weight on uniformity", (one, noise), {"weight": 3.0, "t": 2.0}),
        Case("embeddings of length 20, a narrow kernel", (20 * one, 20 * (one + noise)), {"weight": 0.5, "t": 5.0}),
    )


PAIRED_DIFFERENCE = Exercise(
    name="paired_difference",
    title="Is A better than B?",
    statement=r"""
Two methods were trained with the same seeds $s=1,\dots,n$: the same images in the same order, the same first weights. With the
differences $d_s=a_s-b_s$ return their mean $\bar d$ and its **standard error**

$$\mathrm{SE}=\frac1{\sqrt n}\sqrt{\frac1{n-1}\sum_s(d_s-\bar d)^2},$$

stacked in a tensor of two numbers.""",
    minutes=5,
    difficulty=1,
    hints=(
        "Subtract first. Everything else is about the differences.",
        "The standard error is the standard deviation of the differences divided by the root of how many there are.",
        "`torch.std` divides by n - 1 by default, which is right; `torch.stack([a, b])` makes one tensor of two numbers.",
    ),
    solution=paired_difference,
    mistakes=wrong.PAIRED_DIFFERENCE,
    gradient="none",
    cases=_scores,
)

TWO_FORCES = Exercise(
    name="two_forces",
    title="A loss of your own",
    statement=r"""
Notebook 01 took InfoNCE apart. Put a loss together yourself: pull twins together, push the images of **each view** apart, and let a
weight $w$ say how much the second counts.

$$\mathcal L=\frac1N\sum_i\lVert z^1_i-z^2_i\rVert^2+\frac w2\sum_{v=1,2}\log\frac{2}{N(N-1)}\sum_{i<j}e^{-t\lVert z^v_i-z^v_j\rVert^2}$$

on unit vectors. Every pair $i<j$ counts once, and no vector is compared with itself.""",
    minutes=10,
    difficulty=2,
    hints=(
        "You wrote both halves in notebook 01. What is new is that both views are pushed apart, each for itself.",
        "`torch.pdist(z)` has the distances of all pairs i < j, no more and no less. Mind the square; the mean is inside the logarithm.",
        "`torch.pdist(z).square().mul(-t).exp().mean().log()` for each view; average the two, multiply by the weight, add the alignment.",
    ),
    solution=two_forces,
    mistakes=wrong.TWO_FORCES,
    gradient="same",
    cases=_pairs,
)

ALL = (PAIRED_DIFFERENCE, TWO_FORCES)
