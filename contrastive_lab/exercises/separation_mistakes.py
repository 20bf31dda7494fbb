"""What goes wrong in the exercises of notebook 07, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _log_mean(log_values: Tensor) -> Tensor:
    return log_values.logsumexp(dim=0) - math.log(len(log_values))


def _spread(x: Tensor, tau: float) -> Tensor:
    return _log_mean(-F.pdist(x).square() / (2 * tau))


def _both(s1: Tensor, s2: Tensor, tau: float) -> Tensor:
    return _spread(s1, tau) + _spread(s2, tau)


def _zeroed(s: Tensor, labels: Tensor) -> Tensor:
    return torch.where(labels.bool()[:, None], s, 0.0)


def _pull(s1: Tensor, s2: Tensor, tau: float) -> Tensor:
    return (s1 - s2).square().sum(dim=1).mean() / (2 * tau)


def _targets(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _pull(s1[labels.bool()], s2[labels.bool()], tau)


def _self_pairs(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    squares = [(s[:, None] - s).square().sum(dim=2) for s in (_zeroed(s1, labels), _zeroed(s2, labels))]
    return _targets(s1, s2, labels, tau) + sum(_log_mean((-square / (2 * tau)).flatten()) for square in squares)


def _mean_of_logs(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    spread = [-F.pdist(_zeroed(s, labels)).square().mean() / (2 * tau) for s in (s1, s2)]
    return _targets(s1, s2, labels, tau) + spread[0] + spread[1]


SALIENT_LOSS = (
    Mistake(
        "background is not at the origin",
        "The uniformity takes a copy in which the rows of background images are 0; you took their own codes.",
        lambda s1, s2, labels, tau=0.5: _targets(s1, s2, labels, tau) + _both(s1, s2, tau),
    ),
    Mistake(
        "background is left out of the uniformity",
        "Zeroed rows stay in: targets must repel the origin, not only one another.",
        lambda s1, s2, labels, tau=0.5: _targets(s1, s2, labels, tau) + _both(s1[labels.bool()], s2[labels.bool()], tau),
    ),
    Mistake(
        "background is aligned too",
        "Only target rows are pulled together here; background has its own term.",
        lambda s1, s2, labels, tau=0.5: _pull(s1, s2, tau) + _both(_zeroed(s1, labels), _zeroed(s2, labels), tau),
    ),
    Mistake(
        "the alignment is divided by N",
        "Divide by the number of targets, not by that of all images.",
        lambda s1, s2, labels, tau=0.5: (
            _pull(_zeroed(s1, labels), _zeroed(s2, labels), tau) + _both(_zeroed(s1, labels), _zeroed(s2, labels), tau)
        ),
    ),
    Mistake(
        "the codes are normalised",
        "On a sphere there is no origin, so 'nothing salient' would have no place: take salient codes as they are.",
        lambda s1, s2, labels, tau=0.5: (
            _targets(F.normalize(s1, dim=1), F.normalize(s2, dim=1), labels, tau)
            + _both(_zeroed(F.normalize(s1, dim=1), labels), _zeroed(F.normalize(s2, dim=1), labels), tau)
        ),
    ),
    Mistake(
        "self pairs are counted",
        "U takes each pair i < j once; an image's distance to itself is no information.",
        lambda s1, s2, labels, tau=0.5: _self_pairs(s1, s2, labels, tau),
    ),
    Mistake(
        "the logarithm is inside the mean",
        "U is the log of a mean of kernels. The mean of the logs is a mean squared distance: two far heaps would be enough for it.",
        lambda s1, s2, labels, tau=0.5: _mean_of_logs(s1, s2, labels, tau),
    ),
    Mistake(
        "the uniformity's weight is 1",
        "The weight of the mean uniformity is 2 (so the two views' values are simply added).",
        lambda s1, s2, labels, tau=0.5: _targets(s1, s2, labels, tau) + _both(_zeroed(s1, labels), _zeroed(s2, labels), tau) / 2,
    ),
)


def _square(x: Tensor) -> Tensor:
    return (x[:, None] - x).square().sum(dim=2)


def _joint(c: Tensor, s: Tensor, tau: float) -> Tensor:
    """Log kernel of both codes, taken as they are."""
    return -(_square(c) + _square(s)) / (2 * tau)


def _rows(log_kernel: Tensor) -> Tensor:
    return (log_kernel.logsumexp(dim=1) - math.log(len(log_kernel))).mean()


def _unit(c: Tensor) -> Tensor:
    return F.normalize(c, dim=1)


def _without_self(c: Tensor, s: Tensor, labels: Tensor, tau: float) -> Tensor:
    kernel = _joint(_unit(c), _zeroed(s, labels), tau)
    kernel = kernel.masked_fill(torch.eye(len(c), dtype=torch.bool), -math.inf)
    return (kernel.logsumexp(dim=1) - math.log(len(c) - 1)).mean()


def _added(c: Tensor, s: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _rows(torch.logaddexp(-_square(_unit(c)) / (2 * tau), -_square(_zeroed(s, labels)) / (2 * tau)))


def _two_entropies(c: Tensor, s: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _rows(-_square(_unit(c)) / (2 * tau)) + _rows(-_square(_zeroed(s, labels)) / (2 * tau))


JOINT_ENTROPY = (
    Mistake(
        "the sign is turned",
        "This is the entropy itself. The loss is minus the entropy, or training would make the codes tell the same story.",
        lambda c, s, labels, tau=0.5: -_rows(_joint(_unit(c), _zeroed(s, labels), tau)),
    ),
    Mistake(
        "the self pair is missing",
        "Here j runs over all images, i too, and the divisor is N.",
        lambda c, s, labels, tau=0.5: _without_self(c, s, labels, tau),
    ),
    Mistake(
        "the logarithm is outside",
        "Take the log for each image i, then the mean over i.",
        lambda c, s, labels, tau=0.5: _log_mean(_joint(_unit(c), _zeroed(s, labels), tau).flatten()),
    ),
    Mistake(
        "the kernels are added",
        "Alike in both codes means the product of the kernels: add the squared distances.",
        lambda c, s, labels, tau=0.5: _added(c, s, labels, tau),
    ),
    Mistake(
        "you added two entropies",
        "Entropy of c plus entropy of s is what independent codes would have. The joint one needs the product of kernels inside one sum.",
        lambda c, s, labels, tau=0.5: _two_entropies(c, s, labels, tau),
    ),
    Mistake(
        "background is not at the origin",
        "Zero the salient rows of background images first, torch.where(labels.bool()[:, None], s, 0.0).",
        lambda c, s, labels, tau=0.5: _rows(_joint(_unit(c), s, tau)),
    ),
    Mistake(
        "common codes are not normalised",
        "The common code lives on the unit sphere: F.normalize(c, dim=1).",
        lambda c, s, labels, tau=0.5: _rows(_joint(c, _zeroed(s, labels), tau)),
    ),
    Mistake(
        "salient codes are normalised",
        "Only the common code is normalised; the salient one needs its lengths.",
        lambda c, s, labels, tau=0.5: _rows(_joint(_unit(c), _unit(_zeroed(s, labels)), tau)),
    ),
    Mistake(
        "the mean over j is a sum",
        "Subtract log N: the inner sum is divided by N.",
        lambda c, s, labels, tau=0.5: _joint(_unit(c), _zeroed(s, labels), tau).logsumexp(dim=1).mean(),
    ),
)
