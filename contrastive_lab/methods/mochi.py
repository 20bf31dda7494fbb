"""MoCHi: mixtures of the hardest negatives as further negatives, on top of MoCo-v2.

Kalantidis, Sariyildiz, Pion, Weinzaepfel, Larlus: Hard Negative Mixing for Contrastive Learning (NeurIPS 2020).

For each query the N queue rows most similar to it are mixed with each other (h) and with the query itself (h'), pushed back to
the sphere, and join the negatives. In `contrast` that is one argument: `extra`.

Deviations and choices
* The authors' training code is not public; equations and ranges follow the paper. The two rows of a pair are distinct, which the paper
  leaves open.
* No gradient passes through a synthetic point, not even through the query inside h'.
* On ten classes the hard set is full of false negatives (chance alone is 10 %); `exclude` removes them with labels as an oracle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from contrastive_lab.contrast import Temperature, check_positive, contrast, readable, unit
from contrastive_lab.gather import world_size
from contrastive_lab.methods.method import DataKind, Recipe
from contrastive_lab.methods.moco import Memory, MoCo, check_queries, info_nce_queue, queue_scores
from contrastive_lab.networks import Backbone


class Draws(NamedTuple):
    """The random choices behind the mixtures. `pairs` and `singles` are ranks in the hard set, 0 the hardest; beta multiplies the query."""

    pairs: Int64[Tensor, "B s 2"]
    alpha: Float[Tensor, "B s"]
    singles: Int64[Tensor, "B t"]
    beta: Float[Tensor, "B t"]


class Parts(NamedTuple):
    """Scores (cosine / temperature) of everything a query meets, for plots; the hard set and what was drawn from it."""

    positive: Float[Tensor, "B 1"]
    queue: Float[Tensor, "B Q"]
    pairs: Float[Tensor, "B s"]
    queries: Float[Tensor, "B t"]
    hard: Int64[Tensor, "B n"]
    draws: Draws


def hard_negative_indices(
    q: Float[Tensor, "B D"],
    queue: Float[Tensor, "Q D"],
    *,
    n_hard: int,
    exclude: Bool[Tensor, "B Q"] | None = None,
    check_finite: bool = True,
) -> Int64[Tensor, "B n"]:
    """Positions of the `n_hard` queue rows with the largest cosine, for each query its own, hardest first."""
    check_queries(q, q, queue, exclude, check_finite=check_finite)
    allowed = len(queue) if exclude is None else int((~exclude).sum(dim=1).min())
    if not 1 <= n_hard <= allowed:
        raise ValueError(f"n_hard is {n_hard}, but must lie between 1 and {allowed}, the number of negatives of some query")
    _, scores = queue_scores(q, q, queue, temperature=1.0, exclude=exclude)
    return scores.detach().topk(n_hard, dim=1).indices


@torch.no_grad()
def mix_negative_pairs(hard: Float[Tensor, "B n D"], pairs: Int64[Tensor, "B s 2"], alpha: Float[Tensor, "B s"]) -> Float[Tensor, "B s D"]:
    """h = unit(alpha n_i + (1 - alpha) n_j): points on the arc between two hard negatives; they can be harder than both."""
    _check_mixture(hard, "pairs", pairs, "alpha", alpha, each=(2,))
    _check_share("alpha", alpha, 1.0)
    _check_ranks("pairs", pairs, hard.shape[1])
    weight = alpha[..., None]
    return unit(weight * _pick(hard, pairs[..., 0]) + (1 - weight) * _pick(hard, pairs[..., 1]))


@torch.no_grad()
def mix_with_query(
    q: Float[Tensor, "B D"], hard: Float[Tensor, "B n D"], index: Int64[Tensor, "B t"], beta: Float[Tensor, "B t"]
) -> Float[Tensor, "B t D"]:
    """h' = unit(beta q + (1 - beta) n_j) with beta at most one half: past the negative, never past the midpoint to the query."""
    _check_mixture(hard, "index", index, "beta", beta)
    if q.shape != (len(hard), hard.shape[2]):
        raise ValueError(f"q has shape {tuple(q.shape)}, but must be {(len(hard), hard.shape[2])} like the hard negatives")
    _check_share("beta", beta, 0.5)
    _check_ranks("index", index, hard.shape[1])
    weight = beta[..., None]
    return unit(weight * unit(q)[:, None] + (1 - weight) * _pick(hard, index))


