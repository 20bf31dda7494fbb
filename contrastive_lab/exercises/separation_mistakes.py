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


def _not_squared(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    spread = [_log_mean(-F.pdist(_zeroed(s, labels)) / (2 * tau)) for s in (s1, s2)]
    return _targets(s1, s2, labels, tau) + spread[0] + spread[1]


def _no_divisor(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    spread = [(-F.pdist(_zeroed(s, labels)).square() / (2 * tau)).logsumexp(dim=0) for s in (s1, s2)]
    return _targets(s1, s2, labels, tau) + spread[0] + spread[1]


def _plain(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    spread = [(-F.pdist(_zeroed(s, labels)).square() / (2 * tau)).exp().mean().log() for s in (s1, s2)]
    return _targets(s1, s2, labels, tau) + spread[0] + spread[1]


def _right(s1: Tensor, s2: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _targets(s1, s2, labels, tau) + _both(_zeroed(s1, labels), _zeroed(s2, labels), tau)


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
    Mistake(
        "targets and background are exchanged",
        "Label 1 is a target, 0 is background: zero the rows where labels is 0.",
        lambda s1, s2, labels, tau=0.5: _right(s1, s2, 1 - labels, tau),
    ),
    Mistake(
        "the kernel has tau instead of 2 tau",
        "Divide the squared distances by 2 tau, in the alignment and in the kernel.",
        lambda s1, s2, labels, tau=0.5: _right(s1, s2, labels, tau / 2),
    ),
    Mistake(
        "the distances are not squared",
        "F.pdist gives distances: .square() them before you divide by 2 tau.",
        lambda s1, s2, labels, tau=0.5: _not_squared(s1, s2, labels, tau),
    ),
    Mistake(
        "the sum of kernels is not divided",
        "U is the log of a mean: subtract the log of the number of pairs, N (N - 1) / 2.",
        lambda s1, s2, labels, tau=0.5: _no_divisor(s1, s2, labels, tau),
    ),
    Mistake(
        "the coordinates are averaged too",
        "A squared distance is the sum over the coordinates of a code: .sum(dim=1), then the mean over targets. mse_loss averages both.",
        lambda s1, s2, labels, tau=0.5: _targets(s1, s2, labels, tau) / s1.shape[1] + _both(_zeroed(s1, labels), _zeroed(s2, labels), tau),
    ),
    Mistake(
        "only one view is spread out",
        "U is taken of both views: half the sum of the two, times 2.",
        lambda s1, s2, labels, tau=0.5: _targets(s1, s2, labels, tau) + 2 * _spread(_zeroed(s1, labels), tau),
    ),
    Mistake(
        "the alignment is missing",
        "Two parts: targets' views are pulled together as well.",
        lambda s1, s2, labels, tau=0.5: _both(_zeroed(s1, labels), _zeroed(s2, labels), tau),
    ),
    Mistake(
        "the exponentials underflow",
        "Far from everything all kernels become 0, and the log of 0 is minus infinity: logsumexp, then minus the log of the count.",
        lambda s1, s2, labels, tau=0.5: _plain(s1, s2, labels, tau),
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


def _some(c: Tensor, s: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _rows(_joint(_unit(c)[labels.bool()], s[labels.bool()], tau))


def _one_vector(c: Tensor, s: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _rows(-_square(_unit(torch.cat([c, _zeroed(s, labels)], dim=1))) / (2 * tau))


def _lengths_added(c: Tensor, s: Tensor, labels: Tensor, tau: float) -> Tensor:
    return _rows(-(_square(_unit(c)).sqrt() + _square(_zeroed(s, labels)).sqrt()) / (2 * tau))


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
        "both codes are zeroed",
        "Only the salient code of a background image lies at the origin; its common code is that of any image.",
        lambda c, s, labels, tau=0.5: _rows(_joint(_zeroed(_unit(c), labels), _zeroed(s, labels), tau)),
    ),
    Mistake(
        "background is left out",
        "All images count, background with its salient code at the origin.",
        lambda c, s, labels, tau=0.5: _some(c, s, labels, tau),
    ),
    Mistake(
        "the joined codes are normalised",
        "Normalise the common code alone, before you join it with the salient one.",
        lambda c, s, labels, tau=0.5: _one_vector(c, s, labels, tau),
    ),
    Mistake(
        "the distances are not squared",
        "Add the squared distances, without a root.",
        lambda c, s, labels, tau=0.5: _lengths_added(c, s, labels, tau),
    ),
    Mistake(
        "the kernel has tau instead of 2 tau",
        "Divide the squared distances by 2 tau.",
        lambda c, s, labels, tau=0.5: _rows(_joint(_unit(c), _zeroed(s, labels), tau / 2)),
    ),
    Mistake(
        "there is no exponential",
        "That is a mean of squared distances. First the kernels, their mean over j, its log; then the mean over i.",
        lambda c, s, labels, tau=0.5: _joint(_unit(c), _zeroed(s, labels), tau).mean(),
    ),
    Mistake(
        "the mean over j is a sum",
        "Subtract log N: the inner sum is divided by N.",
        lambda c, s, labels, tau=0.5: _joint(_unit(c), _zeroed(s, labels), tau).logsumexp(dim=1).mean(),
    ),
)
