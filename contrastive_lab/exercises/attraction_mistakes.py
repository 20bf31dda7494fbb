"""What goes wrong in the exercises of notebook 03, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _view_costs(views: Tensor, *, unit: bool = True) -> tuple[Tensor, Tensor]:
    z = F.normalize(views, dim=2) if unit else views
    cost = (z[:, None] - z[None]).square().sum(dim=3)
    return cost, torch.eye(len(z), dtype=torch.bool, device=z.device)[:, :, None]


def _pull(cost: Tensor, itself: Tensor, t: float) -> Tensor:
    return ((t * cost).masked_fill(itself, -math.inf).softmax(dim=1) * cost).sum(dim=1).mean()


def _near_positives_first(views: Tensor, t_pos: float = 1.0) -> Tensor:
    return _pull(*_view_costs(views), -t_pos)


def _divided_by_t(views: Tensor, t_pos: float = 1.0) -> Tensor:
    return _pull(*_view_costs(views), 1 / t_pos)


def _own_positive(views: Tensor, t_pos: float = 1.0) -> Tensor:
    cost, itself = _view_costs(views)
    return _pull(cost, torch.zeros_like(itself), t_pos)


def _uniform(views: Tensor, t_pos: float = 1.0) -> Tensor:
    return _pull(*_view_costs(views), 0.0)


def _pull_not_normalised(views: Tensor, t_pos: float = 1.0) -> Tensor:
    return _pull(*_view_costs(views, unit=False), t_pos)


def _distance_not_squared(views: Tensor, t_pos: float = 1.0) -> Tensor:
    cost, itself = _view_costs(views)
    return _pull(cost.sqrt(), itself, t_pos)


def _pull_over_images(views: Tensor, t_pos: float = 1.0) -> Tensor:
    cost, itself = _view_costs(views)
    weight = (t_pos * cost).softmax(dim=2).masked_fill(itself, 0.0)
    return (weight * cost).sum(dim=2).sum() / (len(cost) * (len(cost) - 1))


def _pull_summed(views: Tensor, t_pos: float = 1.0) -> Tensor:
    return _pull(*_view_costs(views), t_pos) * views.shape[1]


def _half_the_pull(views: Tensor, t_pos: float = 1.0) -> Tensor:
    cost, itself = _view_costs(views)
    return _pull(cost / 2, itself, t_pos)


ATTRACTION = (
    Mistake(
        "near positives get the weight",
        "The exponent has the wrong sign: exp(+t c) makes FAR positives heavy, those that still have something to learn.",
        _near_positives_first,
    ),
    Mistake("you divided by t", "t multiplies the cost here: a large t means sharp, the opposite of a temperature.", _divided_by_t),
    Mistake(
        "each view is its own positive",
        "The diagonal (cost 0) takes part in your softmax and steals weight. Put -inf there.",
        _own_positive,
    ),
    Mistake("all positives weigh the same", "That is t = 0. Multiply the costs by t_pos before the softmax.", _uniform),
    Mistake("the embeddings are not normalised", "Costs are between unit vectors: F.normalize(views, dim=2).", _pull_not_normalised),
    Mistake("the distance is not squared", "The cost is the squared distance, 2 - 2 cosine.", _distance_not_squared),
    Mistake(
        "the cost is 1 - cosine", "That is half of the squared distance, in the weights as well: the cost is 2 - 2 cosine.", _half_the_pull
    ),
    Mistake(
        "the softmax runs over the images",
        "Positives of one image compete with each other: the softmax belongs on axis 1, over its views.",
        _pull_over_images,
    ),
    Mistake("you added up the images", "The loss is the mean over all V N anchors.", _pull_summed),
)


def _pair_costs(x: Tensor, y: Tensor, *, unit: bool = True) -> tuple[Tensor, Tensor]:
    x, y = (F.normalize(x, dim=1), F.normalize(y, dim=1)) if unit else (x, y)
    cost = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1) - 2 * x @ y.T
    return cost, torch.eye(len(x), dtype=torch.bool, device=x.device)


def _push(cost: Tensor, itself: Tensor, t: float) -> Tensor:
    return -((-t * cost).masked_fill(itself, -math.inf).softmax(dim=1) * cost).sum(dim=1).mean()


def _far_negatives_first(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    return _push(*_pair_costs(x, y), -t_neg)


def _minus_missing(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    return -_push(*_pair_costs(x, y), t_neg)


def _twin_repels(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return _push(cost, torch.zeros_like(itself), t_neg)


def _infinite_cost(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return _push(cost.masked_fill(itself, math.inf), itself, t_neg)


def _push_divided_by_t(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    return _push(*_pair_costs(x, y), 1 / t_neg)


def _same_view(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    return _push(*_pair_costs(x, x), t_neg)


def _push_not_normalised(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    return _push(*_pair_costs(x, y, unit=False), t_neg)


def _log_sum(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return (-t_neg * cost).masked_fill(itself, -math.inf).logsumexp(dim=1).mean()


def _columns(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return _push(cost.T, itself, t_neg)


def _half_the_push(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return _push(cost / 2, itself, t_neg)


def _masked_too_late(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return -((-t_neg * cost).softmax(dim=1).masked_fill(itself, 0.0) * cost).sum(dim=1).mean()


def _masked_with_zero(x: Tensor, y: Tensor, t_neg: float = 2.0) -> Tensor:
    cost, itself = _pair_costs(x, y)
    return -((-t_neg * cost).masked_fill(itself, 0.0).softmax(dim=1) * cost).sum(dim=1).mean()


REPULSION = (
    Mistake(
        "far negatives get the weight",
        "The exponent has the wrong sign. With + the far ones are pushed and the near ones left in peace: training collapses.",
        _far_negatives_first,
    ),
    Mistake("the minus in front is missing", "Cost to negatives must LOWER the loss: it is minus the weighted mean.", _minus_missing),
    Mistake("the twin is among the negatives", "Column i of row i is the other view of the same image. Mask it with -inf.", _twin_repels),
    Mistake(
        "you masked the cost with infinity",
        "A weight of 0 times an infinite cost is not a number. Mask the scores only; a finite cost with weight 0 does no harm.",
        _infinite_cost,
    ),
    Mistake(
        "you masked after the softmax",
        "The twin took its share before you removed it, so the weights that are left don't add up to 1. Mask the scores first.",
        _masked_too_late,
    ),
    Mistake(
        "you masked with 0",
        "A score of 0 is the largest here, since all others are below 0: the twin outweighs every negative. Fill with -inf.",
        _masked_with_zero,
    ),
    Mistake(
        "the cost is 1 - cosine", "That is half of the squared distance, in the weights as well: the cost is 2 - 2 cosine.", _half_the_push
    ),
    Mistake("you divided by t", "t multiplies the cost here: a large t means sharp.", _push_divided_by_t),
    Mistake("the negatives come from the wrong view", "The anchors are rows of x, their negatives rows of y.", _same_view),
    Mistake("the embeddings are not normalised", "Costs are between unit vectors: F.normalize(x, dim=1).", _push_not_normalised),
    Mistake(
        "that is the log-sum of InfoNCE",
        "The loss is the weighted mean of the costs, not the logarithm of the sum of the weights' numerators.",
        _log_sum,
    ),
    Mistake("anchors and negatives are exchanged", "Row i of the costs belongs to anchor x[i]: the softmax runs along dim=1.", _columns),
)


def _slopes(cost: Tensor, t: float) -> tuple[Tensor, Tensor]:
    weight = (-t * cost).softmax(dim=0)
    return weight, cost - (weight * cost).sum()


def _weights_fixed(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    return -_slopes(cost, t_neg)[0]


def _bracket_sign(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    weight, gap = _slopes(cost, t_neg)
    return -weight * (1 + t_neg * gap)


def _no_minus(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    weight, gap = _slopes(cost, t_neg)
    return weight * (1 - t_neg * gap)


def _no_t(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    weight, gap = _slopes(cost, t_neg)
    return -weight * (1 - gap)


def _no_mean(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    return -_slopes(cost, t_neg)[0] * (1 - t_neg * cost)


def _plain_mean(cost: Tensor, t_neg: float = 2.0) -> Tensor:
    return -_slopes(cost, t_neg)[0] * (1 - t_neg * (cost - cost.mean()))


PUSH_SLOPES = (
    Mistake("you kept the weights fixed", "That is the answer with detached weights; here they change with the costs too.", _weights_fixed),
    Mistake(
        "the sign in the bracket is wrong",
        "A larger cost LOWERS its own weight, since the softmax is of -t c: the bracket is 1 minus t times the gap.",
        _bracket_sign,
    ),
    Mistake("the minus in front is missing", "r is minus the weighted cost.", _no_minus),
    Mistake("t is missing in the bracket", "The derivative of exp(-t c) brings down a factor t.", _no_t),
    Mistake(
        "the mean cost is missing",
        "The softmax is normalised: raising one score lowers the others. That brings in the weighted mean cost.",
        _no_mean,
    ),
    Mistake("you took the plain mean of the costs", "The mean cost in the bracket is weighted with the weights themselves.", _plain_mean),
)