def mochi_loss(
    q: Float[Tensor, "B D"],
    k: Float[Tensor, "B D"],
    queue: Float[Tensor, "Q D"],
    *,
    temperature: Temperature = 0.2,
    n_hard: int = 256,
    s: int = 256,
    s_prime: int = 32,
    generator: torch.Generator | None = None,
    draws: tuple[Tensor, Tensor, Tensor, Tensor] | None = None,
    exclude: Bool[Tensor, "B Q"] | None = None,
    return_parts: bool = False,
    check_finite: bool = True,
) -> Float[Tensor, ""] | tuple[Float[Tensor, ""], Parts]:
    """InfoNCE with queue, `s` pair mixtures and `s_prime` query mixtures of the `n_hard` hardest negatives of each query.

    `draws` (pairs, alpha, singles, beta) replaces the random choices and is taken as it is. With `return_parts` also the scores (`Parts`).
    Non-finite values raise, or without `check_finite`, which waits for the device, make the loss non-finite.
    """
    check_queries(q, k, queue, exclude, check_finite=check_finite)
    check_positive(temperature=temperature)
    hard_index = hard_negative_indices(q, queue, n_hard=n_hard, exclude=exclude, check_finite=False)
    twin, negatives = queue_scores(q, k, queue, temperature=temperature, exclude=exclude)
    with torch.no_grad():
        chosen = draw(len(q), n_hard=n_hard, s=s, s_prime=s_prime, generator=generator, device=q.device) if draws is None else Draws(*draws)
        hard = unit(queue)[hard_index]
        pairs, singles = mix_negative_pairs(hard, chosen.pairs, chosen.alpha), mix_with_query(q, hard, chosen.singles, chosen.beta)
        synthetic = torch.cat([pairs, singles], dim=1)
    with torch.autocast(q.device.type, enabled=False):
        mixed = torch.einsum("bd,bsd->bs", unit(q), synthetic) / temperature
    loss = contrast(twin, torch.ones_like(twin, dtype=torch.bool), extra=torch.cat([negatives, mixed], dim=1))
    if not return_parts:
        return loss
    count = chosen.alpha.shape[1]
    return loss, Parts(twin, negatives, mixed[:, :count], mixed[:, count:], hard_index, chosen)


def draw(
    count: int, *, n_hard: int, s: int, s_prime: int, generator: torch.Generator | None = None, device: torch.device | None = None
) -> Draws:
    """Random choices for `count` queries, each its own: alpha uniform on (0, 1), beta on (0, 0.5), the rows of a pair distinct."""
    if s < 0 or s_prime < 0:
        raise ValueError(f"s is {s} and s_prime is {s_prime}, but both must be at least 0")
    if s > 0 and n_hard < 2:
        raise ValueError(f"n_hard is {n_hard}, but pairs of distinct negatives (s={s}) need at least 2")
    first = torch.randint(n_hard, (count, s), generator=generator, device=device)
    step = torch.randint(1, max(n_hard, 2), (count, s), generator=generator, device=device)
    alpha = torch.rand(count, s, generator=generator, device=device)
    index = torch.randint(n_hard, (count, s_prime), generator=generator, device=device)
    beta = torch.rand(count, s_prime, generator=generator, device=device) / 2
    return Draws(torch.stack([first, (first + step) % n_hard], dim=-1), alpha, index, beta)


def _pick(hard: Tensor, rank: Tensor) -> Tensor:
    # Row by row: indices into a flattened table would give every query the first query's hard set.
    return hard.gather(1, rank[..., None].expand(-1, -1, hard.shape[-1]))


def _check_mixture(hard: Tensor, name: str, ranks: Tensor, share_name: str, share: Tensor, *, each: tuple[int, ...] = ()) -> None:
    # One row too few would broadcast or, in gather, silently leave queries out.
    if hard.ndim != 3 or share.ndim != 2 or len(share) != len(hard) or ranks.shape != (*share.shape, *each):
        shapes = f"hard {tuple(hard.shape)}, {name} {tuple(ranks.shape)} and {share_name} {tuple(share.shape)}"
        wanted = ", ".join(["(B, n, D)", f"(B, s{''.join(f', {count}' for count in each)})", "(B, s)"])
        raise ValueError(f"{shapes} don't fit; they are {wanted}, with one row for each of B queries")


def _check_share(name: str, share: Tensor, most: float) -> None:
    if share.numel() and readable(share) and not (share.min() >= 0 and share.max() <= most):
        raise ValueError(f"{name} reaches from {share.min():g} to {share.max():g}, but must stay in [0, {most:g}]")


def _check_ranks(name: str, ranks: Tensor, count: int) -> None:
    if ranks.numel() and readable(ranks) and not (ranks.min() >= 0 and ranks.max() < count):
        raise ValueError(f"{name} reaches from {ranks.min()} to {ranks.max()}, but must stay in 0..{count - 1}, ranks in the hard set")


