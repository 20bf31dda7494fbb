"""Exercises of notebook 04: the slow twin, the ring of keys, the loss with a queue, and the two ways to mix a harder negative."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises import hard_negatives_mistakes as wrong
from contrastive_lab.exercises.exercise import Case, Exercise, seeded


def momentum_update(twin: Tensor, network: Tensor, momentum: float = 0.99) -> Tensor:
    """The twin's parameters after one update; both tensors have one shape."""
    return momentum * twin + (1 - momentum) * network


def enqueue(queue: Tensor, keys: Tensor, position: int = 0) -> Tensor:
    """The ring `queue` (Q, D) with unit keys (B, D) in the rows from `position` on, going round at the end; B is at most Q."""
    place = (position + torch.arange(len(keys))) % len(queue)
    return queue.index_copy(0, place, F.normalize(keys, dim=1).detach())


def queue_loss(q: Tensor, k: Tensor, queue: Tensor, temperature: float = 0.2) -> Tensor:
    """InfoNCE of queries q (B, D) against their own keys k (B, D) and the queue (Q, D)."""
    q, k, queue = (F.normalize(x, dim=1) for x in (q, k.detach(), queue.detach()))
    own = (q * k).sum(dim=1, keepdim=True)
    scores = torch.cat([own, q @ queue.T], dim=1) / temperature
    return F.cross_entropy(scores, torch.zeros(len(q), dtype=torch.long))


def mix_pairs(hard: Tensor, pairs: Tensor, alpha: Tensor) -> Tensor:
    """Unit mixtures (B, s, D) of pairs (B, s, 2) of each query's hard negatives (B, n, D); alpha (B, s) multiplies the first."""
    query = torch.arange(len(hard))[:, None]
    first, second = hard[query, pairs[..., 0]], hard[query, pairs[..., 1]]
    share = alpha[..., None]
    return F.normalize(share * first + (1 - share) * second, dim=-1).detach()


def mix_query(q: Tensor, hard: Tensor, index: Tensor, beta: Tensor) -> Tensor:
    """Unit mixtures (B, t, D) of the query (B, D) with its hard negatives number index (B, t); beta (B, t) multiplies the query."""
    query = torch.arange(len(hard))[:, None]
    share = beta[..., None]
    return F.normalize(share * F.normalize(q, dim=1)[:, None] + (1 - share) * hard[query, index], dim=-1).detach()


def _parameters() -> Sequence[Case]:
    return (
        Case("5 parameters at momentum 0.99", (seeded(5, seed=1), seeded(5, seed=2)), {"momentum": 0.99}),
        Case("a matrix at momentum 0.5", (seeded(3, 4, seed=3), seeded(3, 4, seed=4)), {"momentum": 0.5}),
        Case("a twin that never moves (momentum 1)", (seeded(4, seed=5), seeded(4, seed=6)), {"momentum": 1.0}),
        Case("a twin that is a copy (momentum 0)", (seeded(4, seed=5), seeded(4, seed=6)), {"momentum": 0.0}),
    )


def _rings() -> Sequence[Case]:
    ring, keys = F.normalize(seeded(7, 3, seed=1), dim=1), 2 * seeded(3, 3, seed=2)
    return (
        Case("3 keys into the first rows of 7", (ring, keys), {"position": 0}),
        Case("3 keys in the middle", (ring, keys), {"position": 3}),
        Case("3 keys from row 5 on, so that the last goes round", (ring, keys), {"position": 5}),
        Case("7 keys that fill the whole ring", (ring, seeded(7, 3, seed=4)), {"position": 4}),
    )


def _queries() -> Sequence[Case]:
    q, k, queue = seeded(4, 5, seed=1), seeded(4, 5, seed=2), seeded(9, 5, seed=3)
    return (
        Case("4 queries, keys nearby, 9 rows in the queue", (q, q + 0.5 * k, queue), {"temperature": 0.2}),
        Case("4 queries with unrelated keys, temperature 0.5", (q, k, queue), {"temperature": 0.5}),
        Case("1 query", (q[:1], k[:1], queue), {"temperature": 0.2}),
        Case("a very small temperature of 0.01", (q, q + 0.5 * k, queue), {"temperature": 0.01}),
    )


def _hard() -> tuple[Tensor, torch.Generator]:
    return F.normalize(seeded(3, 4, 5, seed=1), dim=-1), torch.Generator().manual_seed(2)


def _pair_draws() -> Sequence[Case]:
    hard, dice = _hard()
    pairs = torch.randint(4, (3, 6, 2), generator=dice)
    halves = torch.full((3, 6), 0.5)
    return (
        Case("3 queries, 4 hard negatives, 6 mixtures", (hard, pairs, torch.rand(3, 6, generator=dice)), {}),
        Case("mixtures half and half", (hard, pairs, halves), {}),
        Case("one query, alpha 0.2", (hard[:1], pairs[:1], torch.full((1, 6), 0.2)), {}),
    )


def _single_draws() -> Sequence[Case]:
    hard, dice = _hard()
    index = torch.randint(4, (3, 6), generator=dice)
    q = 3 * seeded(3, 5, seed=7)
    return (
        Case("3 queries, 6 mixtures", (q, hard, index, torch.rand(3, 6, generator=dice) / 2), {}),
        Case("beta 0: the negatives themselves", (q, hard, index, torch.zeros(3, 6)), {}),
        Case("one query, beta 0.4", (q[:1], hard[:1], index[:1], torch.full((1, 6), 0.4)), {}),
    )


