"""SepCLR separates what two data sets share from what only the target set has.

Louiset, Duchesnay, Grigis, Gori: Separating common from salient patterns with Contrastive Representation Learning (ICLR 2024).

Two encoders: a common code c on the sphere for all images, and a salient code s in Euclidean space for target images, where background
images must sit at the origin. Both are trained by alignment and uniformity; a kernel estimate of the joint entropy keeps them from
telling the same story (k-JEM). Batches mix background (group 0) and target (group 1).

Deviations
* Log-sum-exp everywhere: the published log(mean(exp)) returns minus infinity for a few far points.
* Terms of an absent group are 0 (they are NaN in the released code).
* Salient weights: the code uses 1000 / 1000 / 10, with which the joint entropy hardly reaches the salient encoder; defaults here are
  1 / 10 / 10. `background_pairs=False` leaves out the constant pairs of two background images, as the paper's formula reads.
* The supervised variant averages over all target pairs, also for discrete attributes, as released. `SepCLR` doesn't train with it: it
  is a loss to build on (released weights: common term + 100 this one + 10 the joint entropy of the undistorted view).
* `SepCLR.forward` answers as every method's here, `SepCLR.codes` gives the four outputs of the released network by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from contrastive_lab.contrast import check_class_numbers, check_floating, check_pair, check_positive, precise, readable, unit
from contrastive_lab.gather import gather
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Recipe, Step
from contrastive_lab.networks import Backbone, ProjectionHead, check_backbone
from contrastive_lab.views import Batch

Groups = Int64[Tensor, "N"] | Bool[Tensor, "N"]


def gaussian_alignment(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], *, tau: float = 0.5) -> Float[Tensor, ""]:
    """Mean squared distance of pairs over 2 tau; vectors are taken as they are. 0 without rows."""
    check_pair(x, y, at_least=0, names=("x", "y"))
    check_positive(tau=tau)
    return (precise(x) - precise(y)).square().sum() / (2 * tau * max(len(x), 1))


def gaussian_uniformity(x: Float[Tensor, "N D"], *, tau: float = 0.5) -> Float[Tensor, ""]:
    """Log of the mean kernel exp(-d^2 / (2 tau)) over distinct pairs; vectors are taken as they are. 0 with fewer than two rows."""
    check_pair(x, x, at_least=0, names=("x", "x"))
    check_positive(tau=tau)
    above = torch.ones(len(x), len(x), dtype=torch.bool, device=x.device).triu(1)
    return _log_mean(_log_kernel(x, tau), above)


def sepclr_common_loss(
    common_1: Float[Tensor, "N D"], common_2: Float[Tensor, "N D"], *, tau: float = 0.5, uniformity_weight: float = 2.0
) -> Float[Tensor, ""]:
    """Alignment and uniformity of the common codes of all images; normalises."""
    check_pair(common_1, common_2, names=("common_1", "common_2"))
    _check_weights(uniformity_weight=uniformity_weight)
    one, two = unit(common_1), unit(common_2)
    spread = (gaussian_uniformity(one, tau=tau) + gaussian_uniformity(two, tau=tau)) / 2
    return gaussian_alignment(one, two, tau=tau) + uniformity_weight * spread


def sepclr_salient_loss(
    salient_1: Float[Tensor, "N D"],
    salient_2: Float[Tensor, "N D"],
    labels: Groups,
    *,
    tau: float = 0.5,
    uniformity_weight: float = 2.0,
    background_pairs: bool = True,
) -> Float[Tensor, ""]:
    """Alignment of target codes, and uniformity with background codes replaced by the origin: targets repel each other and it."""
    target = _targets(labels, salient_1, salient_2)
    check_positive(tau=tau)
    _check_weights(uniformity_weight=uniformity_weight)
    one, two = _origin(salient_1, target), _origin(salient_2, target)
    pairs = torch.ones(len(target), len(target), dtype=torch.bool, device=target.device).triu(1)
    if not background_pairs:
        pairs &= target[:, None] | target
    spread = (_log_mean(_log_kernel(one, tau), pairs) + _log_mean(_log_kernel(two, tau), pairs)) / 2
    # Background rows are equal (the origin) in both views, so only targets contribute to the sum.
    pull = (one - two).square().sum() / target.sum().clamp_min(1) / (2 * tau)
    return pull + uniformity_weight * spread


def sepclr_background_loss(
    salient_1: Float[Tensor, "N D"], salient_2: Float[Tensor, "N D"], labels: Groups, *, tau: float = 0.5
) -> Float[Tensor, ""]:
    """Mean squared length of the background codes of both views, over 2 tau: background carries nothing salient."""
    target = _targets(labels, salient_1, salient_2)
    check_positive(tau=tau)
    lengths = torch.stack([precise(s).square().sum(dim=1) for s in (salient_1, salient_2)]).mean(dim=0)
    return torch.where(target, 0.0, lengths).sum() / (~target).sum().clamp_min(1) / (2 * tau)


def joint_entropy_loss(
    common: Float[Tensor, "N Dc"],
    salient: Float[Tensor, "N Ds"],
    *,
    tau: float = 0.5,
    labels: Groups | None = None,
    normalize_common: bool = True,
) -> Float[Tensor, ""]:
    """Minus the kernel estimate of the joint entropy of one view, in [-log N, 0]; self pairs count. Background salient codes are zeroed."""
    _check_two_codes(common, salient, tau)
    if labels is not None:
        salient = _origin(salient, _targets(labels, salient, salient))
    return -_entropy(_log_kernel(unit(common) if normalize_common else common, tau) + _log_kernel(salient, tau))


def sepclr_loss(
    common_1: Float[Tensor, "N Dc"],
    common_2: Float[Tensor, "N Dc"],
    salient_1: Float[Tensor, "N Ds"],
    salient_2: Float[Tensor, "N Ds"],
    labels: Groups,
    *,
    tau: float = 0.5,
    uniformity_weight: float = 2.0,
    beta_salient: float = 1.0,
    beta_background: float = 10.0,
    lambda_jem: float = 10.0,
    background_pairs: bool = True,
) -> Float[Tensor, ""]:
    """Common term + beta_salient salient term + beta_background null term + lambda_jem joint-entropy term."""
    _check_weights(beta_salient=beta_salient, beta_background=beta_background, lambda_jem=lambda_jem)
    weights = {"tau": tau, "uniformity_weight": uniformity_weight}
    joint = sum(joint_entropy_loss(c, s, tau=tau, labels=labels) for c, s in ((common_1, salient_1), (common_2, salient_2))) / 2
    return (
        sepclr_common_loss(common_1, common_2, **weights)
        + beta_salient * sepclr_salient_loss(salient_1, salient_2, labels, background_pairs=background_pairs, **weights)
        + beta_background * sepclr_background_loss(salient_1, salient_2, labels, tau=tau)
        + lambda_jem * joint
    )


def sepclr_supervised_salient_loss(
    salient: Float[Tensor, "N d"],
    labels: Groups,
    attributes: Float[Tensor, "N d"] | Float[Tensor, "N"],
    *,
    kinds: Sequence[Literal["discrete", "continuous"]],
    tau: float = 0.5,
    tau_attribute: float = 0.025,
) -> Float[Tensor, ""]:
    """Supervised variant, needs attributes: coordinate d of the salient code is tied to attribute d of the target images.

    Targets with similar values of an attribute get similar coordinates; background stays at 0; each coordinate spreads. What stands
    in the attributes of background images is not looked at (it may be NaN).
    """
    attributes = attributes[:, None] if attributes.ndim == 1 else attributes
    if attributes.shape != salient.shape or len(kinds) != salient.shape[1] or not set(kinds) <= {"discrete", "continuous"}:
        shapes = f"salient {tuple(salient.shape)}, attributes {tuple(attributes.shape)}, kinds {list(kinds)}"
        raise ValueError(f"{shapes} don't fit: one column and one 'discrete' or 'continuous' for each attribute")
    check_positive(tau=tau, tau_attribute=tau_attribute)
    target = _targets(labels, salient, salient)
    s, coded = precise(salient), _origin(salient, target)
    pairs = (target[:, None] & target).triu(1)
    terms = []
    for d, kind in enumerate(kinds):
        width = tau_attribute if kind == "continuous" else 1e-5
        likeness = (-(attributes[:, None, d] - attributes[:, d]).square() / (2 * width)).exp().masked_fill(~pairs, 0.0)
        tied = (likeness * (s[:, None, d] - s[:, d]).square()).sum() / pairs.sum().clamp_min(1)
        null_width = tau if kind == "discrete" else tau_attribute
        null = torch.where(target, 0.0, s[:, d].square()).sum() / (~target).sum().clamp_min(1) / (2 * null_width)
        terms.append(gaussian_uniformity(coded[:, d : d + 1], tau=tau) + (tied + null) / 2)
    return torch.stack(terms).mean()


@torch.no_grad()
def kernel_mutual_information(common: Float[Tensor, "N Dc"], salient: Float[Tensor, "N Ds"], *, tau: float = 0.5) -> Float[Tensor, ""]:
    """H(c) + H(s) - H(c, s) by kernel estimates (diagnostic): 0 on a product grid, positive where one code tells about the other."""
    _check_two_codes(common, salient, tau)
    c, s = _log_kernel(common, tau), _log_kernel(salient, tau)
    return _entropy(c) + _entropy(s) - _entropy(c + s)


def _log_kernel(x: Tensor, tau: float) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):
        x = precise(x)
        return -((x[:, None] - x).square().sum(dim=-1) if x.shape[1] <= 4 else _square_distances(x)) / (2 * tau)


def _square_distances(x: Tensor) -> Tensor:
    # Not cdist squared: between equal rows (background pairs) the gradient of the root is infinite. And not (2 x) @ x.T: 2 x would be kept
    # for the backward pass, by a kernel that Triton 3.6 (of torch 2.11) fails to compile.
    # Around the mean, which distances don't feel: far from the origin the difference of large squares would lose its digits.
    x = x - x.detach().mean(dim=0)
    square = x.square().sum(dim=1)
    return (square[:, None] + square - 2 * (x @ x.T)).clamp_min(0).fill_diagonal_(0)


def _log_mean(log_values: Tensor, chosen: Tensor) -> Tensor:
    """Log of the mean over the chosen entries; 0 (with a graph) if there are none."""
    masked = log_values.masked_fill(~chosen, -math.inf).flatten().logsumexp(dim=0)
    return torch.where(chosen.any(), masked - chosen.sum().clamp_min(1).to(masked.dtype).log(), log_values.sum() * 0)


def _entropy(log_kernel: Tensor) -> Tensor:
    return -(log_kernel.logsumexp(dim=1) - math.log(len(log_kernel))).mean()


def _origin(salient: Tensor, target: Tensor) -> Tensor:
    """A copy with background rows at the origin; in place, the null term would vanish. Multiplied, so that NaN stays NaN."""
    return precise(salient) * target[:, None]


def _targets(labels: Tensor, one: Tensor, two: Tensor) -> Tensor:
    check_pair(one, two, at_least=1, names=("salient_1", "salient_2"))
    check_class_numbers(len(one), labels=labels)
    if readable(labels) and not bool(((labels == 0) | (labels == 1)).all()):
        raise ValueError(f"labels hold {sorted(set(labels.tolist()))}, but must be 0 (background) or 1 (target)")
    return labels.bool()


def _check_weights(**weights: float) -> None:
    for name, value in weights.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}, but must be finite and at least 0; 0 leaves the term out")


def _check_two_codes(common: Tensor, salient: Tensor, tau: float) -> None:
    check_positive(tau=tau)
    check_floating(common=common, salient=salient)
    if common.ndim != 2 or salient.ndim != 2 or len(common) != len(salient):
        raise ValueError(f"common has shape {tuple(common.shape)} and salient {tuple(salient.shape)}, but both must have one row per image")


class Codes(NamedTuple):
    """Both representations (evaluated) and both head outputs (trained)."""

    common: Float[Tensor, "N Dc"]
    common_head: Float[Tensor, "N Dc"]
    salient: Float[Tensor, "N Ds"]
    salient_head: Float[Tensor, "N Ds"]


class SepCLR(Method):
    """Needs groups (0 background, 1 target). Two encoders that share nothing; each a backbone, a linear representation and a projector."""

    name = "sepclr"
    title = "SepCLR"
    paper = "Louiset et al. 2024, arXiv 2402.11928"
    needs = frozenset({"groups"})
    graph = "step"

    def __init__(
        self,
        common_backbone: Backbone,
        salient_backbone: Backbone,
        *,
        common_dim: int = 32,
        salient_dim: int = 32,
        hidden_dim: int = 128,
        **weights: Any,
    ) -> None:
        super().__init__()
        check_backbone(common_backbone=common_backbone, salient_backbone=salient_backbone)
        # A wrong name or value among the weights shows here, not at the first step.
        probe = torch.zeros(2, 1)
        sepclr_loss(probe, probe, probe, probe, torch.tensor([0, 1]), **weights)
        self.encoder, self.salient_encoder = common_backbone, salient_backbone
        self.common = nn.Linear(common_backbone.dim, common_dim)
        self.salient = nn.Linear(salient_backbone.dim, salient_dim)
        self.common_head = ProjectionHead(common_dim, hidden_dim=hidden_dim, out_dim=common_dim)
        self.salient_head = ProjectionHead(salient_dim, hidden_dim=hidden_dim, out_dim=salient_dim)
        self.weights = weights

    @classmethod
    def build(cls, make_backbone: MakeBackbone, **options: Any) -> Method:
        return cls(make_backbone(), make_backbone(), **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Adam as released, faster for the small network; gentle crops without flips, so that the salient part survives."""
        lr = 1e-3 if data == "scenes" else 3e-4
        return Recipe(optimizer="adam", lr=lr, weight_decay=0.0, augmentation={"scale": (0.4, 1.0), "flip": 0.0})

    def codes(self, images: Float[Tensor, "N C H W"]) -> Codes:
        common, salient = self.common(self.encoder(images)), self.salient(self.salient_encoder(images))
        return Codes(common, unit(self.common_head(common)), salient, self.salient_head(salient))

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        """Both representations side by side, and the common head's output."""
        codes = self.codes(images)
        return torch.cat([codes.common, codes.salient], dim=1), codes.common_head

    @torch.no_grad()
    def represent(self, images: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D"]:
        return self(images)[0]

    def step(self, batch: Batch) -> Step:
        if batch.groups is None:
            raise ValueError("groups are missing: SepCLR needs to know background (0) from target (1); see data.load('digits')")
        codes = self.codes(torch.cat(batch.views))
        c1, c2 = (gather(c) for c in codes.common_head.chunk(2))
        s1, s2 = (gather(s) for s in codes.salient_head.chunk(2))
        groups = gather(batch.groups)
        loss = sepclr_loss(c1, c2, s1, s2, groups, **self.weights)
        return Step(loss, torch.stack([c1, c2]).detach(), self.diagnose(c1.detach(), s1.detach(), groups))

    @torch.no_grad()
    def diagnose(self, common: Float[Tensor, "N Dc"], salient: Float[Tensor, "N Ds"], groups: Int64[Tensor, "N"]) -> dict[str, Tensor]:
        """Lengths of salient codes by group, how much both codes tell about each other (zeroed background, nats), and how often an image's
        nearest neighbour in the common space is of its own group (1/2 in even groups: what only targets have stays out of that space)."""
        target = groups.bool()
        likeness = unit(common) @ unit(common).T
        nearest = likeness.fill_diagonal_(-2).argmax(dim=1)
        length = salient.norm(dim=1)
        return {
            "salient length of targets": torch.where(target, length, 0.0).sum() / target.sum().clamp_min(1),
            "salient length of background": torch.where(target, 0.0, length).sum() / (~target).sum().clamp_min(1),
            "shared information": kernel_mutual_information(common, _origin(salient, target)),
            "joint entropy": -joint_entropy_loss(common, salient, labels=groups),
            "groups told by common": (groups[nearest] == groups).float().mean(),
        }