class MoCHi(MoCo):
    """MoCo-v2 whose loss meets synthetic negatives once `warmup_epochs` are over.

    Without a number these are the paper's 10 epochs, or a tenth of a run shorter than 100. `oracle` excludes queue rows of the query's own
    class: an upper bound that needs labels, not a method.
    """

    name = "mochi"
    title = "MoCHi"
    paper = "Kalantidis et al. 2020, arXiv 2010.01028"

    def __init__(
        self,
        encoder: Backbone,
        *,
        n_hard: int = 256,
        s: int = 256,
        s_prime: int = 32,
        warmup_epochs: float | int | None = None,
        oracle: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(encoder, **options)
        if n_hard > len(self.queue.rows):
            raise ValueError(f"n_hard is {n_hard}, but the queue has {len(self.queue.rows)} rows; take fewer or a longer queue")
        draw(1, n_hard=n_hard, s=s, s_prime=s_prime)
        self.n_hard, self.s, self.s_prime, self.warmup_epochs, self.oracle = n_hard, s, s_prime, warmup_epochs, oracle
        self.graph = None if oracle else "match"  # the oracle must look how many negatives it leaves

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """MoCo's, with the paper's proportions to the queue: N about 6 %, s + s' about 7 %."""
        base = MoCo.recipe(data)
        sizes = {"scenes": (64, 64, 8), "cifar10": (256, 256, 32), "stl10": (128, 128, 16)}[data]
        options = dict(base.options) | dict(zip(("n_hard", "s", "s_prime"), sizes, strict=True))
        if data == "scenes":
            options["warmup_epochs"] = 2
        return Recipe(base.optimizer, base.lr, base.weight_decay, base.batch_size, base.warmup_epochs, options)

    def choices(self, view: Tensor) -> Draws | None:
        """What will be mixed with what; nothing during the warm-up."""
        whole = self.progress.steps / self.progress.steps_per_epoch
        if self.progress.epoch < (min(10.0, whole / 10) if self.warmup_epochs is None else self.warmup_epochs):
            return None
        sizes = {"n_hard": self.n_hard, "s": self.s, "s_prime": self.s_prime}
        return draw(len(view) * world_size(), **sizes, generator=self.dice(view.device), device=view.device)

    def compare(
        self,
        q: Float[Tensor, "B D"],
        k: Float[Tensor, "B D"],
        memory: Memory,
        labels: Int64[Tensor, "B"] | None,
        choices: tuple[Tensor, ...] | None,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        exclude = self._own_class(memory, labels) if self.oracle else None
        logs = self.diagnose(q.detach(), k, memory, labels)
        if choices is None:
            return info_nce_queue(q, k, memory.rows, temperature=self.temperature, exclude=exclude, check_finite=False), logs
        loss, parts = mochi_loss(
            q,
            k,
            memory.rows,
            temperature=self.temperature,
            n_hard=self.n_hard,
            s=self.s,
            s_prime=self.s_prime,
            draws=Draws(*choices),
            exclude=exclude,
            return_parts=True,
            check_finite=False,
        )
        if labels is not None and self.s + self.s_prime > 0:
            logs["false negatives among synthetics"] = false_share(parts, labels[:, None] == memory.labels)
        return loss, logs | synthetic_mass(parts)

    def _own_class(self, memory: Memory, labels: Int64[Tensor, "B"] | None) -> Bool[Tensor, "B Q"]:
        if labels is None:
            raise ValueError("oracle is True but the batch has no labels; train on labelled images or set oracle=False")
        return labels[:, None] == memory.labels


@torch.no_grad()
def synthetic_mass(parts: Parts) -> dict[str, Tensor]:
    """Softmax mass of the synthetic negatives among all negatives, and the proxy accuracy against real and synthetic ones."""
    real, mixed = parts.queue, torch.cat([parts.pairs, parts.queries], dim=1)
    mass = torch.cat([mixed, real], dim=1).softmax(dim=1)[:, : mixed.shape[1]].sum(dim=1).mean()
    hardest = torch.cat([real, mixed], dim=1).amax(dim=1)
    return {"synthetic mass": mass, "proxy accuracy with synthetics": (parts.positive[:, 0] > hardest).float().mean()}


@torch.no_grad()
def false_share(parts: Parts, own_class: Bool[Tensor, "B Q"]) -> Float[Tensor, ""]:
    """Share of synthetic negatives that were mixed from at least one queue row of the query's own class."""
    false = own_class.gather(1, parts.hard)
    pairs = false.gather(1, parts.draws.pairs.flatten(1)).view(parts.draws.pairs.shape).any(dim=-1)
    return torch.cat([pairs, false.gather(1, parts.draws.singles)], dim=1).float().mean()
