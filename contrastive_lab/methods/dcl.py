"""DCL and DCLW: InfoNCE without the positive below the line.

Yeh, Hong, Hsu, Liu, Chen, LeCun: Decoupled Contrastive Learning (ECCV 2022).

In InfoNCE every gradient of an anchor carries one factor q = 1 - (softmax mass of the positive): the negative-positive coupling. It
switches learning off where the positive is easy or the negatives are few. DCL removes the positive from the denominator, and with it q.

Deviations
* All of the 2(N - 1) views of other images repel; all three diagonals are masked with minus infinity. A popular implementation adds
  log(1e-45), about -103, instead, which leaks into the denominator at temperatures near 0.01, and returns one direction only.
* DCLW's weights are detached by default (as in lightly): a weight is not an objective. Two other public versions let gradients
  through; `detach_weights=False` does the same. The paper does not settle it. Values are identical.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.contrast import Temperature, check_pair, check_positive, contrast, cosine_scores, twins, unit
from contrastive_lab.methods.method import DataKind, Recipe
from contrastive_lab.methods.simclr import SimCLR
from contrastive_lab.networks import Backbone
from contrastive_lab.tiled import check_chunk, tiled_twins


def dcl_loss(
    z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, temperature: Temperature = 0.1, chunk: int | None = None
) -> Float[Tensor, ""]:
    """Decoupled contrastive loss (eq. 6), mean over 2N anchors; not bounded below by 0, log(2N - 2) when all vectors are equal.

    With a `chunk` the same in memory that grows with chunk N instead of N squared.
    """
    return _decoupled(z1, z2, temperature=temperature, pull=None, chunk=chunk)


def dclw_loss(
    z1: Float[Tensor, "N D"],
    z2: Float[Tensor, "N D"],
    *,
    temperature: Temperature = 0.1,
    sigma: float = 0.5,
    detach_weights: bool = True,
    chunk: int | None = None,
) -> Float[Tensor, ""]:
    """DCL whose positive terms are weighted by `dclw_weights` (eq. 7 and 8): badly aligned pairs are pulled harder."""
    weights = dclw_weights(z1, z2, sigma=sigma)
    weights = weights.detach() if detach_weights else weights
    return _decoupled(z1, z2, temperature=temperature, pull=weights.repeat(2), chunk=chunk)


def dclw_weights(z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, sigma: float = 0.5) -> Float[Tensor, "N"]:
    """One weight per image, 2 - N softmax(cosine / sigma): mean 1, at most 2, negative for outstandingly aligned pairs at small sigma."""
    check_pair(z1, z2)
    check_positive(sigma=sigma)
    return 2 - len(z1) * ((unit(z1) * unit(z2)).sum(dim=1) / sigma).softmax(dim=0)


def npc_multiplier(
    z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"], *, temperature: Temperature = 0.1, chunk: int | None = None
) -> Float[Tensor, "A"]:
    """The factor q in (0, 1] on every InfoNCE gradient of the 2N anchors (eq. 3), anchors of view 1 first; DCL sets it to 1."""
    check_pair(z1, z2)
    check_positive(temperature=temperature)
    check_chunk(chunk)
    stack = torch.cat([z1, z2])
    anchor = torch.arange(len(stack), device=z1.device)
    parts = []
    for start in range(0, len(stack), chunk or len(stack)):
        rows = anchor[start : start + (chunk or len(stack))]
        scores = cosine_scores(stack[rows], stack, temperature=temperature)
        same_image, itself = rows[:, None] % len(z1) == anchor % len(z1), rows[:, None] == anchor
        # A difference of logarithms: 1 - softmax has no digits left where q is small.
        parts.append(scores.masked_fill(same_image, -torch.inf).logsumexp(1) - scores.masked_fill(itself, -torch.inf).logsumexp(1))
    return torch.cat(parts).exp()


def _decoupled(z1: Tensor, z2: Tensor, *, temperature: Temperature, pull: Tensor | None, chunk: int | None) -> Tensor:
    check_pair(z1, z2)
    check_positive(temperature=temperature)
    stack = torch.cat([z1, z2])
    if chunk is not None:
        plain = tiled_twins(stack, temperature=temperature, chunk=chunk, decoupled=True)
        attraction = (unit(z1) * unit(z2)).sum(dim=1).repeat(2) / temperature
        return plain if pull is None else plain - ((pull - 1) * attraction).mean()
    twin, others = twins(len(z1), z1.device)
    return contrast(cosine_scores(stack, stack, temperature=temperature), twin, negatives=others, below="negatives", pull=pull)


class DCL(SimCLR):
    """SimCLR with the decoupled loss; a lower temperature than SimCLR's, where the coupling bites."""

    name = "dcl"
    title = "DCL"
    paper = "Yeh et al. 2022, arXiv 2110.06848"
    weighted = False

    def __init__(
        self, backbone: Backbone, projector: nn.Module, *, temperature: float = 0.1, sigma: float = 0.5, chunk: int | None = None
    ) -> None:
        super().__init__(backbone, projector, temperature=temperature, chunk=chunk)
        check_positive(sigma=sigma)
        self.sigma = sigma

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """SimCLR's optimiser for each data set at the paper's temperature 0.1 (0.2 on the embedded world, whose images are few)."""
        same = SimCLR.recipe(data)
        return Recipe(
            optimizer=same.optimizer,
            lr=same.lr,
            weight_decay=same.weight_decay,
            warmup_epochs=same.warmup_epochs,
            options={"temperature": 0.2 if data == "scenes" else 0.1},
        )

    def loss(
        self,
        z1: Float[Tensor, "N D"],
        z2: Float[Tensor, "N D"],
        *,
        temperature: float | None = None,
        weighted: bool | None = None,
        sigma: float | None = None,
    ) -> Float[Tensor, ""]:
        heat = self.temperature if temperature is None else temperature
        if self.weighted if weighted is None else weighted:
            return dclw_loss(z1, z2, temperature=heat, sigma=self.sigma if sigma is None else sigma, chunk=self.chunk)
        return dcl_loss(z1, z2, temperature=heat, chunk=self.chunk)

    def training_loss(
        self,
        x1: Float[Tensor, "N C H W"],
        x2: Float[Tensor, "N C H W"],
        *,
        temperature: float | None = None,
        weighted: bool | None = None,
        sigma: float | None = None,
    ) -> Float[Tensor, ""]:
        """As SimCLR's; `weighted` and `sigma` say for this call whether and how the positives are weighted."""
        return self.loss(*self._project(x1, x2), temperature=temperature, weighted=weighted, sigma=sigma)

    def diagnose(self, z1: Float[Tensor, "N D"], z2: Float[Tensor, "N D"]) -> dict[str, Tensor]:
        shared = super().diagnose(z1, z2) | {
            "npc multiplier": npc_multiplier(z1, z2, temperature=self.temperature, chunk=self.chunk).mean()
        }
        return shared | ({"lowest weight": dclw_weights(z1, z2, sigma=self.sigma).min()} if self.weighted else {})


class DCLW(DCL):
    """DCL with von Mises-Fisher weights on the positives."""

    name = "dclw"
    title = "DCLW"
    weighted = True
