"""What goes wrong in the exercises of notebook 12, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _unpaired(ours: Tensor, theirs: Tensor) -> Tensor:
    spread = (ours.var() + theirs.var()).sqrt() / math.sqrt(len(ours))
    return torch.stack([(ours - theirs).mean(), spread])


def _deviation(ours: Tensor, theirs: Tensor) -> Tensor:
    return torch.stack([(ours - theirs).mean(), (ours - theirs).std()])


def _divided_by_n(ours: Tensor, theirs: Tensor) -> Tensor:
    return torch.stack([(ours - theirs).mean(), (ours - theirs).std(correction=0) / math.sqrt(len(ours))])


def _best(ours: Tensor, theirs: Tensor) -> Tensor:
    return torch.stack([ours.max() - theirs.max(), (ours - theirs).std() / math.sqrt(len(ours))])


def _other_sign(ours: Tensor, theirs: Tensor) -> Tensor:
    return torch.stack([(theirs - ours).mean(), (ours - theirs).std() / math.sqrt(len(ours))])


PAIRED_DIFFERENCE = (
    Mistake(
        "the seeds are not paired",
        "You added the spreads of both methods. A seed that is lucky for one is often lucky for the other; subtracting first removes that.",
        _unpaired,
    ),
    Mistake(
        "the deviation, not the standard error",
        "That is how far single differences scatter. The mean of n of them is known better, by the root of n.",
        _deviation,
    ),
    Mistake(
        "divided by n",
        "The mean was taken from the same numbers, so divide the squares by n - 1; with three seeds that matters.",
        _divided_by_n,
    ),
    Mistake("the best seed of each", "The largest of several tries grows with the number of tries. Compare means, never the best.", _best),
    Mistake("the sign is the other way round", "The difference is ours minus theirs: positive means that ours is better.", _other_sign),
)


def _push(z: Tensor, t: float) -> Tensor:
    return torch.pdist(z).square().mul(-t).exp().mean().log()


def _pull(z1: Tensor, z2: Tensor) -> Tensor:
    return (z1 - z2).square().sum(dim=1).mean()


def _unit(z1: Tensor, z2: Tensor) -> tuple[Tensor, Tensor]:
    return F.normalize(z1, dim=1), F.normalize(z2, dim=1)


def _not_normalised(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    return _pull(z1, z2) + weight * (_push(z1, t) + _push(z2, t)) / 2


def _both_views_at_once(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    z1, z2 = _unit(z1, z2)
    return _pull(z1, z2) + weight * _push(torch.cat([z1, z2]), t)


def _with_itself(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    z1, z2 = _unit(z1, z2)
    pushes = [(-t * (2 - 2 * z @ z.T)).exp().mean().log() for z in (z1, z2)]
    return _pull(z1, z2) + weight * (pushes[0] + pushes[1]) / 2


def _mean_of_logs(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    z1, z2 = _unit(z1, z2)
    return _pull(z1, z2) - weight * t * (torch.pdist(z1).square().mean() + torch.pdist(z2).square().mean()) / 2


def _weight_on_the_pull(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    z1, z2 = _unit(z1, z2)
    return weight * _pull(z1, z2) + (_push(z1, t) + _push(z2, t)) / 2


def _not_squared(z1: Tensor, z2: Tensor, weight: float = 1.0, t: float = 2.0) -> Tensor:
    z1, z2 = _unit(z1, z2)
    pushes = [torch.pdist(z).mul(-t).exp().mean().log() for z in (z1, z2)]
    return _pull(z1, z2) + weight * (pushes[0] + pushes[1]) / 2


TWO_FORCES = (
    Mistake("not normalised", "Only directions count: bring every row to length one first.", _not_normalised),
    Mistake(
        "both views in one heap",
        "You pushed the two views of an image apart as well. Push the images of each view apart, then average the two.",
        _both_views_at_once,
    ),
    Mistake(
        "vectors compared with themselves",
        "The N pairs of a vector with itself have distance 0 and hide the others. Take i < j only.",
        _with_itself,
    ),
    Mistake(
        "the mean of logarithms",
        "The mean belongs inside the logarithm. Outside, near pairs weigh no more than far ones, and a few points may meet unpunished.",
        _mean_of_logs,
    ),
    Mistake("the weight on the other force", "`weight` says how much the push counts, not the pull.", _weight_on_the_pull),
    Mistake("distances not squared", "The kernel is a Gaussian: the distance is squared before it is multiplied by -t.", _not_squared),
)
