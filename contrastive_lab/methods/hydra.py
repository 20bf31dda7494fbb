"""Hydra needs class labels: any two classes may be positive, inside a subspace that a learned gate opens for their pair.

Wu et al.: Rethinking Positive Pairs in Contrastive Learning (2024; renamed SimLAP in 2025).

In `contrast` three arguments change: positives are the views of a partner class, the query's own class is ignored, and each positive
competes with the negatives only (`below="own"`), averaged over pairs. The scores are cosines of gated vectors.

Deviations from the authors' code
* "gate_normalize" (gate, then normalise) is the default; "normalize_gate" is their later simplification without renormalising.
* The released loss subtracts the row mean before exponentiating and overflows at small temperatures; here it is log-sum-exp throughout.
* Without a positive in the batch the loss is 0 (early states of the code gave NaN).
* No momentum twin and no predictor: the two-view form of their later runs, gradients through both views.
* The gate network of `Hydra` is small by default (128 / 256 instead of 512 / 1024): ten classes need no more.
* Left out: the instance loss on ungated vectors (with the momentum twin), gates with noise (Gumbel, hard) or seen from the image, and
  partners drawn by their distance in a tree of words.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from contrastive_lab.contrast import (
    Temperature,
    check_class_numbers,
    check_floating,
    check_pair,
    check_positive,
    contrast,
    precise,
    readable,
    unit,
)
from contrastive_lab.gather import gather
from contrastive_lab.methods.gates import GateNetwork, OpenGate, check_classes
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Recipe, Step
from contrastive_lab.networks import Backbone, ProjectionHead, checked
from contrastive_lab.views import Batch

Mode = Literal["gate_normalize", "normalize_gate"]
PairMode = Literal["arbitrary", "identical", "distinct"]


def gated_similarity(
    z: Float[Tensor, "B D"], keys: Float[Tensor, "M D"], gate: Float[Tensor, "B D"], *, mode: Mode = "gate_normalize"
) -> Float[Tensor, "B M"]:
    """Cosines inside each query's own subspace: its gate filters the query and every key that it meets.

    Two matrix products instead of a B x M x D tensor. A closed gate gives 0. Only ratios within a gate row matter in the default mode.
    """
    _check_gate(z, keys, gate, mode)
    z, keys, gate = (precise(x) for x in (z, keys, gate))
    square = gate.square()
    with torch.autocast(z.device.type, enabled=False):
        if mode == "normalize_gate":
            return (unit(z) * square) @ unit(keys).T
        lengths = (gate * z).norm(dim=1, keepdim=True).clamp_min(1e-12) * (square @ keys.square().T).clamp_min(1e-24).sqrt()
        return (z * square) @ keys.T / lengths


def hydra_pair_loss(
    z: Float[Tensor, "B D"],
    keys: Float[Tensor, "M D"],
    gate: Float[Tensor, "B D"],
    labels: Int64[Tensor, "B"],
    pair_labels: Int64[Tensor, "B"],
    *,
    key_labels: Int64[Tensor, "M"] | None = None,
    temperature: Temperature = 0.1,
    mode: Mode = "gate_normalize",
) -> Float[Tensor, ""]:
    """Each query must prefer the keys of its partner class to those of all third classes; raw vectors, gated inside.

    Keys of the query's own class are ignored unless it is its own partner. Mean over all (query, positive key) pairs.
    """
    check_positive(temperature=temperature)
    of_keys = labels if key_labels is None else key_labels
    _check_labels(len(z), labels=labels, pair_labels=pair_labels)
    _check_labels(len(keys), key_labels=of_keys)
    if not len(z) or not len(keys):
        raise ValueError(f"z has {len(z)} rows and keys {len(keys)}, but at least 1 of each is needed")
    positives = of_keys == pair_labels[:, None]
    negatives = ~positives & (of_keys != labels[:, None])
    scores = gated_similarity(z, keys, gate, mode=mode) / temperature
    return contrast(scores, positives, negatives=negatives, below="own", average="pair")


def hydra_loss(
    z1: Float[Tensor, "B D"],
    z2: Float[Tensor, "B D"],
    gate: Float[Tensor, "B D"],
    labels: Int64[Tensor, "B"],
    pair_labels: Int64[Tensor, "B"],
    *,
    temperature: Temperature = 0.1,
    mode: Mode = "gate_normalize",
) -> Float[Tensor, ""]:
    """Mean of both directions between two views, with the same partners and gates."""
    check_pair(z1, z2, at_least=1)
    options: dict[str, Any] = {"temperature": temperature, "mode": mode}
    forth = hydra_pair_loss(z1, z2, gate, labels, pair_labels, **options)
    return (forth + hydra_pair_loss(z2, z1, gate, labels, pair_labels, **options)) / 2


def sample_pair_labels(
    labels: Int64[Tensor, "B"],
    *,
    mode: PairMode = "arbitrary",
    num_classes: int | None = None,
    generator: torch.Generator | None = None,
) -> Int64[Tensor, "B"]:
    """A partner class for each query: the class of a random other place in the batch, its own class, or a random other class."""
    _check_labels(len(labels), labels=labels)
    check_classes(num_classes, labels=labels)
    if mode == "identical":
        return labels.clone()
    if mode == "arbitrary":
        return labels[torch.randperm(len(labels), generator=generator, device=labels.device)]
    if mode != "distinct":
        raise ValueError(f"mode is {mode!r}, but must be 'arbitrary', 'identical' or 'distinct'")
    count = int(labels.max()) + 1 if num_classes is None else num_classes
    if count < 2:
        raise ValueError(f"num_classes is {count}, but distinct pairs need at least 2 classes")
    return (labels + torch.randint(1, count, labels.shape, generator=generator, device=labels.device)) % count


def class_relations(gates: Float[Tensor, "C D"], *, center: bool = True) -> Float[Tensor, "C C"]:
    """Cosines between class gates. Centre them: all gates share a large part, and uncentred cosines lie close together near 1."""
    if gates.ndim != 2 or len(gates) < 2:
        raise ValueError(f"gates has shape {tuple(gates.shape)}, but must be (C, D) with at least 2 classes")
    rows = unit(gates - gates.mean(dim=0) if center else gates)
    return rows @ rows.T


def _check_gate(z: Tensor, keys: Tensor, gate: Tensor, mode: str) -> None:
    if mode not in ("gate_normalize", "normalize_gate"):
        raise ValueError(f"mode is {mode!r}, but must be 'gate_normalize' or 'normalize_gate'")
    check_floating(z=z, keys=keys, gate=gate)
    if z.ndim != 2 or keys.ndim != 2 or z.shape[1] != keys.shape[1]:
        raise ValueError(f"z has shape {tuple(z.shape)} and keys {tuple(keys.shape)}, but they must be (B, D) and (M, D)")
    if gate.shape != z.shape:
        raise ValueError(f"gate has shape {tuple(gate.shape)}, but must have one row for each query: {tuple(z.shape)}")
    if readable(gate) and not bool((gate.isfinite() & (gate >= 0)).all()):
        raise ValueError(f"gate reaches from {gate.min():g} to {gate.max():g}, but entries must be finite and at least 0")


def _check_labels(count: int, **labels: Tensor) -> None:
    check_class_numbers(count, **labels)
    check_classes(None, **labels)


class Hydra(Method):
    """Needs labels. Backbone, projector ending in layer norm (batch norm would work against closing coordinates), and a gate."""

    name = "hydra"
    title = "Hydra"
    paper = "Wu et al. 2024, arXiv 2410.18200"
    needs = frozenset({"labels"})
    graph = "match"

    def __init__(
        self,
        backbone: Backbone,
        projector: nn.Module,
        gate: GateNetwork | OpenGate,
        *,
        temperature: float = 0.1,
        pair_mode: PairMode = "arbitrary",
        mode: Mode = "gate_normalize",
    ) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        if pair_mode not in ("arbitrary", "identical", "distinct"):
            raise ValueError(f"pair_mode is {pair_mode!r}, but must be 'arbitrary', 'identical' or 'distinct'")
        if pair_mode == "distinct" and gate.num_classes < 3:
            raise ValueError(f"num_classes is {gate.num_classes} with distinct pairs, but without a third class there are no negatives")
        self.encoder, self.projector, self.gate = backbone, projector, gate
        self.temperature, self.pair_mode, self.mode = temperature, pair_mode, mode

    @classmethod
    def build(
        cls,
        make_backbone: MakeBackbone,
        *,
        num_classes: int = 10,
        hidden_dim: int = 512,
        out_dim: int = 128,
        open_gate: bool = False,
        embed_dim: int = 128,
        gate_hidden_dim: int = 256,
        fuse: Literal["mean", "product"] = "mean",
        **options: Any,
    ) -> Method:
        backbone = checked(make_backbone())
        projector = ProjectionHead(backbone.dim, hidden_dim=hidden_dim, out_dim=out_dim, last_norm="ln")
        gate = (
            OpenGate(num_classes, out_dim)
            if open_gate
            else GateNetwork(num_classes, out_dim, embed_dim=embed_dim, hidden_dim=gate_hidden_dim, fuse=fuse)
        )
        return cls(backbone, projector, gate, **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Adam 1e-3 and temperature 0.1 as in the authors' CIFAR run, which used weight decay 5e-4."""
        decay = 5e-4 if data == "cifar10" else 1e-4
        return Recipe(optimizer="adam", lr=1e-3, weight_decay=decay, warmup_epochs=2 if data == "cifar10" else 0)

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        representation = self.encoder(images)
        return representation, self.projector(representation)

    def training_loss(
        self,
        x1: Float[Tensor, "N C H W"],
        x2: Float[Tensor, "N C H W"],
        labels: Int64[Tensor, "N"],
        *,
        temperature: float | None = None,
        pair_mode: PairMode | None = None,
    ) -> Float[Tensor, ""]:
        """Loss of two views with freshly drawn partner classes; the loop calls `step`."""
        partners = sample_pair_labels(labels, mode=pair_mode or self.pair_mode, num_classes=self.gate.num_classes)
        z1, z2 = self(torch.cat([x1, x2]))[1].chunk(2)
        heat = self.temperature if temperature is None else temperature
        return hydra_loss(z1, z2, self.gate(labels, partners), labels, partners, temperature=heat, mode=self.mode)

    def step(self, batch: Batch) -> Step:
        if batch.labels is None:
            raise ValueError("labels are missing: Hydra draws its pairs by class; train on labelled images")
        labels = gather(batch.labels)
        # Partners depend on the step alone, so that every process draws the same for the joint batch.
        dice = torch.Generator(labels.device).manual_seed(self.progress.step)
        partners = sample_pair_labels(labels, mode=self.pair_mode, num_classes=self.gate.num_classes, generator=dice)
        return self.match(torch.cat(batch.views), labels, partners)

    def match(self, images: Float[Tensor, "V C H W"], labels: Int64[Tensor, "B"], partners: Int64[Tensor, "B"]) -> Step:
        """What is left of a step when the partners are drawn; `images` are both views, stacked."""
        z1, z2 = (gather(z) for z in self(images)[1].chunk(2))
        gate = self.gate(labels, partners)
        loss = hydra_loss(z1, z2, gate, labels, partners, temperature=self.temperature, mode=self.mode)
        z1, z2, gate = z1.detach(), z2.detach(), gate.detach()
        return Step(loss, torch.stack([unit(z1), unit(z2)]), self.diagnose(z1, z2, gate, labels, partners))

    @torch.no_grad()
    def diagnose(
        self,
        z1: Float[Tensor, "B D"],
        z2: Float[Tensor, "B D"],
        gate: Float[Tensor, "B D"],
        labels: Int64[Tensor, "B"],
        partners: Int64[Tensor, "B"],
    ) -> dict[str, Tensor]:
        """How far gates are open (0 to 1), how undecided they are (entropy, 1: all at one half), the share of identical pairs, and the
        loss of identical and of distinct pairs (from view 1 to view 2; 0 in a batch that has none)."""
        identical = labels == partners
        # Queries whose partner is a class that no key has are left out of the mean.
        nobody = self.gate.num_classes
        options: dict[str, Any] = {"temperature": self.temperature, "mode": self.mode}
        undecided = (torch.special.entr(gate) + torch.special.entr(1 - gate)).mean() / math.log(2)
        return {
            "gate opening": gate.mean(),
            "gate entropy": undecided,
            "gate spread": gate.std(dim=0).mean(),
            "identical pairs": identical.float().mean(),
            "loss of identical pairs": hydra_pair_loss(z1, z2, gate, labels, partners.masked_fill(~identical, nobody), **options),
            "loss of distinct pairs": hydra_pair_loss(z1, z2, gate, labels, partners.masked_fill(identical, nobody), **options),
        }
