"""CACR: positives compete with positives, negatives with negatives, and only then the two groups pull against each other.

Zheng et al.: Contrastive Attraction and Contrastive Repulsion for Representation Learning (TMLR 2023).

The cost of a pair is its squared distance c. Far positives are pulled hardest (weights ~ exp(+t_pos c)), near negatives are pushed
hardest (weights ~ exp(-t_neg c)). Note that t multiplies: large means sharp, the opposite of a temperature that divides.

Deviations from the released code, and which side is the default
* Gradients flow through the weights, as in the small-scale code (the MoCo variants detach them): `detach_weights=False`. Attached, a
  negative farther than the mean cost + 1/t_neg is weakly pulled and a positive nearer than the mean cost - 1/t_pos weakly pushed.
* Anchors of the repulsion come from the lower-numbered view of each pair, as released; `symmetric=True` takes both.
* All views go through the network in one pass, so that batch norm sees them together; the released code encodes view by view.
* The queue form doesn't shuffle the keys over groups of batch norm, as MoCo does.
* With "rbf" cost the logarithm is taken for each pair of views, then averaged.
* The variant on MoCo v3 (temperatures that divide, a cross-entropy as cost) is not here; `cacr_queue_loss` is the one on MoCo v2.
* `cacr_queue_loss` recomputes the products of each query view with the queue; the released MoCo variant caches those of the first
  view and reuses them for all others, a slip that is not copied.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.contrast import check_floating, precise, unit
from contrastive_lab.gather import gather
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.networks import Backbone, KeyQueue, MomentumTwin, ProjectionHead, checked
from contrastive_lab.tiled import tiled_repulsion
from contrastive_lab.views import Augmentation, Batch, ManyViews, Views

Cost = Literal["euclidean", "rbf"]


def cacr_loss(
    views: Float[Tensor, "V N D"],
    *,
    t_pos: float = 1.0,
    t_neg: float = 2.0,
    alpha: float = 1.0,
    beta: float = 1.0,
    cost: Cost = "euclidean",
    rbf_scale: float = 2.0,
    debias_prior: float = 0.0,
    symmetric: bool = False,
    detach_weights: bool = False,
    normalize: bool = True,
    chunk: int | None = None,
) -> Float[Tensor, ""]:
    """alpha * attraction + beta * repulsion of V >= 2 views; 0 when collapsed, in [-4 beta, 4 alpha] on the sphere.

    With a `chunk` the same in memory that grows with chunk N instead of N squared.
    """
    pull = cacr_attraction(views, t_pos=t_pos, detach_weights=detach_weights, normalize=normalize)
    push = cacr_repulsion(
        views,
        t_neg=t_neg,
        cost=cost,
        rbf_scale=rbf_scale,
        symmetric=symmetric,
        detach_weights=detach_weights,
        normalize=normalize,
        debias_prior=debias_prior,
        chunk=chunk,
    )
    return alpha * pull + beta * push


def cacr_attraction(
    views: Float[Tensor, "V N D"], *, t_pos: float = 1.0, detach_weights: bool = False, normalize: bool = True
) -> Float[Tensor, ""]:
    """Mean cost to the other views of the same image, far views weighing more. With V = 2 the alignment loss."""
    _check(views, t_pos=t_pos)
    z = unit(views) if normalize else precise(views)
    costs = (z[:, None] - z[None]).square().sum(dim=-1)  # (V, V, N)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)[..., None]
    return _weighted(costs, (t_pos * costs).masked_fill(itself, -math.inf), dim=1, detach=detach_weights).mean()


def cacr_repulsion(
    views: Float[Tensor, "V N D"],
    *,
    t_neg: float = 2.0,
    cost: Cost = "euclidean",
    rbf_scale: float = 2.0,
    symmetric: bool = False,
    detach_weights: bool = False,
    normalize: bool = True,
    debias_prior: float = 0.0,
    chunk: int | None = None,
) -> Float[Tensor, ""]:
    """Minus the mean cost to other images, near ones weighing more (at most 0); with "rbf" the log of a mean Gaussian potential.

    `debias_prior` rho is the chance that a negative shares the anchor's class (0.1 on ten classes): the repulsion r of an anchor becomes
    (r - rho c(anchor, its twin)) / (1 - rho).
    """
    _check(views, t_neg=t_neg, rbf_scale=rbf_scale)
    if cost not in ("euclidean", "rbf"):
        raise ValueError(f"cost is {cost!r}, but must be 'euclidean' or 'rbf'")
    if not 0 <= debias_prior < 1 or (debias_prior > 0 and cost == "rbf"):
        raise ValueError(f"debias_prior is {debias_prior} with cost={cost!r}; it must lie in [0, 1) and belongs to the euclidean cost")
    z = unit(views) if normalize else precise(views) - precise(views).detach().mean(dim=(0, 1))
    itself = torch.eye(z.shape[1], dtype=torch.bool, device=z.device)
    pairs = permutations(range(len(z)), 2) if symmetric else combinations(range(len(z)), 2)
    terms = []
    for x, y in pairs:
        if chunk is not None:
            scale = rbf_scale if cost == "rbf" else None
            mean = tiled_repulsion(z[x], z[y], t=t_neg, chunk=chunk, unit_rows=normalize, detach=detach_weights, rbf_scale=scale)
            to_twin = (z[x] - z[y]).square().sum(dim=1).mean() if debias_prior else 0.0
            terms.append(mean.log() if cost == "rbf" else (-mean - debias_prior * to_twin) / (1 - debias_prior))
            continue
        costs = _costs(z[x], z[y])
        logits = (-t_neg * costs).masked_fill(itself, -math.inf)
        if cost == "rbf":
            # The log of the weighted mean without leaving logarithms, which underflows where all others are far.
            log_weights = logits.log_softmax(dim=1)
            potential = (log_weights.detach() if detach_weights else log_weights) - rbf_scale * costs
            terms.append(potential.logsumexp(dim=(0, 1)) - math.log(len(costs)))
            continue
        repulsion = -_weighted(costs, logits, dim=1, detach=detach_weights)
        terms.append(((repulsion - debias_prior * costs.diagonal()) / (1 - debias_prior)).mean())
    return torch.stack(terms).mean()


def cacr_explicit_loss(
    anchors: Float[Tensor, "N D"],
    positives: Float[Tensor, "N K D"],
    negatives: Float[Tensor, "M D"] | Float[Tensor, "N M D"],
    *,
    t_pos: float = 1.0,
    t_neg: float = 2.0,
    alpha: float = 1.0,
    beta: float = 1.0,
    detach_weights: bool = False,
    normalize: bool = True,
) -> Float[Tensor, ""]:
    """The same two terms for given positives and negatives of each anchor (queues, drawings)."""
    _check_candidates(anchors, positives=positives)
    if positives.ndim != 3:
        raise ValueError(
            f"positives has shape {tuple(positives.shape)}, but must be (N, K, D): those of each anchor; one each is (N, 1, D)"
        )
    _check_candidates(anchors, negatives=negatives)
    _check_sharpness(t_pos=t_pos, t_neg=t_neg)
    centre = 0.0 if normalize else precise(anchors).detach().mean(dim=0)
    anchors, positives, negatives = (unit(x) if normalize else precise(x) - centre for x in (anchors, positives, negatives))
    near, far = _candidate_costs(anchors, positives), _candidate_costs(anchors, negatives)
    pull = _weighted(near, t_pos * near, dim=1, detach=detach_weights).mean()
    return alpha * pull - beta * _weighted(far, -t_neg * far, dim=1, detach=detach_weights).mean()


def cacr_weights(
    anchors: Float[Tensor, "N D"], candidates: Float[Tensor, "N K D"] | Float[Tensor, "K D"], *, t: float, positive: bool
) -> Float[Tensor, "N K"]:
    """How an anchor's attention is spread over candidates; rows sum to 1. Leave the anchor itself out of the candidates."""
    _check_candidates(anchors, candidates=candidates)
    _check_sharpness(t=t)
    return ((t if positive else -t) * _candidate_costs(unit(anchors), unit(candidates))).softmax(dim=1)


