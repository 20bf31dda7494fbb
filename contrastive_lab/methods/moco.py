"""MoCo-v2: a long queue of keys from a slowly moving twin replaces the large batch. The base of MoCHi.

He, Fan, Wu, Xie, Girshick: Momentum Contrast (2020); Chen, Fan, Girshick, He: Improved Baselines with Momentum Contrastive Learning (2020).

Deviations
* One device: shuffling the keys alone hides nothing, because batch norm sees the whole batch either way. As in the authors' CIFAR
  demo the batch is cut into `splits` groups with separate statistics, and the keys are shuffled before and put back after.
* Several processes: keys are gathered before they are enqueued, as released; they are shuffled within their process only, so `splits`
  hides the pairs there, too.
* One direction by default, as in the paper; `symmetric` averages both, as the CIFAR demo can, and enqueues both sets of keys.
* The queue may have any length; the released code asserts a multiple of the batch.
* The twin is updated after the optimiser step instead of before the next forward pass: the same sequence of weights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from contrastive_lab.contrast import Temperature, check_floating, check_one_dtype, check_pair, check_positive, contrast, cosine_scores, unit
from contrastive_lab.gather import gather
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.networks import Backbone, KeyQueue, MomentumTwin, ProjectionHead, check_backbone, split_batch_norm
from contrastive_lab.views import Batch


def info_nce_queue(
    q: Float[Tensor, "B D"],
    k: Float[Tensor, "B D"],
    queue: Float[Tensor, "Q D"],
    *,
    temperature: Temperature = 0.2,
    exclude: Bool[Tensor, "B Q"] | None = None,
    check_finite: bool = True,
) -> Float[Tensor, ""]:
    """InfoNCE of each query against its own key and the queue; keys and queue are detached, rows normalised inside.

    `exclude` marks queue rows that are no negatives of a query (the oracle against false negatives). Non-finite values raise, or
    without `check_finite`, which waits for the device, make the loss non-finite.
    """
    check_queries(q, k, queue, exclude, check_finite=check_finite)
    check_positive(temperature=temperature)
    twin, negatives = queue_scores(q, k, queue, temperature=temperature, exclude=exclude)
    return contrast(twin, torch.ones_like(twin, dtype=torch.bool), extra=negatives)


def queue_scores(
    q: Float[Tensor, "B D"],
    k: Float[Tensor, "B D"],
    queue: Float[Tensor, "Q D"],
    *,
    temperature: Temperature,
    exclude: Bool[Tensor, "B Q"] | None = None,
) -> tuple[Float[Tensor, "B 1"], Float[Tensor, "B Q"]]:
    """Scores of the own key and of every queue row, minus infinity where excluded."""
    twin = (unit(q) * unit(k.detach())).sum(dim=1, keepdim=True) / temperature
    negatives = cosine_scores(q, queue.detach(), temperature=temperature)
    return twin, negatives if exclude is None else negatives.masked_fill(exclude, -torch.inf)


def check_queries(q: Tensor, k: Tensor, queue: Tensor, exclude: Tensor | None = None, *, check_finite: bool = True) -> None:
    """Raise unless queries, keys, queue and mask fit each other and, with `check_finite`, are finite."""
    check_pair(q, k, at_least=1, names=("q", "k"))
    check_floating(queue=queue)
    check_one_dtype(q=q, queue=queue)
    if queue.ndim != 2 or len(queue) == 0 or queue.shape[1] != q.shape[1]:
        raise ValueError(f"queue has shape {tuple(queue.shape)}, but must be (Q, {q.shape[1]}) with at least one row")
    if exclude is not None and exclude.shape != (len(q), len(queue)):
        raise ValueError(f"exclude has shape {tuple(exclude.shape)}, but must be {(len(q), len(queue))}: queries by queue rows")
    if exclude is not None and exclude.dtype != torch.bool:
        raise TypeError(f"exclude has dtype {exclude.dtype}, but must be bool: True where a row is no negative")
    if check_finite:
        for name, rows in (("q", q), ("k", k), ("queue", queue)):
            if not bool(rows.isfinite().all()):
                raise ValueError(f"{name} holds {int((~rows.isfinite()).sum())} non-finite values; did the network diverge?")


class Memory(NamedTuple):
    """The queue as a step finds it: past keys, and their classes (-1 where unknown)."""

    rows: Float[Tensor, "Q D"]
    labels: Int64[Tensor, "Q"]


class MoCo(Method):
    """Query network, momentum twin for the keys, and a queue of past keys.

    The head has no batch norm (MoCo-v2). `momentum` 0.99 suits thousands of steps, 0.999 hundreds of thousands. Labels, where a batch
    has them, are only used to log how many of the hardest negatives share the query's class.
    """

    name = "moco"
    title = "MoCo-v2"
    graph: str | None = "match"
    paper = "Chen et al. 2020, arXiv 2003.04297"

    queue_labels: Int64[Tensor, "Q"]

    def __init__(
        self,
        encoder: Backbone,
        *,
        dim: int = 128,
        hidden_dim: int = 512,
        queue_length: int = 4096,
        momentum: float = 0.99,
        temperature: float = 0.2,
        symmetric: bool = False,
        splits: int = 1,
    ) -> None:
        super().__init__()
        check_backbone(encoder=encoder)
        check_positive(temperature=temperature)
        if not 0 < momentum < 1:
            raise ValueError(f"momentum is {momentum}, but must lie between 0 and 1; at 0 the keys change too fast and training fails")
        self.encoder = split_batch_norm(encoder, splits) if splits > 1 else encoder
        self.projector = ProjectionHead(encoder.dim, hidden_dim=hidden_dim, out_dim=dim, hidden_norm="none")
        self.twin = MomentumTwin(nn.Sequential(self.encoder, self.projector))
        self.queue = KeyQueue(queue_length, dim)
        self.register_buffer("queue_labels", torch.full((queue_length,), -1))
        self.momentum, self.temperature, self.symmetric = momentum, temperature, symmetric

    @classmethod
    def build(cls, make_backbone: MakeBackbone, **options: Any) -> Method:
        return cls(make_backbone(), **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """CIFAR-10: the authors' demo (queue 4096, 8 splits) at MoCo-v2's temperature 0.2; SGD 0.06, theirs for 512 images, serves 256.

        STL-10: the paper's 0.03 per 256 images; the queue holds less than half of the 5,000 labelled ones. Scenes: small batches, since the
        queue brings the negatives anyway and a short run needs many steps to leave the start.
        """
        if data == "scenes":
            options = {"queue_length": 1024, "splits": 1, "temperature": 0.1}
            return Recipe(optimizer="adamw", lr=1e-3, batch_size=64, options=options)
        if data == "stl10":
            return Recipe(optimizer="sgd", lr=0.03, weight_decay=1e-4, options={"queue_length": 2048, "splits": 8})
        return Recipe(optimizer="sgd", lr=0.06, weight_decay=5e-4, warmup_epochs=5, options={"queue_length": 4096, "splits": 8})

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        representation = self.encoder(images)
        return representation, self.projector(representation)

    def step(self, batch: Batch) -> Step:
        one, two = batch.views
        pairs = [(one, two), (two, one)] if self.symmetric else [(one, two)]
        labels = None if batch.labels is None else gather(batch.labels)
        # Aliases: a compiled graph takes a buffer's address for fixed, and these two are new tensors after every step.
        memory = Memory(self.queue.rows.detach(), self.queue_labels.detach())
        results = []
        for query_view, key_view in pairs:
            order = torch.randperm(len(key_view), generator=self.dice(key_view.device), device=key_view.device)
            results.append(self.match(query_view, key_view, order, memory, labels, self.choices(query_view)))
        for one_way in results:  # after all losses, so that no key of this step is among its negatives
            self._enqueue(one_way.embeddings[1], labels)
        if not self.symmetric:
            return results[0]
        return Step((results[0].loss + results[1].loss) / 2, results[0].embeddings, results[0].logs)

    def choices(self, view: Tensor) -> tuple[Tensor, ...] | None:
        """Further random choices of this step, made before its arithmetic begins; MoCo makes none."""
        return None

    def match(
        self,
        query_view: Float[Tensor, "N C H W"],
        key_view: Float[Tensor, "N C H W"],
        order: Int64[Tensor, "N"],
        memory: Memory,
        labels: Int64[Tensor, "B"] | None,
        choices: tuple[Tensor, ...] | None,
    ) -> Step:
        """One direction, queries against keys, once all random choices are made and the queue's rows are at hand."""
        q, k = gather(self(query_view)[1]), gather(self._keys(key_view, order))
        loss, logs = self.compare(q, k, memory, labels, choices)
        return Step(loss, torch.stack([unit(q), unit(k)]).detach(), logs)

    def compare(
        self,
        q: Float[Tensor, "B D"],
        k: Float[Tensor, "B D"],
        memory: Memory,
        labels: Int64[Tensor, "B"] | None,
        choices: tuple[Tensor, ...] | None,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Loss of queries against their keys and the queue, and what to watch."""
        loss = info_nce_queue(q, k, memory.rows, temperature=self.temperature, check_finite=False)
        return loss, self.diagnose(q.detach(), k, memory, labels)

    def after_update(self, progress: Progress) -> None:
        super().after_update(progress)
        self.twin.update(nn.Sequential(self.encoder, self.projector), self.momentum)

    @torch.no_grad()
    def diagnose(
        self, q: Float[Tensor, "B D"], k: Float[Tensor, "B D"], memory: Memory, labels: Int64[Tensor, "B"] | None
    ) -> dict[str, Tensor]:
        """Proxy accuracy (own key above the whole queue) and the share of the query's own class among its 5 % hardest negatives."""
        twin, negatives = queue_scores(q, k, memory.rows, temperature=self.temperature)
        logs = {
            "proxy accuracy": (twin[:, 0] > negatives.amax(dim=1)).float().mean(),
            "positive similarity": F.cosine_similarity(q, k).mean(),
        }
        if labels is not None:
            hardest = negatives.topk(max(1, negatives.shape[1] // 20), dim=1, sorted=False).indices
            logs["false negatives among hardest"] = (memory.labels[hardest] == labels[:, None]).float().mean()
        return logs

    @torch.no_grad()
    def _keys(self, view: Float[Tensor, "N C H W"], order: Int64[Tensor, "N"]) -> Float[Tensor, "N E"]:
        keys: Tensor = self.twin(view[order])
        return torch.empty_like(keys).index_copy_(0, order, keys)

    def dice(self, device: torch.device) -> torch.Generator:
        """Randomness that depends on the step alone: the same after a resume and on every process."""
        return torch.Generator(device).manual_seed(self.progress.step)

    @torch.no_grad()
    def _enqueue(self, keys: Float[Tensor, "B D"], labels: Int64[Tensor, "B"] | None) -> None:
        place = self.queue.enqueue(keys)
        if labels is not None:
            self.queue_labels = self.queue_labels.index_copy(0, place, labels[-len(place) :])
