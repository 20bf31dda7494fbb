"""What goes wrong in the exercises of notebook 01, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _scores(z1: Tensor, z2: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    return z @ z.T / temperature, torch.eye(len(z), dtype=torch.bool), torch.arange(len(z)).roll(len(z1))


def _masked(z1: Tensor, z2: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    scores, itself, twin = _scores(z1, z2, temperature)
    return scores.masked_fill(itself, -math.inf), twin


def _no_self_mask(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, _, twin = _scores(z1, z2, temperature)
    return F.cross_entropy(scores, twin)


def _mask_with_zero(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, itself, twin = _scores(z1, z2, temperature)
    return F.cross_entropy(scores.masked_fill(itself, 0.0), twin)


def _no_temperature(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    return F.cross_entropy(*_masked(z1, z2, 1.0))


def _times_temperature(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    return F.cross_entropy(*_masked(z1, z2, 1 / temperature))


def _positive_above_only(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, twin = _masked(z1, z2, temperature)
    below = scores.scatter(1, twin[:, None], -math.inf)
    return (below.logsumexp(dim=1) - scores.gather(1, twin[:, None])[:, 0]).mean()


def _not_normalised(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    z = torch.cat([z1, z2])
    scores = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -math.inf)
    return F.cross_entropy(scores, torch.arange(len(z)).roll(len(z1)))


def _normalised_columns(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    z = F.normalize(torch.cat([z1, z2]), dim=0)
    scores = (z @ z.T / temperature).masked_fill(torch.eye(len(z), dtype=torch.bool), -math.inf)
    return F.cross_entropy(scores, torch.arange(len(z)).roll(len(z1)))


def _one_softmax_for_all(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, twin = _masked(z1, z2, temperature)
    return scores.flatten().logsumexp(dim=0) - scores.gather(1, twin[:, None]).mean()


def _sum_of_anchors(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    return F.cross_entropy(*_masked(z1, z2, temperature), reduction="sum")


def _both_directions_added(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    return 2 * F.cross_entropy(*_masked(z1, z2, temperature))


def _other_view_only(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores = F.normalize(z1, dim=1) @ F.normalize(z2, dim=1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(z1)))


def _neighbour_as_twin(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, twin = _masked(z1, z2, temperature)
    return F.cross_entropy(scores, torch.arange(len(twin)) ^ 1)


def _anchors_of_one_view(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, twin = _masked(z1, z2, temperature)
    return F.cross_entropy(scores[: len(z1)], twin[: len(z1)])


def _no_logarithm(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    scores, twin = _masked(z1, z2, temperature)
    return -scores.softmax(dim=1).gather(1, twin[:, None]).mean()


INFO_NCE = (
    Mistake(
        "you forgot the self mask",
        "The diagonal holds every anchor's cosine with itself, 1, the largest of all. Fill it with -inf.",
        _no_self_mask,
    ),
    Mistake(
        "you masked the diagonal with 0",
        "A score of 0 still adds exp(0) = 1 below the line. Fill with -math.inf, so that exp gives 0.",
        _mask_with_zero,
    ),
    Mistake("you forgot to divide by the temperature", "Divide the cosines by temperature before the softmax.", _no_temperature),
    Mistake("you multiplied by the temperature", "A small temperature must make differences larger: divide by it.", _times_temperature),
    Mistake(
        "the positive is missing below the line",
        "The sum runs over all b except a, so the twin belongs to it. (Without it you have DCL, the subject of notebook 02.)",
        _positive_above_only,
    ),
    Mistake("the embeddings are not normalised", "Make every row a unit vector first: F.normalize(z, dim=1).", _not_normalised),
    Mistake(
        "you normalised the columns",
        "dim=0 scales each coordinate over the batch. Each row is one vector: F.normalize(z, dim=1).",
        _normalised_columns,
    ),
    Mistake(
        "one softmax for all anchors",
        "The log-sum must run along a row (dim=1), one sum for each anchor, and the mean comes last.",
        _one_softmax_for_all,
    ),
    Mistake("you added up the anchors", "The loss is the mean over the 2N anchors, not their sum.", _sum_of_anchors),
    Mistake(
        "your value is exactly twice the loss",
        "You added both directions; the formula is the mean over all 2N anchors. (SimCLR's first code did the same.)",
        _both_directions_added,
    ),
    Mistake(
        "the other images of the same view are missing",
        "You compare z1 with z2 only, which is CLIP's loss. Stack both views: each anchor has 2N - 2 negatives.",
        _other_view_only,
    ),
    Mistake(
        "the twin is in another row",
        "You paired rows 0-1, 2-3, ... But the views are stacked: the twin of row a is row a + N, modulo 2N.",
        _neighbour_as_twin,
    ),
    Mistake(
        "the anchors of the second view are missing",
        "The mean runs over all 2N rows: the views of z2 are anchors too, with their twins in z1.",
        _anchors_of_one_view,
    ),
    Mistake(
        "the logarithm is missing", "That is minus the mean share of the twin; the loss is minus the log of that share.", _no_logarithm
    ),
)


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=1)


def _raw_distance(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().sum(dim=1).mean()


def _mean_of_entries(x: Tensor, y: Tensor) -> Tensor:
    return (_unit(x) - _unit(y)).square().mean()


def _not_squared(x: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.vector_norm(_unit(x) - _unit(y), dim=1).mean()


def _all_pairs(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(_unit(x), _unit(y)).square().mean()


def _cosine(x: Tensor, y: Tensor) -> Tensor:
    return F.cosine_similarity(x, y).mean()


def _summed(x: Tensor, y: Tensor) -> Tensor:
    return (_unit(x) - _unit(y)).square().sum()


def _columns(x: Tensor, y: Tensor) -> Tensor:
    return (F.normalize(x, dim=0) - F.normalize(y, dim=0)).square().sum(dim=1).mean()


ALIGNMENT = (
    Mistake(
        "the embeddings are not normalised",
        "Put both on the sphere first, F.normalize(x, dim=1), or the value grows with their length.",
        _raw_distance,
    ),
    Mistake(
        "you averaged over coordinates too",
        "The squared distance is a sum over the D coordinates: .sum(dim=1), then .mean().",
        _mean_of_entries,
    ),
    Mistake("the distance is not squared", "You took the mean distance (alpha = 1); the definition squares it.", _not_squared),
    Mistake(
        "you compared every x with every y", "Only row i of x belongs to row i of y. Subtract them directly, without cdist.", _all_pairs
    ),
    Mistake("that is the cosine", "A similarity grows as views approach; the squared distance is 2 - 2 cosine.", _cosine),
    Mistake("you added up the pairs", "The definition is a mean over the N pairs.", _summed),
    Mistake(
        "you normalised the columns", "dim=0 scales each coordinate over the batch. One vector is one row: F.normalize(x, dim=1).", _columns
    ),
)


def _squares(x: Tensor) -> Tensor:
    first, second = torch.triu_indices(len(x), len(x), offset=1)
    return (x[first] - x[second]).square().sum(dim=1)


def _self_pairs(x: Tensor, t: float = 2.0) -> Tensor:
    return (-t * torch.cdist(_unit(x), _unit(x)).square()).flatten().logsumexp(dim=0) - 2 * math.log(len(x))


def _mean_of_logs(x: Tensor, t: float = 2.0) -> Tensor:
    return (-t * _squares(_unit(x))).mean()


def _no_log(x: Tensor, t: float = 2.0) -> Tensor:
    return (-t * _squares(_unit(x))).exp().mean()


def _no_square(x: Tensor, t: float = 2.0) -> Tensor:
    potential = -t * _squares(_unit(x)).sqrt()
    return potential.logsumexp(dim=0) - math.log(len(potential))


def _raw_rows(x: Tensor, t: float = 2.0) -> Tensor:
    potential = -t * _squares(x)
    return potential.logsumexp(dim=0) - math.log(len(potential))


def _wrong_sign(x: Tensor, t: float = 2.0) -> Tensor:
    potential = t * _squares(_unit(x))
    return potential.logsumexp(dim=0) - math.log(len(potential))


def _no_mean(x: Tensor, t: float = 2.0) -> Tensor:
    return (-t * _squares(_unit(x))).logsumexp(dim=0)


def _zeros_in_the_mean(x: Tensor, t: float = 2.0) -> Tensor:
    return (-t * torch.cdist(_unit(x), _unit(x)).square()).exp().triu(diagonal=1).mean().log()


UNIFORMITY = (
    Mistake("every point is paired with itself", "Self pairs add exp(0) = 1 each, N of them. Take the pairs i < j only.", _self_pairs),
    Mistake(
        "you took the mean of the logs",
        "First exp, then the mean over pairs, and the logarithm last. The order matters (Jensen).",
        _mean_of_logs,
    ),
    Mistake("the logarithm is missing", "The measure is the log of the mean potential.", _no_log),
    Mistake("the distance is not squared", "The bump is exp(-t * distance squared).", _no_square),
    Mistake("the embeddings are not normalised", "Put the points on the sphere first: F.normalize(x, dim=1).", _raw_rows),
    Mistake("the sign of the exponent is wrong", "Near pairs must count most: exp(-t * squared distance), with a minus.", _wrong_sign),
    Mistake(
        "the mean counts zeros",
        "triu sets one half of the matrix to 0, and .mean() counts these N (N + 1) / 2 zeros as well. Pick the pairs i < j out of it.",
        _zeros_in_the_mean,
    ),
    Mistake("you summed instead of averaging", "Subtract the log of the number of pairs, N (N - 1) / 2.", _no_mean),
)

RECOMBINE = (
    Mistake(
        "alignment is divided by the temperature alone",
        "A cosine is 1 minus HALF the squared distance, so the factor is 1 / (2 temperature).",
        lambda a, u, n, temperature=0.5: a / temperature + u + n.log(),
    ),
    Mistake(
        "uniformity got a factor",
        "Its temperature is inside already, as t = 1 / (2 temperature); outside its factor is 1.",
        lambda a, u, n, temperature=0.5: (a + u) / (2 * temperature) + n.log(),
    ),
    Mistake(
        "alignment is multiplied by the temperature",
        "Python reads a / 2 * temperature from the left, as (a / 2) * temperature. Write a / (2 * temperature).",
        lambda a, u, n, temperature=0.5: a / 2 * temperature + u + n.log(),
    ),
    Mistake(
        "the number of candidates has no logarithm",
        "The sum is inside a logarithm, and log(M times a mean) is log M plus the log of the mean: candidates.log().",
        lambda a, u, n, temperature=0.5: a / (2 * temperature) + u + n,
    ),
    Mistake(
        "the number of candidates is missing",
        "A sum over M candidates is M times their mean, and the log makes that + log M.",
        lambda a, u, n, temperature=0.5: a / (2 * temperature) + u,
    ),
    Mistake(
        "the constants 1 / temperature are still there",
        "The first half contributes -1 / temperature and the second +1 / temperature: they cancel.",
        lambda a, u, n, temperature=0.5: a / (2 * temperature) + u + n.log() - 1 / temperature,
    ),
    Mistake(
        "uniformity is subtracted",
        "The second half of the loss is plus the log of a mean, and uniformity is the log of that mean.",
        lambda a, u, n, temperature=0.5: a / (2 * temperature) - u + n.log(),
    ),
)
