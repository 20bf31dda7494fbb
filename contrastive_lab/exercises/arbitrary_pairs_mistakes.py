"""What goes wrong in the exercises of notebook 08, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


def _cosines(queries: Tensor, filtered: Tensor) -> Tensor:
    """Cosines of queries (B, D) with keys as each of them sees these (B, M, D)."""
    return (_unit(queries)[:, None] * _unit(filtered)).sum(dim=2)


def _not_normalised(z: Tensor, keys: Tensor, gate: Tensor) -> Tensor:
    return (gate * z)[:, None].mul(gate[:, None] * keys).sum(dim=2)


def _normalise_first(z: Tensor, keys: Tensor, gate: Tensor) -> Tensor:
    return (gate.square() * _unit(z)) @ _unit(keys).T


def _gate_once(z: Tensor, keys: Tensor, gate: Tensor) -> Tensor:
    lengths = (gate * z).norm(dim=1)[:, None] * (gate[:, None] * keys).norm(dim=2)
    return (gate * z) @ keys.T / lengths.clamp_min(1e-12)


def _over_the_keys(z: Tensor, keys: Tensor, gate: Tensor) -> Tensor:
    return (_unit(gate * z)[:, None] * F.normalize(gate[:, None] * keys, dim=1)).sum(dim=2)


GATED_SIMILARITY = (
    Mistake(
        "the keys are not filtered",
        "The query's gate filters the keys too; otherwise closed coordinates still count in their length.",
        lambda z, keys, gate: _cosines(gate * z, keys.expand(len(z), -1, -1)),
    ),
    Mistake(
        "the query is not filtered",
        "The gate filters both sides of the comparison: gate * z as well.",
        lambda z, keys, gate: _cosines(z, gate[:, None] * keys),
    ),
    Mistake(
        "each key got its own gate",
        "The gate belongs to the query that asks: row b of gate filters all keys that query b meets.",
        lambda z, keys, gate: _cosines(gate * z, (gate * keys).expand(len(z), -1, -1)),
    ),
    Mistake("the filtered vectors are not normalised", "Divide by both lengths, those of the filtered vectors.", _not_normalised),
    Mistake(
        "you normalised before the gate",
        "Filter first, then normalise: the cosine lives inside the subspace. (The other order is a later variant of the method.)",
        _normalise_first,
    ),
    Mistake("the gate enters the product once", "Both vectors are filtered, so the product has the gate twice: g squared.", _gate_once),
    Mistake(
        "you normalised over the keys",
        "In (B, M, D) dim=1 are the keys (and what F.normalize takes unasked); a key's own vector lies along dim=2.",
        _over_the_keys,
    ),
    Mistake(
        "queries and keys are exchanged",
        "Entry [b, n] belongs to query b and key n: you returned the matrix transposed.",
        lambda z, keys, gate: _cosines(gate * z, gate[:, None] * keys).T,
    ),
    Mistake("the gate is not used", "These are plain cosines.", lambda z, keys, gate: _unit(z) @ _unit(keys).T),
)


def _masks(labels: Tensor, partners: Tensor) -> tuple[Tensor, Tensor]:
    positive = labels == partners[:, None]
    return positive, ~positive & (labels != labels[:, None])


def _terms(scores: Tensor, negative: Tensor) -> Tensor:
    strangers = scores.masked_fill(~negative, -math.inf).logsumexp(dim=1, keepdim=True)
    return torch.logaddexp(scores, strangers) - scores


def _own_class_repels(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, _ = _masks(labels, partners)
    return _terms(scores, ~positive)[positive].mean()


def _partner_ignored(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    own = labels == labels[:, None]
    return _terms(scores, ~own)[own].mean()


def _positives_compete(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    level = scores.masked_fill(~(positive | negative), -math.inf).logsumexp(dim=1, keepdim=True)
    return (level - scores)[positive].mean()


def _negatives_only(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    return (scores.masked_fill(~negative, -math.inf).logsumexp(dim=1, keepdim=True) - scores)[positive].mean()


def _per_query(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    terms = torch.where(positive, _terms(scores, negative), 0.0)
    return (terms.sum(dim=1) / positive.sum(dim=1)).mean()


def _all_entries(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    return torch.where(positive, _terms(scores, negative), 0.0).mean()


def _summed(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    return _terms(scores, negative)[positive].sum()


def _turned_over(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive = labels[:, None] == partners
    return _terms(scores, ~positive & (labels != labels[:, None]))[positive].mean()


def _same_wish(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive = partners == partners[:, None]
    return _terms(scores, ~positive & (labels != labels[:, None]))[positive].mean()


def _zeros_stay(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    strangers = (scores * negative).logsumexp(dim=1, keepdim=True)
    return (torch.logaddexp(scores, strangers) - scores)[positive].mean()


def _without_itself(scores: Tensor, labels: Tensor, partners: Tensor) -> Tensor:
    positive, negative = _masks(labels, partners)
    return _terms(scores, negative)[positive & ~torch.eye(len(labels), dtype=torch.bool)].mean()


PAIR_LOSS = (
    Mistake(
        "the own class repels",
        "When a cat looks for trucks, other cats are neither wanted nor unwanted: leave the row's own class out of the negatives.",
        _own_class_repels,
    ),
    Mistake(
        "the partners are ignored",
        "Positive are the columns of the partner class, labels == partners[:, None]; you took the own class.",
        _partner_ignored,
    ),
    Mistake(
        "the positives compete with one another",
        "Below the line stand one positive and the negatives: logaddexp(score, log-sum of the negatives), for each positive by itself.",
        _positives_compete,
    ),
    Mistake(
        "rows and columns are exchanged",
        "A row is a query: positive are the columns whose label is the row's partner, labels == partners[:, None].",
        _turned_over,
    ),
    Mistake(
        "images with the same wish are paired",
        "The partner names a class: compare it with the labels of the columns, not with their partners.",
        _same_wish,
    ),
    Mistake(
        "the masked entries still count",
        "A 0 among the scores adds e^0 = 1 to the sum. Fill with minus infinity, whose exponential is 0.",
        _zeros_stay,
    ),
    Mistake(
        "the image itself is left out",
        "In this exercise every column of the partner class counts; where a class is its own partner, that includes the diagonal.",
        _without_itself,
    ),
    Mistake("the positive is missing below the line", "The sum is over the negatives and the positive itself.", _negatives_only),
    Mistake(
        "you averaged over queries",
        "All positive entries of the batch count equally: terms[positive].mean(). A query with many partners counts more.",
        _per_query,
    ),
    Mistake("you averaged over all entries", "Divide by the number of positive entries, not by B times M.", _all_entries),
    Mistake("you added the entries up", "The loss is the mean over the positive entries.", _summed),
)

CLASS_RELATIONS = (
    Mistake(
        "the gates are not centred",
        "Take away the mean over classes first; otherwise all cosines lie close together near 1.",
        lambda gates: _unit(gates) @ _unit(gates).T,
    ),
    Mistake(
        "you centred each gate by itself",
        "dim=1 takes away a gate's own mean (that gives correlations). The shared part is the mean over classes, dim=0.",
        lambda gates: _unit(gates - gates.mean(dim=1, keepdim=True)) @ _unit(gates - gates.mean(dim=1, keepdim=True)).T,
    ),
    Mistake(
        "one number was taken away from all",
        "The shared part differs from coordinate to coordinate: gates.mean(dim=0), a vector of length D.",
        lambda gates: _unit(gates - gates.mean()) @ _unit(gates - gates.mean()).T,
    ),
    Mistake(
        "you normalised before centring",
        "Centre first. After centring, the rows have other lengths than before.",
        lambda gates: (_unit(gates) - _unit(gates).mean(dim=0)) @ (_unit(gates) - _unit(gates).mean(dim=0)).T,
    ),
    Mistake(
        "the rows are not normalised",
        "A cosine divides by both lengths: F.normalize(..., dim=1) after centring.",
        lambda gates: (gates - gates.mean(dim=0)) @ (gates - gates.mean(dim=0)).T,
    ),
    Mistake(
        "you normalised the columns",
        "dim=0 gives every coordinate the same weight; a cosine needs rows of length one, dim=1.",
        lambda gates: F.normalize(gates - gates.mean(dim=0), dim=0) @ F.normalize(gates - gates.mean(dim=0), dim=0).T,
    ),
)
