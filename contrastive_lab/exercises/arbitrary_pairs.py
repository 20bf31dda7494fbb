"""Exercises of notebook 08: similarity inside a gate, the loss of arbitrary pairs, and what gates say about classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import arbitrary_pairs_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def gated_similarity(z: Tensor, keys: Tensor, gate: Tensor) -> Tensor:
    """Cosines (B, M) of queries (B, D) and keys (M, D), both filtered by the query's gate (B, D)."""
    queries = F.normalize(gate * z, dim=1)
    filtered = F.normalize(gate[:, None] * keys, dim=2)
    return (queries[:, None] * filtered).sum(dim=2)


def pair_loss(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    """Mean over all positive entries of scores (B, B); labels (B,) are the classes of rows and columns, partners (B,) those wanted."""
    positive = labels == partners[:, None]
    negative = ~positive & (labels != labels[:, None])
    strangers = scores.masked_fill(~negative, -math.inf).logsumexp(dim=1, keepdim=True)
    terms = torch.logaddexp(scores, strangers) - scores
    return terms[positive].mean()


def class_relations(gates: Tensor) -> Tensor:
    """Cosines (C, C) between the gates of C classes (C, D), after taking away what all gates share."""
    own = F.normalize(gates - gates.mean(dim=0), dim=1)
    return own @ own.T


def _filters() -> Sequence[Case]:
    z, keys, gate = seeded(5, 4, seed=1), seeded(5, 4, seed=2), torch.rand(5, 4, generator=torch.Generator().manual_seed(3))
    hard = (gate > 0.4).float()
    return (
        Case("5 queries, 5 keys, soft gates", (z, keys, gate), {}),
        Case("gates that are open or closed", (z, keys, hard), {}),
        Case("open gates: plain cosines", (10 * z, keys, torch.ones(5, 4)), {}),
        Case(
            "the worked example", (torch.ones(2, 2), torch.tensor([[1.0, -0.9], [-1.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])), {}
        ),
    )


def _batches() -> Sequence[Case]:
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 3, 0])
    order = torch.tensor([2, 5, 0, 3, 6, 4, 1, 7])
    return (
        Case("8 images of 4 classes, partners from the batch", (5 * seeded(8, 8, seed=1), labels, labels[order]), {}),
        Case("every class is its own partner", (5 * seeded(8, 8, seed=2), labels, labels.clone()), {}),
        Case("scores of a very small temperature", (100 * seeded(8, 8, seed=3), labels, labels.roll(3)), {}),
        Case("6 images of 3 classes", (seeded(6, 6, seed=4), torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([1, 2, 0, 2, 1, 1])), {}),
    )


def _gates() -> Sequence[Case]:
    return (
        Case("4 classes, 6 coordinates", (seeded(4, 6, seed=1).sigmoid(),), {}),
        Case("5 classes whose gates share a large part", (0.8 + 0.1 * seeded(5, 7, seed=2).tanh(),), {}),
        Case("2 classes", (seeded(2, 5, seed=3).sigmoid(),), {}),
    )


GATED_SIMILARITY = Exercise(
    name="gated_similarity",
    title="Cosines in the query's own subspace",
    statement=r"""
Query $b$ brings a gate $g_b\in[0,1]^D$. It filters the query *and* every key that the query is compared with, and then the cosine is taken:

$$s_{bn}=\cos(g_b\odot z_b,\;g_b\odot k_n).$$

Return the $B\times M$ matrix. With an open gate (all ones) it is the usual matrix of cosines;
where a filtered vector is zero, so is the cosine.""",
    minutes=12,
    difficulty=2,
    hints=(
        "The keys look different to each query: filter them into a tensor of shape (B, M, D) first. "
        "(Two matrix products can do without; later.)",
        "`gate[:, None] * keys` has shape (B, M, D): row $b$ holds all keys as query $b$ sees them. Normalise along the last axis.",
        "Normalise `gate * z` along dim=1, the filtered keys along dim=2, "
        "multiply with broadcasting (`queries[:, None]`) and sum over dim=2.",
    ),
    solution=gated_similarity,
    mistakes=wrong.GATED_SIMILARITY,
    gradient="same",
    cases=_filters,
)

PAIR_LOSS = Exercise(
    name="pair_loss",
    title="The loss of arbitrary pairs",
    statement=r"""
Row $b$ of `scores` belongs to an image of class $y_b$ that was told to look for class $y'_b$, its partner. Its positives $P_b$ are
the columns of class $y'_b$, its negatives $\mathcal N_b$ the columns of any *third* class; its own class is ignored (unless it is its own
partner). Each positive competes with the negatives only:

$$\mathcal L=\frac1{\sum_b|P_b|}\sum_b\sum_{n\in P_b}\Big[\log\Big(e^{s_{bn}}+\sum_{m\in\mathcal N_b}e^{s_{bm}}\Big)-s_{bn}\Big].$$

The scores are divided by the temperature already.""",
    minutes=20,
    difficulty=3,
    hints=(
        "Make two boolean matrices, rows are queries and columns keys: `positive` where the column's label is the row's partner, "
        "`negative` where it is neither the partner nor the row's own label.",
        "Fill all but the negatives with $-\\infty$ and take `logsumexp` along the row (keepdim=True): one number for each query. "
        "The log of the sum of it and the positive is `torch.logaddexp(scores, strangers)`.",
        "That gives a term for every entry. Select the positive ones with `terms[positive]` and take their mean: "
        "entries count, not queries.",
    ),
    solution=pair_loss,
    mistakes=wrong.PAIR_LOSS,
    gradient="same",
    cases=_batches,
)

CLASS_RELATIONS = Exercise(
    name="class_relations",
    title="Which classes have similar gates?",
    statement=r"""
Row $c$ of `gates` is the gate of class $c$ with itself. All gates share a large part (coordinates open for everybody), which says nothing
about relations. Take away the mean over classes, then return the $C\times C$ matrix of cosines between what is left.""",
    minutes=6,
    difficulty=1,
    hints=(
        "The mean over *classes* is one vector of length D: the part that all gates share.",
        "`gates.mean(dim=0)` is that vector. Subtract it first and normalise afterwards: the other order changes the result.",
        "`own = F.normalize(gates - gates.mean(dim=0), dim=1)`, then `own @ own.T`.",
    ),
    solution=class_relations,
    mistakes=wrong.CLASS_RELATIONS,
    gradient="none",
    cases=_gates,
)

ALL = (GATED_SIMILARITY, PAIR_LOSS, CLASS_RELATIONS)
