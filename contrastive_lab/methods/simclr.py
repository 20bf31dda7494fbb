"""SimCLR: two views of an image must find each other among all views of the batch.

Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of Visual Representations (2020), and
Wang, Isola: Understanding Contrastive Representation Learning through Alignment and Uniformity (2020).

Deviations from the authors' code
* `nt_xent_loss` is the mean over all 2N anchors. The TensorFlow original adds the means of both directions: exactly twice this value.
* One forward pass for both views, so that batch norm sees them together (as the original does on one device).
* `supcon_loss` has no factor temperature / base temperature (1 instead of temperature / 0.07).
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from contrastive_lab.contrast import (
    Temperature,
    check_class_numbers,
    check_floating,
    check_pair,
    check_positive,
    contrast,
    cosine_scores,
    precise,
    readable,
    twins,
    unit,
)
from contrastive_lab.gather import gather
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Recipe, Step
from contrastive_lab.networks import Backbone, ProjectionHead, checked
from contrastive_lab.tiled import tiled_pairs, tiled_twins
from contrastive_lab.views import Batch


def nt_xent_loss(
    z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, temperature: Temperature = 0.5, chunk: int | None = None
) -> Float[Tensor, ""]:
    """NT-Xent (SimCLR, eq. 1): each view must pick its twin among the 2N - 1 other views.

    Never negative; log(2N - 1) when all vectors are equal. Rows are normalised inside. With a `chunk` the same in memory that grows
    with chunk N instead of N squared.
    """
    check_pair(z1, z2)
    check_positive(temperature=temperature)
    stack = torch.cat([z1, z2])
    if chunk is not None:
        return tiled_twins(stack, temperature=temperature, chunk=chunk)
    twin, others = twins(len(z1), z1.device)
    return contrast(cosine_scores(stack, stack, temperature=temperature), twin, negatives=others)


def info_nce_loss(
    q: Float[Tensor, "N D"],
    k: Float[Tensor, "N D"],
    *,
    negatives: Float[Tensor, "Q D"] | None = None,
    temperature: Temperature = 0.1,
    symmetric: bool = False,
    chunk: int | None = None,
) -> Float[Tensor, ""]:
    """InfoNCE in one direction: query i must pick key i.

    Without `negatives` the other keys of the batch repel (MoCo v3, CLIP); with them only those do (MoCo's queue), so N may be 1.
    `symmetric` averages both directions and needs the first form, and so does `chunk`: memory for chunk x N scores instead of N x N.
    Gradients reach keys and `negatives`; `info_nce_queue` detaches them.
    """
    check_pair(q, k, at_least=2 if negatives is None else 1, names=("q", "k"))
    check_positive(temperature=temperature)
    if chunk is not None and negatives is not None:
        raise ValueError(f"chunk is {chunk} together with negatives; a queue's scores grow with N alone, leave chunk out")
    if chunk is not None:
        forth = tiled_pairs(q, k, temperature=temperature, chunk=chunk)
        return (forth + tiled_pairs(k, q, temperature=temperature, chunk=chunk)) / 2 if symmetric else forth
    if negatives is None:
        scores = cosine_scores(q, k, temperature=temperature)
        own = torch.eye(len(q), dtype=torch.bool, device=q.device)
        forth = contrast(scores, own)
        return (forth + contrast(scores.T, own)) / 2 if symmetric else forth
    if symmetric:
        raise ValueError("symmetric is True together with negatives; the queue form has one direction, leave one of the two out")
    check_floating(negatives=negatives)
    if negatives.ndim != 2 or len(negatives) == 0 or negatives.shape[1] != q.shape[1]:
        raise ValueError(f"negatives has shape {tuple(negatives.shape)}, but must be (Q, {q.shape[1]}) with at least one row")
    twin = (unit(q) * unit(k)).sum(dim=1, keepdim=True) / temperature
    return contrast(twin, torch.ones_like(twin, dtype=torch.bool), extra=cosine_scores(q, negatives, temperature=temperature))


def supcon_loss(
    z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], labels: Int64[Tensor, "N"], *, temperature: Temperature = 0.1
) -> Float[Tensor, ""]:
    """Supervised contrastive loss (Khosla et al. 2020, L_out): all other views with the anchor's label are positives.

    An anchor without a positive counts as 0. With all labels distinct this is `nt_xent_loss`.
    """
    check_pair(z1, z2)
    check_positive(temperature=temperature)
    check_class_numbers(len(z1), labels=labels)
    if readable(labels) and bool((labels < 0).any()):
        raise ValueError(
            f"labels reach down to {int(labels.min())}, but classes count from 0: unlabelled images (-1) are no class, leave them out"
        )
    stack, both = torch.cat([z1, z2]), labels.repeat(2)
    same = both[:, None] == both
    itself = torch.eye(len(stack), dtype=torch.bool, device=z1.device)
    return contrast(cosine_scores(stack, stack, temperature=temperature), same & ~itself, negatives=~same)


def alignment_loss(z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, alpha: float = 2.0, normalize: bool = True) -> Float[Tensor, ""]:
    """Mean distance of positive pairs to the power `alpha` >= 1 (Wang and Isola, eq. 4); in [0, 2**alpha] on the sphere."""
    check_pair(z1, z2, at_least=1)
    if not (math.isfinite(alpha) and alpha >= 1):
        raise ValueError(f"alpha is {alpha}, but must be at least 1: below, the gradient at distance 0 is infinite")
    x, y = (unit(z1), unit(z2)) if normalize else (precise(z1), precise(z2))
    return torch.linalg.vector_norm(x - y, dim=1).pow(alpha).mean()


def uniformity_loss(z: Float[Tensor, "N D"], *, t: float = 2.0, normalize: bool = True) -> Float[Tensor, ""]:
    """Log of the mean Gaussian potential over distinct pairs (Wang and Isola, eq. 5); in [-4t, 0] on the sphere, 0 when collapsed."""
    check_pair(z, z, names=("z", "z"))
    check_positive(t=t)
    x = unit(z) if normalize else precise(z)
    return torch.logsumexp(-t * F.pdist(x).pow(2), dim=0) - math.log(len(x) * (len(x) - 1) / 2)


def similarity_weights(z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, temperature: Temperature) -> Float[Tensor, "A A"]:
    """How NT-Xent distributes the attention of each of the 2N anchors: softmax rows, 0 on the diagonal."""
    check_pair(z1, z2)
    check_positive(temperature=temperature)
    stack = torch.cat([z1, z2])
    itself = torch.eye(len(stack), dtype=torch.bool, device=z1.device)
    return cosine_scores(stack, stack, temperature=temperature).masked_fill(itself, -math.inf).softmax(dim=1)


class SimCLR(Method):
    """Backbone and projector, trained with NT-Xent on two views; `chunk` is for batches whose N x N scores don't fit."""

    name = "simclr"
    title = "SimCLR"
    paper = "Chen et al. 2020, arXiv 2002.05709"

    def __init__(self, backbone: Backbone, projector: nn.Module, *, temperature: float = 0.5, chunk: int | None = None) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self.encoder, self.projector, self.temperature, self.chunk = backbone, projector, temperature, chunk
        self.graph = "step" if chunk is None else None

    @classmethod
    def build(cls, make_backbone: MakeBackbone, *, hidden_dim: int = 512, out_dim: int = 128, **options: Any) -> Method:
        backbone = checked(make_backbone())
        return cls(backbone, ProjectionHead(backbone.dim, hidden_dim=hidden_dim, out_dim=out_dim), **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """CIFAR: SGD as in lightly's benchmark (0.06 per 128 images), temperature 0.5; STL and scenes: AdamW, temperature 0.2.

        At full size on CIFAR-10 0.2 was better than 0.5 by two points of kNN, and 0.1 worse (docs/results.md). 0.5 stays for comparisons.
        """
        if data == "cifar10":
            return Recipe(optimizer="sgd", lr=0.12, weight_decay=5e-4, warmup_epochs=5, options={"temperature": 0.5})
        if data == "stl10":
            return Recipe(optimizer="adamw", lr=5e-4, weight_decay=1e-4, options={"temperature": 0.2})
        return Recipe(optimizer="adamw", lr=2e-3, weight_decay=1e-4, options={"temperature": 0.2})

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        representation = self.encoder(images)
        return representation, self.projector(representation)

    def loss(self, z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, temperature: float | None = None) -> Float[Tensor, ""]:
        return nt_xent_loss(z1, z2, temperature=self.temperature if temperature is None else temperature, chunk=self.chunk)

    def training_loss(
        self, x1: Float[Tensor, "N C H W"], x2: Float[Tensor, "N C H W"], *, temperature: float | None = None
    ) -> Float[Tensor, ""]:
        """Loss of two views of the same images; the loop calls `step`, this is for reading and for notebooks."""
        return self.loss(*self._project(x1, x2), temperature=temperature)

    def step(self, batch: Batch) -> Step:
        z1, z2 = (gather(z) for z in self._project(*batch.views))
        return Step(self.loss(z1, z2), torch.stack([unit(z1), unit(z2)]).detach(), self.diagnose(z1.detach(), z2.detach()))

    def diagnose(self, z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"]) -> dict[str, Tensor]:
        """Numbers to watch besides the loss."""
        return {"positive similarity": F.cosine_similarity(z1.float(), z2.float()).mean()}

    def _project(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, ...]:
        return tuple(self(torch.cat([x1, x2]))[1].chunk(2))
