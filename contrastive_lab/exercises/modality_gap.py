"""Exercises of notebook 10: CLIP's loss, the gap between two modalities, and closing it by hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import modality_gap_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def clip_loss(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    """Symmetric InfoNCE of N images and their N texts, both (N, D) with rows of any length; text i belongs to image i."""
    images, texts = F.normalize(images, dim=1), F.normalize(texts, dim=1)
    scores = images @ texts.T / temperature
    own = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


def modality_gap(x: Tensor, y: Tensor) -> Tensor:
    """Distance between the centroids of the unit vectors of two modalities, (N, D) and (M, D)."""
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    return (x.mean(dim=0) - y.mean(dim=0)).norm()


def close_gap(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    """Both modalities after each moved by half of `share` times the gap towards the other, unit vectors again: shape (2, N, D)."""
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    offset = x.mean(dim=0) - y.mean(dim=0)
    moved = torch.stack([x - share * offset / 2, y + share * offset / 2])
    return F.normalize(moved, dim=2)


def _batches() -> Sequence[Case]:
    one, two = seeded(6, 4, seed=1), seeded(6, 4, seed=2)
    near = one + 0.4 * two
    return (
        Case("6 pairs that lie near each other, temperature 0.5", (one, near), {"temperature": 0.5}),
        Case("6 unrelated pairs, temperature 0.2", (one, two), {"temperature": 0.2}),
        Case("2 pairs in 2 dimensions, temperature 1", (seeded(2, 2, seed=3), seeded(2, 2, seed=4)), {"temperature": 1.0}),
        Case("embeddings of length 20, temperature 0.5", (20 * one, 20 * near), {"temperature": 0.5}),
        Case("the smallest temperature CLIP allows, 0.01", (one, near), {"temperature": 0.01}),
    )


def _clouds() -> Sequence[Case]:
    shift = torch.tensor([1.5, 0.0, 0.0, -0.5])
    return (
        Case("two clouds of 8 points in 4 dimensions, apart", (seeded(8, 4, seed=1) + shift, seeded(8, 4, seed=2) - shift), {}),
        Case("two isotropic clouds", (seeded(8, 4, seed=3), seeded(8, 4, seed=4)), {}),
        Case("lengths between 1 and 30", (seeded(8, 4, seed=5) * torch.linspace(1, 30, 8)[:, None] + shift, seeded(8, 4, seed=6)), {}),
        Case("8 points and 5 points", (seeded(8, 4, seed=7) + shift, seeded(5, 4, seed=8)), {}),
    )


def _shifts() -> Sequence[Case]:
    shift = torch.tensor([1.0, 0.0, -0.5])
    x, y = seeded(5, 3, seed=1) + shift, seeded(5, 3, seed=2) - shift
    return (
        Case("the whole gap", (x, y), {"share": 1.0}),
        Case("half of the gap", (x, y), {"share": 0.5}),
        Case("apart by as much again", (3 * x, y), {"share": -1.0}),
    )


CLIP_LOSS = Exercise(
    name="clip_loss",
    title="CLIP's loss in four lines",
    statement=r"""
With unit vectors $x_i$ of images, $y_i$ of their texts and scores $s_{ij}=x_i^\top y_j/\tau$,

$$\mathcal L=\frac12\Big[\frac1N\sum_i\Big(-s_{ii}+\log\sum_j e^{s_{ij}}\Big)+\frac1N\sum_i\Big(-s_{ii}+\log\sum_j e^{s_{ji}}\Big)\Big].$$

Image $i$ must pick its text among all texts of the batch, and text $i$ its image among all images. No image meets another image.""",
    minutes=10,
    difficulty=1,
    hints=(
        "One $N\\times N$ matrix of cosines divided by $\\tau$ is enough: its rows are the images' choices, its columns the texts'.",
        "Both halves are classifications of the same matrix, once row by row and once column by column (`scores.T`). The right class of "
        "number $i$ is $i$ in both.",
        "`F.cross_entropy(scores, torch.arange(N))` is the first half; average it with the one of `scores.T`.",
    ),
    solution=clip_loss,
    mistakes=wrong.CLIP_LOSS,
    gradient="same",
    cases=_batches,
)

MODALITY_GAP = Exercise(
    name="modality_gap",
    title="Measure the gap",
    statement=r"""
$$\text{gap}=\Big\lVert\frac1N\sum_i\hat x_i-\frac1M\sum_j\hat y_j\Big\rVert_2,\qquad\hat x=\frac{x}{\lVert x\rVert_2}.$$

It lies between 0 (the centroids coincide) and 2 (two opposite points). The centroids are not normalised again.""",
    minutes=5,
    difficulty=1,
    hints=(
        "Every row becomes a unit vector; only then are the rows averaged.",
        "The mean over the rows (`dim=0`) is one vector for each modality. It is shorter than 1 unless all rows agree.",
        "`(x.mean(dim=0) - y.mean(dim=0)).norm()` after normalising the rows of both.",
    ),
    solution=modality_gap,
    mistakes=wrong.MODALITY_GAP,
    gradient="none",
    cases=_clouds,
)

CLOSE_GAP = Exercise(
    name="close_gap",
    title="Close it by hand",
    statement=r"""
Let $\Delta$ be the difference of the two centroids (images minus texts). Move every image by $-\tfrac s2\Delta$ and every text by
$+\tfrac s2\Delta$, and put each back on the unit sphere. Return both as one tensor of shape $(2,N,D)$, images first. $s=$ `share` is 1 for
the whole gap; negative values push the modalities apart.""",
    minutes=10,
    difficulty=2,
    hints=(
        "Work with unit vectors from the start: $\\Delta$ is the difference of the centroids of *unit* vectors.",
        "All images move by the same vector, all texts by its opposite. The moved vectors no longer have length 1.",
        "`torch.stack([x - share * offset / 2, y + share * offset / 2])`, then `F.normalize(..., dim=2)`.",
    ),
    solution=close_gap,
    mistakes=wrong.CLOSE_GAP,
    gradient="none",
    cases=_shifts,
)

ALL = (CLIP_LOSS, MODALITY_GAP, CLOSE_GAP)
