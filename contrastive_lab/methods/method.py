"""What every method has in common: the protocol between a paper's file and the training loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.contrast import unit
from contrastive_lab.networks import Backbone
from contrastive_lab.views import Augmentation, Batch, TwoViews, Views

MakeBackbone = Callable[..., Backbone]
"""Builds a fresh backbone; `dense=True` asks for a map of at least 6 x 6 cells (PixPro)."""

DataKind = Literal["scenes", "cifar10", "stl10"]


@dataclass(frozen=True)
class Step:
    """What one training step produced. `embeddings` are detached unit vectors, one block per view; `logs` are 0-dim tensors."""

    loss: Float[Tensor, ""]
    embeddings: Float[Tensor, "V N D"]
    logs: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far a run is: optimiser steps done, of how many in all, and steps of one epoch."""

    step: int = 0
    steps: int = 1
    steps_per_epoch: int = 1

    @property
    def fraction(self) -> float:
        return self.step / max(self.steps, 1)

    @property
    def epoch(self) -> float:
        return self.step / max(self.steps_per_epoch, 1)


@dataclass(frozen=True)
class Recipe:
    """How a method is trained on one kind of data unless told otherwise. `lr` belongs to `batch_size`."""

    optimizer: Literal["sgd", "adamw", "adam", "lars"] = "adamw"
    lr: float | int = 1e-3
    weight_decay: float | int = 1e-4
    batch_size: int = 256
    warmup_epochs: float | int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)


class Method(nn.Module):
    """A way of training `encoder` without (or with few) labels.

    A subclass writes `step`; where the paper needs it also `build`, `recipe`, `make_views` and `after_update`. `paper` reads like
    "Chen et al. 2020, arXiv 2002.05709". Rows of a batch that are compared with one another go through `gather` first, so that several
    processes equal one.
    `needs` names the fields of a batch beyond the views that the method cannot do without (labels, groups, captions).
    In a loop of your own: `step(batch)`, `loss.backward()`, the optimiser's step, then `after_update(Progress(step + 1, steps,
    steps_per_epoch))`, which moves twins and schedules. An encoder of your own becomes a `Backbone` by `networks.Wrapped(encoder, dim)`.
    `graph` names the function that is arithmetic on tensors alone (`step`, or the part of it that is left without schedule, generator and
    queue): a compiler may take it as a whole. `freezes` tells several processes that some parameters have no gradient in some steps.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    graph: str | None = None
    freezes: ClassVar[bool] = False

    encoder: Backbone
    progress: Progress

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()

    @classmethod
    def build(cls, make_backbone: MakeBackbone, **options: Any) -> Method:
        """The method with its usual heads on a fresh backbone; `options` are the keyword arguments of the constructor and heads."""
        raise NotImplementedError

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Settings with which this method is trained on `data` by default."""
        return Recipe()

    def make_views(self, augmentation: Augmentation) -> Views:
        """The random views this method learns from, made from the data's usual augmentation."""
        return TwoViews(augmentation)

    def step(self, batch: Batch) -> Step:
        raise NotImplementedError

    def after_update(self, progress: Progress) -> None:
        """Called after each optimiser step; momentum twins, queues and schedules move here."""
        self.progress = progress

    @torch.no_grad()
    def represent(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D"]:
        """The representation that is kept and evaluated: backbone features, before any projector."""
        return self.encoder(images)

    def embed(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, "N E"]:
        """Unit vectors in the space in which the loss compares images: the projector's output, normalised.

        A predictor is left out. A loss that centres or whitens over the batch puts that norm at the end of its projector
        (`ProjectionHead(last_norm="bn")`): else alignment, uniformity and the doctor measure an offset that the loss never sees.
        """
        return unit(self(images)[1])

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        """Representation and raw projector output of images; a method without a projector gives the representation twice."""
        representation = self.encoder(images)
        return representation, representation