def cacr_queue_loss(
    queries: Float[Tensor, "V N D"],
    keys: Float[Tensor, "V N D"],
    queue: Float[Tensor, "Q D"],
    *,
    t_pos: float = 1.0,
    t_neg: float = 2.0,
    alpha: float = 1.0,
    beta: float = 1.0,
    batch_negatives: bool = True,
) -> Float[Tensor, ""]:
    """MoCo form: positives are the keys of the other views, negatives the queue and (`batch_negatives`) the other queries of the same view.

    As released: attraction weights and the distances to the queue inside the weights carry no gradient, distances within the batch do.
    """
    _check(queries, t_pos=t_pos, t_neg=t_neg)
    check_floating(keys=keys, queue=queue)
    if keys.shape != queries.shape:
        raise ValueError(f"keys has shape {tuple(keys.shape)}, but must be that of queries, {tuple(queries.shape)}")
    if queue.ndim != 2 or len(queue) == 0 or queue.shape[1] != queries.shape[2]:
        raise ValueError(f"queue has shape {tuple(queue.shape)}, but must be (Q, {queries.shape[2]}) with at least one row")
    q, k, rows = unit(queries), unit(keys.detach()), unit(queue.detach())
    costs = (q[:, None] - k[None]).square().sum(dim=-1)
    own_view = torch.eye(len(q), dtype=torch.bool, device=q.device)[..., None]
    pull = _weighted(costs, (t_pos * costs).masked_fill(own_view, -math.inf), dim=1, detach=True).mean()
    itself = torch.eye(q.shape[1], dtype=torch.bool, device=q.device)
    push = []
    for view in q:
        memory, batch = _costs(view, rows), _costs(view, view if batch_negatives else view[:0])
        inside = (-t_neg * batch).masked_fill(itself, -math.inf) if batch_negatives else batch
        logits = torch.cat([-t_neg * memory.detach(), inside], dim=1)
        push.append(_weighted(torch.cat([memory, batch], dim=1), logits, dim=1, detach=False).mean())
    return alpha * pull - beta * torch.stack(push).mean()


