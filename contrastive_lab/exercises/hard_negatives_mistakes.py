"""What goes wrong in the exercises of notebook 04, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake

MOMENTUM_UPDATE = (
    Mistake(
        "the roles are swapped",
        "The large weight, momentum, belongs to the twin: it stays nearly where it is.",
        lambda twin, network, momentum=0.99: (1 - momentum) * twin + momentum * network,
    ),
    Mistake(
        "the network is added at full weight",
        "The weights must add up to 1, or the parameters grow at every step: the network's is 1 - momentum.",
        lambda twin, network, momentum=0.99: momentum * twin + network,
    ),
    Mistake(
        "the twin keeps all of itself",
        "You add a part of the network without taking the same part of the twin away; the twin's weight is momentum.",
        lambda twin, network, momentum=0.99: twin + (1 - momentum) * network,
    ),
    Mistake(
        "the twin moves away from the network",
        "It goes from twin towards network: the step is (1 - momentum) * (network - twin), with this sign.",
        lambda twin, network, momentum=0.99: twin - (1 - momentum) * (network - twin),
    ),
    Mistake(
        "momentum is not used",
        "That is the plain mean of both. At momentum 0.99 one update moves the twin by a hundredth of the way.",
        lambda twin, network, momentum=0.99: (twin + network) / 2,
    ),
)


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


def _place(queue: Tensor, keys: Tensor, position: int) -> Tensor:
    return (int(position) + torch.arange(len(keys))) % len(queue)


def _raw_keys(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    return queue.index_copy(0, _place(queue, keys, position), keys)


def _columns(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    return queue.index_copy(0, _place(queue, keys, position), F.normalize(keys, dim=0))


def _from_the_start(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    return queue.index_copy(0, _place(queue, keys, 0), _unit(keys))


def _cut_at_the_end(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    new, fits = queue.clone(), len(queue) - int(position)
    new[int(position) : int(position) + len(keys)] = _unit(keys)[:fits]
    return new


def _shifted(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    return torch.cat([_unit(keys), queue])[: len(queue)]


def _shifted_the_other_way(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    return torch.cat([queue, _unit(keys)])[len(keys) :]


def _stay_at_the_end(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    return queue.index_copy(0, (len(queue) - len(keys) + torch.arange(len(keys))).clamp_min(0), _unit(keys))


ENQUEUE = (
    Mistake("the keys are not unit vectors", "Normalise each key, F.normalize(keys, dim=1), before it is stored.", _raw_keys),
    Mistake(
        "you normalised the columns", "dim=0 scales each coordinate over the batch; one key is one row, so normalise with dim=1.", _columns
    ),
    Mistake("the position is ignored", "You always write from row 0, so most of the queue stays old for ever.", _from_the_start),
    Mistake(
        "keys that go round the end are lost",
        "After row Q - 1 comes row 0: count the rows modulo the length of the queue.",
        _cut_at_the_end,
    ),
    Mistake(
        "you shifted the whole queue",
        "A ring doesn't move its rows; only those from position on are overwritten. (Shifting copies the whole queue at each step.)",
        _shifted,
    ),
    Mistake(
        "you dropped the first rows and put the keys behind the rest",
        "That moves every row at each step. In a ring all rows stay where they are, and only those from position on are overwritten.",
        _shifted_the_other_way,
    ),
    Mistake("you always overwrite the last rows", "The oldest rows begin at position, which moves on with each batch.", _stay_at_the_end),
)


def _loss(q: Tensor, k: Tensor, queue: Tensor, temperature: float, *, unit: bool = True) -> tuple[Tensor, Tensor]:
    if unit:
        q, k, queue = _unit(q), _unit(k), _unit(queue)
    return (q * k).sum(dim=1, keepdim=True) / temperature, q @ queue.T / temperature


def _cross_entropy(own: Tensor, others: Tensor) -> Tensor:
    return F.cross_entropy(torch.cat([own, others], dim=1), torch.zeros(len(own), dtype=torch.long))


def _own_above_only(q: Tensor, k: Tensor, queue: Tensor, temperature: float = 0.2) -> Tensor:
    own, others = _loss(q, k, queue, temperature)
    return (others.logsumexp(dim=1) - own[:, 0]).mean()


def _other_keys_too(q: Tensor, k: Tensor, queue: Tensor, temperature: float = 0.2) -> Tensor:
    _, others = _loss(q, k, torch.cat([k, queue]), temperature)
    return F.cross_entropy(others, torch.arange(len(q)))


def _target_is_the_row(q: Tensor, k: Tensor, queue: Tensor, temperature: float = 0.2) -> Tensor:
    own, others = _loss(q, k, queue, temperature)
    return F.cross_entropy(torch.cat([own, others], dim=1), torch.arange(len(q)))


def _own_is_last(q: Tensor, k: Tensor, queue: Tensor, temperature: float = 0.2) -> Tensor:
    own, others = _loss(q, k, queue, temperature)
    return F.cross_entropy(torch.cat([others, own], dim=1), torch.zeros(len(q), dtype=torch.long))


QUEUE_LOSS = (
    Mistake(
        "the temperature is missing",
        "Divide all scores by temperature.",
        lambda q, k, n, temperature=0.2: _cross_entropy(*_loss(q, k, n, 1.0)),
    ),
    Mistake(
        "you multiplied by the temperature",
        "A small temperature must make differences larger: divide by it.",
        lambda q, k, n, temperature=0.2: _cross_entropy(*_loss(q, k, n, 1 / temperature)),
    ),
    Mistake(
        "the vectors are not normalised",
        "Make rows of q, k and queue unit vectors first.",
        lambda q, k, n, temperature=0.2: _cross_entropy(*_loss(q, k, n, temperature, unit=False)),
    ),
    Mistake("the own key is missing below the line", "The sum has 1 + Q terms: the positive belongs to it.", _own_above_only),
    Mistake(
        "the other keys of the batch became negatives",
        "q @ k.T has a column for every key. Only the own one counts, (q * k).sum(dim=1); strangers come from the queue.",
        _other_keys_too,
    ),
    Mistake(
        "the target is the number of the row",
        "The own key stands in column 0 of every row, so the right class is 0 for all of them.",
        _target_is_the_row,
    ),
    Mistake(
        "the own key stands in the last column",
        "With target 0 you teach each query to find the first row of the queue. Put the own key first.",
        _own_is_last,
    ),
    Mistake(
        "the other queries share the sum",
        "One log-sum for each query, along dim=1, and the mean over queries last.",
        lambda q, k, n, temperature=0.2: (
            torch.cat(_loss(q, k, n, temperature), dim=1).flatten().logsumexp(dim=0) - _loss(q, k, n, temperature)[0].mean()
        ),
    ),
)


def _pick(hard: Tensor, rank: Tensor) -> Tensor:
    return hard[torch.arange(len(hard))[:, None], rank]


def _mixture(hard: Tensor, pairs: Tensor, alpha: Tensor) -> Tensor:
    share = alpha[..., None]
    return share * _pick(hard, pairs[..., 0]) + (1 - share) * _pick(hard, pairs[..., 1])


def _first_hard_set(hard: Tensor, pairs: Tensor, alpha: Tensor) -> Tensor:
    return _unit(_mixture(hard[:1].expand_as(hard), pairs, alpha))


MIX_PAIRS = (
    Mistake(
        "the mixtures are not on the sphere",
        "A chord lies inside the sphere: normalise the mixture, or it looks easier than it is.",
        _mixture,
    ),
    Mistake(
        "every query mixes the first query's negatives",
        "The ranks count in each query's own hard set. Index with the query's number as well (a public copy of MoCHi had this bug).",
        _first_hard_set,
    ),
    Mistake(
        "alpha multiplies the second of the pair",
        "alpha belongs to the first, 1 - alpha to the second.",
        lambda hard, pairs, alpha: _unit(_mixture(hard, pairs, 1 - alpha)),
    ),
    Mistake(
        "you normalised along the mixtures",
        "dim=1 runs over the s mixtures of a query; each vector is a row along the last axis, dim=-1.",
        lambda hard, pairs, alpha: F.normalize(_mixture(hard, pairs, alpha), dim=1),
    ),
    Mistake(
        "both negatives have the same weight",
        "That is the midpoint whatever alpha says; weigh with alpha and 1 - alpha.",
        lambda hard, pairs, alpha: _unit(_mixture(hard, pairs, torch.full_like(alpha, 0.5))),
    ),
)


def _toward(q: Tensor, hard: Tensor, index: Tensor, beta: Tensor) -> Tensor:
    share = beta[..., None]
    return share * q[:, None] + (1 - share) * _pick(hard, index)


MIX_QUERY = (
    Mistake(
        "beta multiplies the negative",
        "Then most of the 'negative' is the query itself. beta, at most one half, is the query's share.",
        lambda q, hard, index, beta: _unit(_toward(_unit(q), hard, index, 1 - beta)),
    ),
    Mistake(
        "the query is not a unit vector",
        "A long query gets more than its share: normalise it first.",
        lambda q, hard, index, beta: _unit(_toward(q, hard, index, beta)),
    ),
    Mistake(
        "the mixtures are not on the sphere",
        "Normalise the mixture along the last axis.",
        lambda q, hard, index, beta: _toward(_unit(q), hard, index, beta),
    ),
    Mistake(
        "every query mixes the first query's negatives",
        "Index the hard set with the query's number as well: hard[torch.arange(B)[:, None], index].",
        lambda q, hard, index, beta: _unit(_toward(_unit(q), hard[:1].expand_as(hard), index, beta)),
    ),
    Mistake(
        "every negative is mixed with the first query",
        "Row b of the result belongs to query b: q[:, None] keeps the queries apart.",
        lambda q, hard, index, beta: _unit(_toward(_unit(q[:1]).expand_as(q), hard, index, beta)),
    ),
)
