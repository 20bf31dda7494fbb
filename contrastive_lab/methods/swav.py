"""SwAV: predict from one view to which prototypes the other view was assigned; no pair of images is ever compared.

Caron, Misra, Mairal, Goyal, Bojanowski, Joulin: Unsupervised Learning of Visual Features by Contrasting Cluster Assignments (2020).

In `contrast` the candidates are prototypes instead of images, and the positives are soft: the codes of the other view. Codes come
from a balanced assignment (optimal transport, three Sinkhorn sweeps), which is what prevents collapse.

Deviations
* The loss is averaged over views and samples as in the released code, so that ln K is the level of collapse for any number of views.
  Eq. 6 writes sums; the paper's listing averages over prototypes too, which is 1 / K of it.
* Sinkhorn runs in log space: the plain form overflows float16 at epsilon 0.05 and float32 below 0.0115. Values agree.
* Prototypes are normalised before each step, as in the code (the listing does it after the update).
* Frozen prototypes get no gradient at all, as released; with a zero gradient momentum and weight decay would still move them.
* The queue counts its rows to know when it is full; the released code looks whether its last row is not zero.
* Several processes share one balancing and one queue. Each keeps its own batch norm, which the released scripts synchronise.
* Small images: Adam (as lightly) instead of LARC, and 256 prototypes instead of 3000, which batches of hundreds can't fill.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.contrast import check_floating, check_positive, contrast, precise, readable, unit
from contrastive_lab.gather import gather, world_size
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Recipe, Step
from contrastive_lab.networks import Backbone, FeatureQueue, ProjectionHead, checked
from contrastive_lab.views import Augmentation, Batch, MultiCrop, TwoViews, Views


@torch.no_grad()
def sinkhorn(
    scores: Float[Tensor, "B K"], *, epsilon: float = 0.05, iterations: int = 3, process_group: dist.ProcessGroup | None = None
) -> Float[Tensor, "B K"]:
    """Codes: each sample spreads mass 1 over the prototypes, each prototype receives about B / K (section 3.1; exact after many sweeps).

    Small `epsilon` makes codes sharp, large ones uniform. With a `process_group` the samples of all its processes share the prototypes.
    """
    _check_scores(scores)
    _check_balancing(epsilon, iterations)
    _check_finite(scores)
    if len(scores) == 1 and process_group is None:
        warnings.warn("the code of a single sample is uniform whatever its scores; use a larger batch or a queue", stacklevel=2)
    return _balance(scores, epsilon, iterations, process_group)


def swapped_prediction_loss(
    scores: Sequence[Float[Tensor, "B K"]], codes: Sequence[Float[Tensor, "B K"]], *, temperature: float = 0.1
) -> Float[Tensor, ""]:
    """Cross-entropy between the code of view g and the prediction of every other view (eq. 2); codes[g] belongs to view g."""
    _check_views(scores, len(codes))
    for g, code in enumerate(codes):
        if code.shape != scores[g].shape:
            raise ValueError(f"codes[{g}] has shape {tuple(code.shape)}, but must be {tuple(scores[g].shape)} like the scores of its view")
        _check_code(f"codes[{g}]", code)
    check_positive(temperature=temperature)
    with torch.autocast(scores[0].device.type, enabled=False):
        logits = [precise(view) / temperature for view in scores]
        terms = [contrast(logits[v], code.detach()) for g, code in enumerate(codes) for v in range(len(scores)) if v != g]
    return torch.stack(terms).mean()


def swav_loss(
    scores: Sequence[Float[Tensor, "B K"]],
    *,
    temperature: float = 0.1,
    epsilon: float = 0.05,
    iterations: int = 3,
    n_code_views: int = 2,
    queue_scores: Sequence[Float[Tensor, "Q K"]] | None = None,
    process_group: dist.ProcessGroup | None = None,
) -> Float[Tensor, ""]:
    """SwAV's loss from cosines with K prototypes, one matrix per view; the first `n_code_views` views provide codes.

    `queue_scores[g]` joins the balancing of view g and never the loss. Scores without information cost ln K.
    """
    _check_views(scores, n_code_views)
    if queue_scores is not None:
        if len(queue_scores) != n_code_views:
            raise ValueError(f"queue_scores has {len(queue_scores)} entries for n_code_views={n_code_views}; give one for each code view")
        for g, rows in enumerate(queue_scores):
            check_floating(**{f"queue_scores[{g}]": rows})
            if rows.ndim != 2 or rows.shape[1] != scores[g].shape[1]:
                count = scores[g].shape[1]
                raise ValueError(f"queue_scores[{g}] has shape {tuple(rows.shape)}, but must be (L, {count}): cosines with all prototypes")
    for view in scores[n_code_views:]:
        _check_finite(view)
    codes = []
    for g in range(n_code_views):
        stack = scores[g].detach() if queue_scores is None else torch.cat([scores[g].detach(), queue_scores[g].detach()])
        codes.append(sinkhorn(stack, epsilon=epsilon, iterations=iterations, process_group=process_group)[: len(scores[g])])
    return swapped_prediction_loss(scores, codes, temperature=temperature)


def _balance(scores: Tensor, epsilon: float, iterations: int, group: dist.ProcessGroup | None) -> Tensor:
    log_codes = precise(scores) / epsilon
    for _ in range(iterations):  # the constants K and B of the paper cancel, because the samples are normalised last
        log_codes = log_codes - _log_sum_over_samples(log_codes, group)
        log_codes = log_codes - log_codes.logsumexp(dim=1, keepdim=True)
    return log_codes.exp()


def _log_sum_over_samples(values: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    if group is None:
        return values.logsumexp(dim=0)
    top = values.amax(dim=0)
    dist.all_reduce(top, op=dist.ReduceOp.MAX, group=group)
    total = (values - top).exp().sum(dim=0)
    dist.all_reduce(total, group=group)
    return total.log() + top


def _check_balancing(epsilon: float, iterations: int) -> None:
    check_positive(epsilon=epsilon)
    if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 1:
        raise ValueError(f"iterations is {iterations}, but must be a whole number of sweeps, at least 1; the paper uses 3")


def _check_code(name: str, code: Tensor) -> None:
    check_floating(**{name: code})
    if not readable(code):
        return
    mass = code.detach().sum(dim=1)
    if bool((code < 0).any()) or not bool(((mass - 1).abs() < 1e-2).all()):
        raise ValueError(
            f"{name} has rows that sum to {mass.min():.3g} ... {mass.max():.3g}, but each must be a distribution: sinkhorn(scores)"
        )


def _check_scores(scores: Tensor) -> None:
    if not scores.is_floating_point():
        raise TypeError(f"scores have dtype {scores.dtype}, but must be floating point")
    if scores.ndim != 2 or scores.numel() == 0 or scores.shape[1] < 2:
        raise ValueError(f"scores have shape {tuple(scores.shape)}, but must be (B, K) with at least one sample and two prototypes")


def _check_finite(scores: Tensor) -> None:
    if not bool(scores.isfinite().all()):
        raise ValueError(f"scores hold {int((~scores.isfinite()).sum())} non-finite values; were the features normalised?")


def _check_views(scores: Sequence[Tensor], n_code_views: int) -> None:
    if len(scores) < 2:
        raise ValueError(f"scores of {len(scores)} views were given, but a swap needs at least 2")
    if not 1 <= n_code_views <= len(scores):
        raise ValueError(f"n_code_views is {n_code_views}, but must lie between 1 and {len(scores)}, the number of views")
    for view in scores:
        _check_scores(view)
    shapes = {tuple(view.shape) for view in scores}
    if len(shapes) > 1:
        raise ValueError(f"scores have the shapes {sorted(shapes)}, but all views must have the same")


class Prototypes(nn.Module):
    """K unit vectors that scores are cosines with; one parameter, no bias."""

    def __init__(self, dim: int = 128, n_prototypes: int = 256) -> None:
        super().__init__()
        if n_prototypes < 2:
            raise ValueError(f"n_prototypes is {n_prototypes}, but must be at least 2; about ten times the number of classes suits")
        self.weight = nn.Parameter(F.normalize(torch.randn(n_prototypes, dim), dim=1))
        self.frozen = False

    def forward(self, z: Float[Tensor, "N D"]) -> Float[Tensor, "N K"]:
        with torch.autocast(z.device.type, enabled=False):
            return precise(z) @ (self.weight.detach() if self.frozen else self.weight).T

    @torch.no_grad()
    def normalize_(self) -> None:
        """Bring every prototype back to unit length, in place."""
        self.weight.copy_(F.normalize(self.weight, dim=1))

    def freeze(self, frozen: bool = True) -> None:
        """While frozen, no gradient reaches the prototypes."""
        self.frozen = frozen


class SwAVHead(ProjectionHead):
    """Projector whose output has unit length."""

    def __init__(self, in_dim: int, hidden_dim: int = 512, out_dim: int = 128) -> None:
        super().__init__(in_dim, hidden_dim=hidden_dim, out_dim=out_dim)

    def forward(self, h: Float[Tensor, "N H"]) -> Float[Tensor, "N D"]:
        return unit(super().forward(h))


class SwAV(Method):
    """Prototypes are frozen for `freeze_epochs`; the queue (if any) joins from `queue_start` epochs on, once it is full.

    Without a number the queue joins after the paper's 15 epochs, or after 15 % of a run shorter than 100. `small_crops` further views of
    `small_size` pixels are predicted from, but get no codes (multi-crop).
    """

    name = "swav"
    title = "SwAV"
    graph = "match"
    freezes = True
    paper = "Caron et al. 2020, arXiv 2006.09882"

    def __init__(
        self,
        backbone: Backbone,
        head: SwAVHead,
        prototypes: Prototypes,
        *,
        temperature: float = 0.1,
        epsilon: float = 0.05,
        iterations: int = 3,
        queue_length: int = 0,
        queue_start: float | int | None = None,
        freeze_epochs: float | int = 1,
        small_crops: int = 0,
        small_size: int = 18,
        small_scale: Sequence[float] = (0.08, 0.5),
    ) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        _check_balancing(epsilon, iterations)
        self.encoder, self.head, self.prototypes = backbone, head, prototypes
        self.temperature, self.epsilon, self.iterations = temperature, epsilon, iterations
        self.queue_start, self.freeze_epochs = queue_start, freeze_epochs
        low, high = small_scale
        self.small_crops, self.small_size, self.small_scale = small_crops, small_size, (low, high)
        self.queues = nn.ModuleList(FeatureQueue(queue_length, head.dim) for _ in range(2)) if queue_length else None

    @classmethod
    def build(
        cls, make_backbone: MakeBackbone, *, hidden_dim: int = 512, out_dim: int = 128, n_prototypes: int = 256, **options: Any
    ) -> Method:
        backbone = checked(make_backbone())
        return cls(backbone, SwAVHead(backbone.dim, hidden_dim, out_dim), Prototypes(out_dim, n_prototypes), **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Two views, K about ten times the classes and at most the batch; multi-crop from 96 px on. Scenes: sharper codes, more steps."""
        if data == "scenes":
            options = {"n_prototypes": 64, "epsilon": 0.03}
            return Recipe(optimizer="adam", lr=1e-3, weight_decay=1e-6, batch_size=64, options=options)
        if data == "stl10":
            crops = {"small_crops": 4, "small_size": 48, "small_scale": (0.08, 0.35)}
            queue = {"n_prototypes": 512, "queue_length": 2048}
            return Recipe(optimizer="adam", lr=2e-3, weight_decay=1e-6, options=crops | queue | {"hidden_dim": 1024})
        return Recipe(optimizer="adam", lr=2e-3, weight_decay=1e-6, augmentation={"scale": (0.14, 1.0)})

    def make_views(self, augmentation: Augmentation) -> Views:
        if not self.small_crops:
            return TwoViews(augmentation)
        small = replace(augmentation, size=self.small_size, scale=self.small_scale)
        return MultiCrop(augmentation, small, n_large=2, n_small=self.small_crops)

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        representation = self.encoder(images)
        return representation, self.head(representation)

    def step(self, batch: Batch) -> Step:
        self.prototypes.normalize_()
        self.prototypes.freeze(self.progress.epoch < self.freeze_epochs)
        if self.progress.step == 0:
            self._warn_of_noise(len(batch) * world_size(), len(self.prototypes.weight))
        # One pass of the backbone for each crop size.
        same_size = [torch.cat(list(group)) for _, group in groupby(batch.views, key=lambda view: view.shape[-1])]
        loss, features, logs = self.match(same_size, len(batch), [self._memory(g) for g in range(2)])
        for g, feature in enumerate(features if self.queues is not None else ()):
            self._queue(g).push(gather(feature))  # after its own scores were stacked, so that no row counts twice
        return Step(loss, torch.stack(features), logs)

    def match(
        self, crops: list[Float[Tensor, "M C _ _"]], count: int, memory: list[Float[Tensor, "L D"] | None]
    ) -> tuple[Float[Tensor, ""], tuple[Float[Tensor, "B D"], ...], dict[str, Tensor]]:
        """Loss, features of the large crops and what to watch: `crops` of equal size lie together, `count` images of each view after the
        other; `memory` holds past features for the balancing of the two large views, or None."""
        # The head sees all crops at once, and so does its batch norm.
        z = self.head(torch.cat([self.encoder(images) for images in crops]))
        scores = self.prototypes(z).split(count)
        features = z.detach().split(count)[:2]
        codes = [self._codes(scores[g].detach(), memory[g]) for g in range(2)]
        loss = swapped_prediction_loss(scores, codes, temperature=self.temperature)
        return loss, features, self.diagnose(loss.detach(), torch.cat(codes), scores[0].detach())

    def training_step(self, views: Sequence[Float[Tensor, "N C _ _"]]) -> dict[str, Tensor]:
        """`step` for views at hand, the two large ones first: the loss and the diagnostics in one dictionary."""
        step = self.step(Batch(tuple(views), ()))
        return {"loss": step.loss, **step.logs}

    @torch.no_grad()
    def diagnose(self, loss: Float[Tensor, ""], codes: Float[Tensor, "B2 K"], scores: Float[Tensor, "B K"]) -> dict[str, Tensor]:
        """How far the loss is below ln K, how soft the codes are (1: uniform), and how many prototypes anybody prefers."""
        count = scores.shape[1]
        mean_prediction = (scores / self.temperature).softmax(dim=1).mean(dim=0)
        preferred = torch.zeros(count, device=scores.device).index_fill_(0, scores.argmax(dim=1), 1.0)
        return {
            "loss below ln K": math.log(count) - loss,
            "code entropy": torch.special.entr(codes).sum(dim=1).mean() / math.log(count),
            "mean prediction entropy": torch.special.entr(mean_prediction).sum() / math.log(count),
            "prototypes used": preferred.sum(),
        }

    @torch.no_grad()
    def _codes(self, scores: Float[Tensor, "B K"], memory: Float[Tensor, "L D"] | None) -> Float[Tensor, "B K"]:
        rows = scores if memory is None else torch.cat([scores, self.prototypes(memory)])
        # Unchecked: looking for NaN would wait for the device, and the loop stops on a NaN loss anyway.
        group = dist.group.WORLD if world_size() > 1 else None
        return _balance(rows, self.epsilon, self.iterations, group)[: len(scores)]

    def _memory(self, g: int) -> Float[Tensor, "L D"] | None:
        """This process's share of the past features of view g, once they are due."""
        if self.queues is None or not self._queue(g).is_full or self.progress.epoch < self._queue_start():
            return None
        return self._queue(g).rows[dist.get_rank() if world_size() > 1 else 0 :: world_size()]

    def _queue_start(self) -> float:
        whole = self.progress.steps / self.progress.steps_per_epoch
        return min(15.0, 0.15 * whole) if self.queue_start is None else self.queue_start

    def _warn_of_noise(self, batch: int, count: int) -> None:
        rows = 0 if self.queues is None else len(self._queue(0).rows)
        if batch + rows < count:
            found = f"{batch} samples" + (f" and {rows} rows of the queue" if rows else "")
            advice = "lower n_prototypes, take a larger batch or a longer queue_length"
            warnings.warn(f"{found} for {count} prototypes make noisy codes; {advice}", stacklevel=3)

    def _queue(self, g: int) -> FeatureQueue:
        assert self.queues is not None
        queue = self.queues[g]
        assert isinstance(queue, FeatureQueue)
        return queue