def _costs(x: Tensor, y: Tensor) -> Tensor:
    # Not cdist squared: its root has no gradient at 0. So points must lie about the origin: far away the squares would lose their digits.
    with torch.autocast(x.device.type, enabled=False):
        return (x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T).clamp_min(0)


def _candidate_costs(anchors: Tensor, candidates: Tensor) -> Tensor:
    return _costs(anchors, candidates) if candidates.ndim == 2 else (anchors[:, None] - candidates).square().sum(dim=-1)


def _weighted(values: Tensor, logits: Tensor, *, dim: int, detach: bool) -> Tensor:
    weights = logits.softmax(dim=dim)
    return ((weights.detach() if detach else weights) * values).sum(dim=dim)


def _check(views: Tensor, **sharpness: float) -> None:
    check_floating(views=views)
    if views.ndim != 3 or views.shape[0] < 2 or views.shape[1] < 2:
        raise ValueError(f"views has shape {tuple(views.shape)}, but must be (V, N, D) with at least 2 views of at least 2 images")
    _check_sharpness(**sharpness)


def _check_candidates(anchors: Tensor, **named: Tensor) -> None:
    ((name, candidates),) = named.items()
    check_floating(anchors=anchors, **named)
    fits = candidates.ndim in (2, 3) and candidates.shape[-1] == anchors.shape[-1] and candidates.shape[-2] > 0
    if anchors.ndim != 2 or not fits or (candidates.ndim == 3 and len(candidates) != len(anchors)):
        shapes = f"anchors {tuple(anchors.shape)} and {name} {tuple(candidates.shape)}"
        raise ValueError(f"{shapes} don't fit; anchors are (N, D), {name} (K, D) or (N, K, D) with K >= 1")


def _check_sharpness(**sharpness: float) -> None:
    for name, value in sharpness.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}, but must be finite and at least 0; 0 weighs all alike")