MOMENTUM_UPDATE = Exercise(
    name="momentum_update",
    title="The twin follows slowly",
    statement=r"""
After each optimiser step every parameter of the twin moves a little towards the trained network:

$$\theta_k\leftarrow m\,\theta_k+(1-m)\,\theta_q .$$

Return the twin's new value. `momentum` is $m$; at $m=1$ the twin never moves.""",
    minutes=3,
    difficulty=1,
    hints=(
        "Test yourself at the ends: which of the two tensors has to come out at $m=1$, which at $m=0$?",
        "It is a weighted mean; both weights add up to 1, so two equal tensors stay as they are.",
        "`momentum * twin + (1 - momentum) * network`.",
    ),
    solution=momentum_update,
    mistakes=wrong.MOMENTUM_UPDATE,
    gradient="none",
    cases=_parameters,
)

ENQUEUE = Exercise(
    name="enqueue",
    title="A ring of keys",
    statement=r"""
The queue is a ring of $Q$ rows. New keys overwrite the oldest rows: those from `position` on, and after the last row it goes on with row 0.
Return a *new* queue; the keys come in any length and are stored as unit vectors.""",
    minutes=8,
    difficulty=2,
    hints=(
        "Which rows are overwritten? Write them down for $Q=7$, three keys and position 5: rows 5, 6 and 0.",
        "`(position + torch.arange(len(keys))) % len(queue)` lists them. Normalise the keys along the feature axis, `dim=1`.",
        "`queue.index_copy(0, place, keys)` returns a copy with those rows replaced; "
        "without the underscore at its end it leaves its input alone.",
    ),
    solution=enqueue,
    mistakes=wrong.ENQUEUE,
    gradient="none",
    cases=_rings,
)

QUEUE_LOSS = Exercise(
    name="queue_loss",
    title="InfoNCE with a queue",
    statement=r"""
Each query $q_i$ has one positive, its own key $k_i$, and the same $Q$ negatives $n_j$ as every other query. With unit vectors

$$\mathcal L=\frac1B\sum_i\Big[-\frac{q_i^\top k_i}{\tau}+\log\Big(e^{q_i^\top k_i/\tau}+\sum_{j=1}^{Q}e^{q_i^\top n_j/\tau}\Big)\Big].$$

Keys and queue come from the twin: no gradient may reach them.""",
    minutes=10,
    difficulty=2,
    hints=(
        "Each row is a classification with $1+Q$ candidates. Put the score of the own key in column 0; "
        "then the right class is 0 for every row.",
        "The own key: `(q * k).sum(dim=1, keepdim=True)`, not `q @ k.T`, which would also give the keys of the other images.",
        "`torch.cat([own, q @ queue.T], dim=1) / temperature`, then `F.cross_entropy` with a target of zeros (`dtype=torch.long`).",
    ),
    solution=queue_loss,
    mistakes=wrong.QUEUE_LOSS,
    gradient="same",
    cases=_queries,
)

MIX_PAIRS = Exercise(
    name="mix_pairs",
    title="Mix two hard negatives",
    statement=r"""
For query $b$ and mixture $m$ take two rows $n_i,n_j$ of *its own* hard set and return

$$h_m=\frac{\alpha_m n_i+(1-\alpha_m)n_j}{\lVert\alpha_m n_i+(1-\alpha_m)n_j\rVert_2},\qquad (i,j)=\texttt{pairs[b, m]} .$$

The mixtures are constants of the loss: no gradient may pass through them.""",
    minutes=12,
    difficulty=2,
    hints=(
        "Get the two negatives first: both have shape (B, s, D). Each query has its own hard set, "
        "so the index needs the query's number too.",
        "`hard[query, pairs[..., 0]]` with `query = torch.arange(len(hard))[:, None]` picks row by row.",
        "alpha has shape (B, s); `alpha[..., None]` lets it multiply vectors. Last, `F.normalize(..., dim=-1).detach()` goes back to the "
        "sphere and lets no gradient through.",
    ),
    solution=mix_pairs,
    mistakes=wrong.MIX_PAIRS,
    gradient="constant",
    cases=_pair_draws,
)

MIX_QUERY = Exercise(
    name="mix_query",
    title="Mix a hard negative with the query",
    statement=r"""
$$h'_m=\frac{\beta_m q+(1-\beta_m)n_j}{\lVert\beta_m q+(1-\beta_m)n_j\rVert_2},\quad j=\texttt{index[b, m]},\quad 0\le\beta_m\le\tfrac12 .$$

The query comes in any length; make it a unit vector first. The hard negatives are unit vectors already. The mixtures are constants of the
loss: no gradient may pass through them, not even to the query.""",
    minutes=8,
    difficulty=2,
    hints=(
        "It is the same as before with the query in the place of the first negative.",
        "The query has shape (B, D) and the negatives (B, t, D): give it an axis, `q[:, None]`.",
        "beta multiplies the *query*. At beta 0 the negative itself has to come out. `.detach()` at the end keeps the gradient out.",
    ),
    solution=mix_query,
    mistakes=wrong.MIX_QUERY,
    gradient="constant",
    cases=_single_draws,
)

ALL = (MOMENTUM_UPDATE, ENQUEUE, QUEUE_LOSS, MIX_PAIRS, MIX_QUERY)
