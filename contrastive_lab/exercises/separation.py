"""Exercises of notebook 07: the salient loss with background at the origin, and the entropy of both codes together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import separation_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def salient_loss(s1: Tensor, s2: Tensor, labels: Tensor, tau: float = 0.5) -> Tensor:
    """Two views (N, D) of salient codes, labels (N,) 0 background and 1 target: alignment of targets plus twice the uniformity."""
    target = labels.bool()
    align = (s1[target] - s2[target]).square().sum(dim=1).mean() / (2 * tau)
    one, two = (torch.where(target[:, None], s, 0.0) for s in (s1, s2))
    pairs = len(labels) * (len(labels) - 1) / 2
    log_kernels = [-F.pdist(s).square() / (2 * tau) for s in (one, two)]
    spread = [kernel.logsumexp(dim=0) - math.log(pairs) for kernel in log_kernels]
    return align + 2 * (spread[0] + spread[1]) / 2


def joint_entropy(c: Tensor, s: Tensor, labels: Tensor, tau: float = 0.5) -> Tensor:
    """Minus the kernel entropy of common codes (N, Dc) and salient codes (N, Ds) taken together; labels (N,) 0 background, 1 target."""
    c = F.normalize(c, dim=1)
    s = torch.where(labels.bool()[:, None], s, 0.0)
    square = (c[:, None] - c).square().sum(dim=2) + (s[:, None] - s).square().sum(dim=2)
    log_kernel = -square / (2 * tau)
    return (log_kernel.logsumexp(dim=1) - math.log(len(c))).mean()


_HALF = torch.tensor([0, 1, 1, 0, 1, 0, 1, 1])


def _salient_cases() -> Sequence[Case]:
    s1, s2 = seeded(8, 3, seed=1), seeded(8, 3, seed=2)
    return (
        Case("8 images, 5 of them targets", (s1, s1 + 0.3 * s2, _HALF), {"tau": 0.5}),
        Case("a wider kernel", (s1, s2, _HALF), {"tau": 1.0}),
        Case("targets far from one another", (6 * s1, 6 * s1 + s2, _HALF.flip(0)), {"tau": 0.5}),
        Case("one background image, and targets very far away", (20 * s1, 20 * s1 + s2, torch.arange(8).clamp_max(1)), {"tau": 0.5}),
        Case("the worked example, both views equal", (*(2 * (_worked()[1],)), _worked()[2]), {"tau": 0.5}),
    )


def _joint_cases() -> Sequence[Case]:
    c, s = seeded(8, 4, seed=3), seeded(8, 3, seed=4)
    return (
        Case("8 images, 5 of them targets", (c, s, _HALF), {"tau": 0.5}),
        Case("a wider kernel", (c, s, _HALF.flip(0)), {"tau": 1.0}),
        Case("salient codes far apart", (c, 20 * s, _HALF), {"tau": 0.5}),
        Case("the worked example", _worked(), {"tau": 0.5}),
    )


def _worked() -> tuple[Tensor, Tensor, Tensor]:
    """Three images on paper: one background, two targets."""
    c = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    s = torch.tensor([[0.5, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return c, s, torch.tensor([0, 1, 1])


SALIENT_LOSS = Exercise(
    name="salient_loss",
    title="Targets repel each other and the origin",
    statement=r"""
Put the salient codes of background images at the origin (in a copy): $\tilde s_i=s_i$ for targets,
$\tilde s_i=0$ for background. Then

$$\mathcal L_s=\underbrace{\frac1{|\mathcal T|}\sum_{i\in\mathcal T}\frac{\lVert s^{(1)}_i-s^{(2)}_i\rVert^2}{2\tau}}
_{\text{alignment of targets}}
+2\cdot\tfrac12\big[U(\tilde s^{(1)})+U(\tilde s^{(2)})\big],\qquad
U(x)=\log\frac{2}{N(N-1)}\sum_{i<j}e^{-\lVert x_i-x_j\rVert^2/(2\tau)} .$$

Salient codes are *not* normalised: the origin must be a possible place. They may lie far apart, so take the logarithm with `logsumexp`.""",
    minutes=15,
    difficulty=2,
    hints=(
        "Two parts. The first needs the target rows only, `s1[labels.bool()]`; the second all rows, those of background replaced by zeros.",
        "`torch.where(target[:, None], s, 0.0)` is the copy. `F.pdist(x)` gives the distances of all pairs i < j, each once.",
        "`(-F.pdist(x).square() / (2 * tau)).logsumexp(dim=0) - math.log(N * (N - 1) / 2)` is U(x), without underflow.",
    ),
    solution=salient_loss,
    mistakes=wrong.SALIENT_LOSS,
    gradient="same",
    cases=_salient_cases,
)

JOINT_ENTROPY = Exercise(
    name="joint_entropy",
    title="The entropy of both codes together",
    statement=r"""
Two images are alike *as a pair of codes* if both codes are: multiply the kernels. With $c_i$ on the unit sphere (normalise) and
$\tilde s_i$ as before (background at the origin), minus the kernel estimate of the joint entropy is

$$\mathcal L_J=\frac1N\sum_i\log\frac1N\sum_{j=1}^N
\exp\Big(-\frac{\lVert c_i-c_j\rVert^2+\lVert\tilde s_i-\tilde s_j\rVert^2}{2\tau}\Big).$$

The pair $j=i$ counts, and the logarithm stands *inside* the outer mean; both differ from $U$.""",
    minutes=12,
    difficulty=2,
    hints=(
        "A product of exponentials is the exponential of the sum: add the two matrices of squared distances, then one kernel.",
        "`(c[:, None] - c).square().sum(dim=2)` is the matrix of squared distances of the normalised codes. The row-wise log-mean is "
        "`logsumexp(dim=1) - math.log(N)`.",
        "Normalise c, zero the background rows of s, add both matrices, divide by -2 tau, logsumexp over dim=1, minus log N, mean.",
    ),
    solution=joint_entropy,
    mistakes=wrong.JOINT_ENTROPY,
    gradient="same",
    cases=_joint_cases,
)

ALL = (SALIENT_LOSS, JOINT_ENTROPY)
