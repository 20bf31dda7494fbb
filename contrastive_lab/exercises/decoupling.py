"""Exercises of notebook 02: the factor on InfoNCE's gradients, the loss without it, and the weights of DCLW."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import decoupling_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def npc_multiplier(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    """The factor q of each of the 2N anchors, those of z1 first; z1 and z2 are (N, D) with rows of any length."""
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    scores = z @ z.T / temperature
    row = torch.arange(len(z), device=z.device)
    itself = row[:, None] == row
    same_image = row[:, None] % len(z1) == row % len(z1)
    negatives = scores.masked_fill(same_image, -math.inf).logsumexp(dim=1)
    everybody = scores.masked_fill(itself, -math.inf).logsumexp(dim=1)
    return (negatives - everybody).exp()


def dcl_loss(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    """Decoupled contrastive loss of two views of the same N images, both (N, D) with rows of any length."""
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    scores = z @ z.T / temperature
    row = torch.arange(len(z), device=z.device)
    twin = row.roll(len(z1))
    same_image = row[:, None] % len(z1) == row % len(z1)
    push = scores.masked_fill(same_image, -math.inf).logsumexp(dim=1)
    return (push - scores[row, twin]).mean()


def dclw_weights(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    """One weight for each of the N pairs (z1[i], z2[i]): large for pairs that lie far apart; their mean is 1."""
    cosine = F.cosine_similarity(z1, z2, dim=1)
    return 2 - len(z1) * (cosine / sigma).softmax(dim=0)


def _pairs() -> Sequence[Case]:
    one, two = seeded(6, 3, seed=1), seeded(6, 3, seed=2)
    near = one + 0.3 * two
    return (
        Case("6 images whose views differ a little, temperature 0.5", (one, near), {"temperature": 0.5}),
        Case("6 images with unrelated views, temperature 0.2", (one, two), {"temperature": 0.2}),
        Case("2 images in 2 dimensions, temperature 1", (seeded(2, 2, seed=3), seeded(2, 2, seed=4)), {"temperature": 1.0}),
        Case("embeddings of length 20, temperature 0.5", (20 * one, 20 * near), {"temperature": 0.5}),
        Case("a very small temperature of 0.01", (one, near), {"temperature": 0.01}),
        Case("3 orthogonal images whose views agree, temperature 0.005", (torch.eye(3), torch.eye(3)), {"temperature": 0.005}),
    )


def _weighted_pairs() -> Sequence[Case]:
    one, two = seeded(6, 3, seed=1), seeded(6, 3, seed=2)
    near = one + 0.3 * two
    return (
        Case("6 images whose views differ a little, width 0.5", (one, near), {"sigma": 0.5}),
        Case("6 images with unrelated views, width 0.5", (one, two), {"sigma": 0.5}),
        Case("5 images, embeddings of length 20, width 0.2", (20 * seeded(5, 4, seed=3), seeded(5, 4, seed=4)), {"sigma": 0.2}),
        Case("a narrow width of 0.01", (one, near), {"sigma": 0.01}),
    )


NPC_MULTIPLIER = Exercise(
    name="npc_multiplier",
    title="The factor on every gradient",
    statement=r"""
Stack both views into $2N$ unit vectors. For the anchor $a$ with twin $p(a)$ let $P_a=e^{z_a^\top z_{p(a)}/\tau}$, and let $S_a$ be the
sum of $e^{z_a^\top z_b/\tau}$ over the $2N-2$ views of *other* images. Return, for all $2N$ anchors,

$$q_a=\frac{S_a}{P_a+S_a}.$$

It has to survive $\tau=0.01$, where $e^{1/\tau}$ does not fit into float32.""",
    minutes=10,
    difficulty=2,
    hints=(
        "Two log-sums over the same rows of scores: one over the views of other images, one over everybody but the anchor itself. "
        "The logarithm of a fraction is a difference of logarithms.",
        "Two boolean masks of shape $2N\\times2N$: `itself` (the diagonal) and `same_image` (the diagonal and the twin's column; row and "
        "column agree modulo $N$). Fill the scores with $-\\infty$ under each mask before its log-sum.",
        "`(negatives - everybody).exp()`, where `negatives = scores.masked_fill(same_image, -math.inf).logsumexp(dim=1)` and `everybody` "
        "is the same with `itself`.",
    ),
    solution=npc_multiplier,
    mistakes=wrong.NPC_MULTIPLIER,
    gradient="none",
    cases=_pairs,
)

DCL_LOSS = Exercise(
    name="dcl_loss",
    title="The decoupled loss",
    statement=r"""
Take the positive out from below the line of InfoNCE:

$$\mathcal L_\text{DCL}=\frac1{2N}\sum_a\Big[-\frac{z_a^\top z_{p(a)}}{\tau}+\log\sum_{b\ne a,\,p(a)}e^{z_a^\top z_b/\tau}\Big].$$

$2N-2$ terms remain in each sum: both views of every other image. The loss may be negative.""",
    minutes=10,
    difficulty=2,
    hints=(
        "Start from your InfoNCE of notebook 01. Cross-entropy no longer fits, since the right class is missing from the sum: compute the "
        "two parts yourself.",
        "The positives are `scores[row, twin]`, taken before any masking. For the sum, mask the anchor *and* its twin: the diagonals of "
        "all four $N\\times N$ blocks.",
        "`push = scores.masked_fill(same_image, -math.inf).logsumexp(dim=1)`, and the loss is `(push - scores[row, twin]).mean()`.",
    ),
    solution=dcl_loss,
    mistakes=wrong.DCL_LOSS,
    gradient="same",
    cases=_pairs,
)

DCLW_WEIGHTS = Exercise(
    name="dclw_weights",
    title="Weights for the positives",
    statement=r"""
DCLW multiplies the positive term of image $i$ by

$$w_i=2-\frac{e^{s_i/\sigma}}{\frac1N\sum_je^{s_j/\sigma}},\qquad s_i=\cos\big(z^{(1)}_i,z^{(2)}_i\big).$$

Return the $N$ weights. They have to survive $\sigma=0.01$.""",
    minutes=5,
    difficulty=1,
    hints=(
        "One cosine for each image, between its own two views; nothing else enters.",
        "The fraction is $N$ times a softmax over the *images* of the batch.",
        "`2 - len(z1) * (cosine / sigma).softmax(dim=0)`; `F.cosine_similarity(z1, z2, dim=1)` gives the cosines.",
    ),
    solution=dclw_weights,
    mistakes=wrong.DCLW_WEIGHTS,
    gradient="none",
    cases=_weighted_pairs,
)

ALL = (NPC_MULTIPLIER, DCL_LOSS, DCLW_WEIGHTS)
