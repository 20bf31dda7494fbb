"""What goes wrong in the exercises of notebook 02, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _parts(z1: Tensor, z2: Tensor, temperature: float, *, unit: bool = True) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Scores, the mask of the anchor itself, that of both views of its image, and the twins' scores."""
    z = torch.cat([z1, z2])
    z = F.normalize(z, dim=1) if unit else z
    scores = z @ z.T / temperature
    row = torch.arange(len(z), device=z.device)
    itself = row[:, None] == row
    return scores, itself, row[:, None] % len(z1) == row % len(z1), scores[row, row.roll(len(z1))]


def _log_sum(scores: Tensor, without: Tensor) -> Tensor:
    return scores.masked_fill(without, -math.inf).logsumexp(dim=1)


def _softmax_of_the_positive(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, _, positive = _parts(z1, z2, temperature)
    return (positive - _log_sum(scores, itself)).exp()


def _log_of_q(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, same, _ = _parts(z1, z2, temperature)
    return _log_sum(scores, same) - _log_sum(scores, itself)


def _ratio_without_positive(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, same) - positive).exp()


def _self_below(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, same, _ = _parts(z1, z2, temperature)
    return (_log_sum(scores, same) - _log_sum(scores, torch.zeros_like(itself))).exp()


def _q_not_normalised(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, same, _ = _parts(z1, z2, temperature, unit=False)
    return (_log_sum(scores, same) - _log_sum(scores, itself)).exp()


def _q_times_temperature(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, same, _ = _parts(z1, z2, 1 / temperature)
    return (_log_sum(scores, same) - _log_sum(scores, itself)).exp()


def _q_other_view_only(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores = F.normalize(z1, dim=1) @ F.normalize(z2, dim=1).T / temperature
    both = torch.cat([scores, scores.T])
    twin = torch.eye(len(z1), dtype=torch.bool, device=z1.device).repeat(2, 1)
    return (_log_sum(both, twin) - both.logsumexp(dim=1)).exp()


NPC_MULTIPLIER = (
    Mistake(
        "that is the softmax of the positive",
        "You return 1 - q: the share of the twin. The multiplier is the share of all negatives together.",
        _softmax_of_the_positive,
    ),
    Mistake("that is log q", "Take .exp() of the difference of the two log-sums.", _log_of_q),
    Mistake(
        "the positive is missing below the line", "You computed S / P; the definition is S / (P + S), at most 1.", _ratio_without_positive
    ),
    Mistake(
        "the anchor itself stands below the line",
        "P + S runs over everybody except the anchor: mask the diagonal in that sum too.",
        _self_below,
    ),
    Mistake("the embeddings are not normalised", "Make every row a unit vector first: F.normalize(z, dim=1).", _q_not_normalised),
    Mistake("you multiplied by the temperature", "A small temperature must make differences larger: divide by it.", _q_times_temperature),
    Mistake(
        "the other images of the same view are missing",
        "You compare z1 with z2 only. Stack both views: each anchor has 2N - 2 negatives.",
        _q_other_view_only,
    ),
)


def _still_coupled(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, _, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, itself) - positive).mean()


def _self_kept(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, itself, same, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, same & ~itself) - positive).mean()


def _masked_with_zero(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return (scores.masked_fill(same, 0.0).logsumexp(dim=1) - positive).mean()


def _masked_by_adding(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return ((scores + same * math.log(1e-45)).logsumexp(dim=1) - positive).mean()


def _cross_view_only(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores = F.normalize(z1, dim=1) @ F.normalize(z2, dim=1).T / temperature
    twin = torch.eye(len(z1), dtype=torch.bool, device=z1.device)
    return (torch.cat([_log_sum(scores, twin), _log_sum(scores.T, twin)]) - scores.diagonal().repeat(2)).mean()


def _one_direction(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, same) - positive)[: len(z1)].mean()


def _both_directions_added(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return 2 * (_log_sum(scores, same) - positive).mean()


def _clipped(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, same) - positive).mean().clamp_min(0)


def _not_normalised(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature, unit=False)
    return (_log_sum(scores, same) - positive).mean()


def _positive_not_divided(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, same) - positive * temperature).mean()


def _cross_entropy_of_the_masked(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, _ = _parts(z1, z2, temperature)
    return F.cross_entropy(scores.masked_fill(same, -math.inf), torch.arange(len(scores), device=z1.device).roll(len(z1)))


def _summed(z1: Tensor, z2: Tensor, temperature: float = 0.1) -> Tensor:
    scores, _, same, positive = _parts(z1, z2, temperature)
    return (_log_sum(scores, same) - positive).sum()


DCL_LOSS = (
    Mistake(
        "the positive is still below the line",
        "That is InfoNCE. Mask the twin's column as well as the diagonal before the log-sum.",
        _still_coupled,
    ),
    Mistake(
        "the anchor is below the line in place of its twin",
        "You removed the twin and kept the anchor's cosine with itself, the largest of all. Both must go.",
        _self_kept,
    ),
    Mistake(
        "you masked with 0",
        "A score of 0 still adds exp(0) = 1 to the sum. Fill with -math.inf, so that exp gives 0.",
        _masked_with_zero,
    ),
    Mistake(
        "your mask leaks at small temperatures",
        "Adding log(1e-45), about -103, hides a score of 10 but not one of 200. Fill with -math.inf.",
        _masked_by_adding,
    ),
    Mistake(
        "the other images of the same view are missing",
        "Only the other view repels in your sum. Both views of every other image do: 2N - 2 terms.",
        _cross_view_only,
    ),
    Mistake("the anchors of the second view are missing", "The mean runs over all 2N anchors, those of both views.", _one_direction),
    Mistake(
        "your value is exactly twice the loss",
        "You added both directions (as one public training script does); the formula is the mean over all 2N anchors.",
        _both_directions_added,
    ),
    Mistake(
        "the positive was masked before it was read",
        "Under the mask the twin's own score is -inf, so the loss is infinite. Take the positives from the scores before you mask.",
        _cross_entropy_of_the_masked,
    ),
    Mistake("you added up the anchors", "The loss is the mean over the 2N anchors, not their sum.", _summed),
    Mistake("you clipped the loss at 0", "DCL has no floor at 0: well separated pairs give negative values. Don't clamp.", _clipped),
    Mistake("the embeddings are not normalised", "Make every row a unit vector first: F.normalize(z, dim=1).", _not_normalised),
    Mistake(
        "the positive is not divided by the temperature",
        "Both parts use the same scores: cosines divided by the temperature.",
        _positive_not_divided,
    ),
)


def _weights(z1: Tensor, z2: Tensor, sigma: float) -> Tensor:
    return F.cosine_similarity(z1, z2, dim=1).div(sigma).softmax(dim=0)


def _sum_not_mean(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return 2 - _weights(z1, z2, sigma)


def _softmax_alone(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return len(z1) * _weights(z1, z2, sigma)


def _one_minus(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return 1 - len(z1) * _weights(z1, z2, sigma)


def _times_sigma(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return 2 - len(z1) * _weights(z1, z2, 1 / sigma)


def _raw_product(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return 2 - len(z1) * ((z1 * z2).sum(dim=1) / sigma).softmax(dim=0)


def _sign(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return 2 - len(z1) * (-F.cosine_similarity(z1, z2, dim=1) / sigma).softmax(dim=0)


def _overflows(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    scale = (F.cosine_similarity(z1, z2, dim=1) / sigma).exp()
    return 2 - scale / scale.mean()


def _clamped(z1: Tensor, z2: Tensor, sigma: float = 0.5) -> Tensor:
    return (2 - len(z1) * _weights(z1, z2, sigma)).clamp_min(0)


DCLW_WEIGHTS = (
    Mistake(
        "you divided by the sum, not by the mean",
        "Below the line stands the mean over the batch, so the fraction is N times the softmax. The weights must average to 1.",
        _sum_not_mean,
    ),
    Mistake("the 2 - is missing", "You return the fraction alone, which is large for pairs that agree already.", _softmax_alone),
    Mistake("you started from 1", "The weight is 2 minus the fraction: the fraction averages 1, and so must the weight.", _one_minus),
    Mistake("you multiplied by sigma", "A small sigma must make differences larger: divide by it.", _times_sigma),
    Mistake("the embeddings are not normalised", "s is a cosine: both vectors have length 1.", _raw_product),
    Mistake("the sign of the exponent is wrong", "Pairs that agree must get the small weights: exp(+s / sigma), subtracted.", _sign),
    Mistake(
        "the exponentials overflow",
        "At a width of 0.01 a cosine near 1 asks for exp(100), which float32 doesn't hold. softmax subtracts the largest first.",
        _overflows,
    ),
    Mistake(
        "you clamped at 0",
        "Negative weights belong to the definition: at a narrow width an outstanding pair is pushed apart. (Whether that is wise is "
        "a question of its own.)",
        _clamped,
    ),
)