class CACR(Method):
    """V = K + 1 views, each the query in turn. With `momentum` and `queue_size` the MoCo form, otherwise negatives from the batch."""

    name = "cacr"
    title = "CACR"
    paper = "Zheng et al. 2023, arXiv 2105.03746"

    def __init__(
        self,
        backbone: Backbone,
        projector: ProjectionHead,
        *,
        n_views: int = 4,
        t_pos: float = 1.0,
        t_neg: float = 2.0,
        momentum: float | None = None,
        queue_size: int = 0,
        chunk: int | None = None,
        **terms: Any,
    ) -> None:
        super().__init__()
        if isinstance(n_views, bool) or not isinstance(n_views, int) or n_views < 2:
            raise ValueError(f"n_views is {n_views}, but must be a whole number, at least 2; with 3 or more, positives differ in weight")
        if (momentum is None) != (queue_size == 0):
            raise ValueError(f"momentum is {momentum} and queue_size {queue_size}; the queue form needs both, the batch form neither")
        if chunk is not None and momentum is not None:
            raise ValueError(f"chunk is {chunk}, but the queue form has no tiles; leave momentum and queue_size out, or chunk")
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"momentum is {momentum}, but must lie in [0, 1]; 0.99 suits short runs, 0.999 long ones")
        # A wrong name or value among the terms shows here, not at the first step.
        probe, sharpness = torch.zeros(2, 2, 1), dict[str, Any](t_pos=t_pos, t_neg=t_neg)
        if momentum is None:
            cacr_loss(probe, **sharpness, chunk=chunk, **terms)
        else:
            cacr_queue_loss(probe, probe, probe[0], **sharpness, **terms)
        self.encoder, self.projector, self.chunk = backbone, projector, chunk
        self.n_views, self.t_pos, self.t_neg, self.momentum, self.terms = n_views, t_pos, t_neg, momentum, terms
        self.graph = "step" if momentum is None and chunk is None else None
        if momentum is not None:
            self.twin = MomentumTwin(nn.Sequential(backbone, projector))
            self.queue = KeyQueue(queue_size, projector.dim)

    @classmethod
    def build(cls, make_backbone: MakeBackbone, *, hidden_dim: int = 512, out_dim: int = 128, **options: Any) -> Method:
        backbone = checked(make_backbone())
        return cls(backbone, ProjectionHead(backbone.dim, hidden_dim=hidden_dim, out_dim=out_dim), **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Batch 128 and SGD 0.06 as released on CIFAR (step decay there, cosine here); no 1 / temperature scales these gradients."""
        if data == "scenes":
            return Recipe(optimizer="adamw", lr=2e-3, batch_size=128, options={"n_views": 4, "t_neg": 2.0})
        sharpness = 0.9 if data == "cifar10" else 2.0
        return Recipe(optimizer="sgd", lr=0.06, weight_decay=1e-4, batch_size=128, options={"n_views": 4, "t_neg": sharpness})

    def make_views(self, augmentation: Augmentation) -> Views:
        return ManyViews(augmentation, self.n_views)

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        representation = self.encoder(images)
        return representation, self.projector(representation)

    def training_loss(
        self, views: Float[Tensor, "V N C H W"], *, t_pos: float | None = None, t_neg: float | None = None
    ) -> Float[Tensor, ""]:
        """Batch form for V views of the same images; the loop calls `step`."""
        z = self(views.flatten(0, 1))[1].unflatten(0, views.shape[:2])
        pull, push = self.t_pos if t_pos is None else t_pos, self.t_neg if t_neg is None else t_neg
        return cacr_loss(z, t_pos=pull, t_neg=push, chunk=self.chunk, **self.terms)

    def step(self, batch: Batch) -> Step:
        if len(batch.views) != self.n_views:
            raise ValueError(
                f"the batch has {len(batch.views)} views, but n_views is {self.n_views}; draw as many, or build CACR for these"
            )
        images = torch.cat(batch.views)
        z = self._gather_views(self(images)[1])
        if self.momentum is None:
            loss = cacr_loss(z, t_pos=self.t_pos, t_neg=self.t_neg, chunk=self.chunk, **self.terms)
        else:
            keys = self._gather_views(self.twin(images))
            loss = cacr_queue_loss(z, keys, self.queue.rows, t_pos=self.t_pos, t_neg=self.t_neg, **self.terms)
            self.queue.enqueue(unit(keys[-1]))
        return Step(loss, unit(z).detach(), self.diagnose(z.detach()))

    def after_update(self, progress: Progress) -> None:
        super().after_update(progress)
        if self.momentum is not None:
            self.twin.update(nn.Sequential(self.encoder, self.projector), self.momentum)

    @torch.no_grad()
    def diagnose(self, z: Float[Tensor, "V N D"]) -> dict[str, Tensor]:
        """Both terms, and how many positives and negatives of an anchor effectively count: exp of the entropy of its weights."""
        positives = cacr_weights(z[0], z[1:].transpose(0, 1), t=self.t_pos, positive=True)
        return {
            "attraction": cacr_attraction(z, t_pos=self.t_pos),
            "repulsion": cacr_repulsion(z, t_neg=self.t_neg, chunk=self.chunk),
            "effective positives": torch.special.entr(positives).sum(dim=1).exp().mean(),
            "effective negatives": torch.cat(list(self._effective_negatives(unit(z[0]), unit(z[1])))).mean(),
        }

    def _effective_negatives(self, x: Float[Tensor, "N D"], y: Float[Tensor, "N D"]) -> Iterator[Float[Tensor, "M"]]:
        anchor = torch.arange(len(x), device=x.device)
        for start in range(0, len(x), self.chunk or len(x)):
            rows = anchor[start : start + (self.chunk or len(x))]
            logits = (-self.t_neg * _costs(x[rows], y)).masked_fill(rows[:, None] == anchor, -math.inf)
            yield torch.special.entr(logits.softmax(dim=1)).sum(dim=1).exp()

    def _gather_views(self, stacked: Tensor) -> Tensor:
        z = stacked.view(self.n_views, -1, stacked.shape[1]).transpose(0, 1)
        return gather(z.contiguous()).transpose(0, 1)
