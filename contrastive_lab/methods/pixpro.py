"""PixPro and PixContrast: every cell of the feature map is an instance; cells of two crops that show the same place must agree.

Xie, Lin, Zhang, Cao, Lin, Hu: Propagate Yourself: Exploring Pixel-Level Consistency for Unsupervised Visual Representation Learning (2021).

PixPro pulls only: cells smoothed by pixel propagation (PPM) must agree with the unsmoothed cells of a momentum twin. PixContrast has
no PPM and contrasts a cell with the other cells of the other view. Which cells show the same place is geometry, in `cells.py`.

Deviations
* Losses have the paper's scale: PixPro in [-2, 2]; the released code doubles them. An image pair without overlap counts as 0.
* PPM normalises the transformed values before summing, as released; `normalize_value=False` is the formula of the paper.
* Boxes have exact cell edges (left / width); the released code divides pixel centres by (width - 1). The mask needs distance < 0.7
  as in the code (the paper writes <=).
* PixContrast was not released; it follows eq. 2. A cell takes part if it has a positive.
* Instance branch: its predictor sees the averaged projection, as in BYOL; the released one sees each cell and is averaged after.
* Projectors of 512 or 1024 hidden channels for small networks; 4096 as released, 2048 in the paper. Residual branches start as in
  torchvision; the released network starts them at 0.
* Both views go through a network in one pass, so that batch norm sees them together; the released code passes them one after the other.
* Each process keeps its own batch norm, which the released code synchronises.
* The twin is updated after the optimiser step instead of before the next forward pass: the same sequence of weights.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.contrast import check_positive
from contrastive_lab.methods.cells import check_boxes, positive_mask
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.networks import Backbone, ConvProjector, MomentumTwin, check_backbone, checked, rising_momentum
from contrastive_lab.views import Augmentation, Batch, TwoViews, Views


def pixel_consistency_loss(
    pred: Float[Tensor, "N C H W"],
    target: Float[Tensor, "N C h w"],
    boxes_pred: Float[Tensor, "N 4"],
    boxes_target: Float[Tensor, "N 4"],
    *,
    threshold: float = 0.7,
    check_finite: bool = True,
) -> Float[Tensor, ""]:
    """Minus the mean cosine of matched cells (eq. 5, one direction), averaged over images; in [-1, 1]. The target is detached.

    Non-finite cells raise; `check_finite` false spares the look at them, for which a GPU must wait.
    """
    check_boxes(boxes_pred=boxes_pred, boxes_target=boxes_target)
    _check_maps(pred, target, boxes_pred, check_finite)
    matched = positive_mask(boxes_pred, boxes_target, size_q=_size(pred), size_k=_size(target), threshold=threshold)
    cosines = _cell_cosines(pred, target.detach())
    return -(torch.where(matched, cosines, 0.0).sum(dim=(1, 2)) / matched.sum(dim=(1, 2)).clamp_min(1)).mean()


def pixpro_loss(
    y1: Float[Tensor, "N C H W"],
    k2: Float[Tensor, "N C H W"],
    y2: Float[Tensor, "N C H W"],
    k1: Float[Tensor, "N C H W"],
    boxes1: Float[Tensor, "N 4"],
    boxes2: Float[Tensor, "N 4"],
    *,
    threshold: float = 0.7,
    check_finite: bool = True,
) -> Float[Tensor, ""]:
    """Both directions added: propagated cells y of one view against the twin's cells k of the other. -2 is perfect agreement."""
    check_boxes(boxes1=boxes1, boxes2=boxes2)
    forth = pixel_consistency_loss(y1, k2, boxes1, boxes2, threshold=threshold, check_finite=check_finite)
    return forth + pixel_consistency_loss(y2, k1, boxes2, boxes1, threshold=threshold, check_finite=check_finite)


def pixcontrast_loss(
    x1: Float[Tensor, "N C H W"],
    k2: Float[Tensor, "N C H W"],
    x2: Float[Tensor, "N C H W"],
    k1: Float[Tensor, "N C H W"],
    boxes1: Float[Tensor, "N 4"],
    boxes2: Float[Tensor, "N 4"],
    *,
    temperature: float = 0.3,
    threshold: float = 0.7,
    check_finite: bool = True,
) -> Float[Tensor, ""]:
    """A cell must find the cells at its place among all cells of the other view of its image (eq. 2); mean of both directions."""
    check_positive(temperature=temperature)
    check_boxes(boxes1=boxes1, boxes2=boxes2)
    _check_maps(x1, k2, boxes1, check_finite)
    _check_maps(x2, k1, boxes2, check_finite)
    forth = _cell_contrast(x1, k2, boxes1, boxes2, temperature, threshold)
    return (forth + _cell_contrast(x2, k1, boxes2, boxes1, temperature, threshold)) / 2


def _cell_contrast(x: Tensor, k: Tensor, boxes_x: Tensor, boxes_k: Tensor, temperature: float, threshold: float) -> Tensor:
    matched = positive_mask(boxes_x, boxes_k, size_q=_size(x), size_k=_size(k), threshold=threshold)
    scores = _cell_cosines(x, k.detach()) / temperature
    has_match = matched.any(dim=2)
    # Cells without a match get their whole row as "positives", so that no empty log-sum-exp makes a NaN gradient; they are left out below.
    hits = scores.masked_fill(~(matched | ~has_match[..., None]), -math.inf).logsumexp(dim=2)
    terms = torch.where(has_match, scores.logsumexp(dim=2) - hits, 0.0)
    return (terms.sum(dim=1) / has_match.sum(dim=1).clamp_min(1)).mean()


def _cell_cosines(x: Tensor, y: Tensor) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):
        return _unit_cells(x).transpose(1, 2) @ _unit_cells(y)


def _unit_cells(x: Tensor) -> Tensor:
    return F.normalize((x.float() if x.dtype.itemsize < 4 else x).flatten(2), dim=1, eps=1e-12)


def _size(cells: Tensor) -> tuple[int, int]:
    return cells.shape[2], cells.shape[3]


def _check_maps(x: Tensor, y: Tensor, boxes: Tensor, check_finite: bool) -> None:
    if not (x.is_floating_point() and y.is_floating_point()):
        raise TypeError(f"feature maps have dtypes {x.dtype} and {y.dtype}, but must be floating point; convert with .float()")
    if x.ndim != 4 or y.ndim != 4 or x.shape[:2] != y.shape[:2] or len(boxes) != len(x) or 0 in (*x.shape, *y.shape):
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)} with {len(boxes)} boxes"
        raise ValueError(f"feature maps have the shapes {shapes}, but must be (N, C, H, W) with equal N and C and one box each")
    if check_finite and (count := int((~x.isfinite()).sum() + (~y.isfinite()).sum())):
        raise ValueError(f"feature maps hold {count} non-finite values; did the network diverge?")


class PixelPropagation(nn.Module):
    """PPM (eq. 3 and 4): each cell becomes a sum over all cells of its map, weighted by positive cosine to the power `gamma`."""

    def __init__(self, dim: int, *, gamma: float = 2.0, num_layers: int = 1, normalize_value: bool = True) -> None:
        super().__init__()
        check_positive(gamma=gamma)
        if num_layers not in (0, 1, 2):
            raise ValueError(f"num_layers is {num_layers}, but must be 0 (identity), 1 (a linear map) or 2")
        self.gamma, self.normalize_value = gamma, normalize_value
        deep = [nn.Conv2d(dim, dim, 1), nn.BatchNorm2d(dim), nn.ReLU(inplace=True), nn.Conv2d(dim, dim, 1)]
        self.transform = nn.Sequential(*([] if num_layers == 0 else [nn.Conv2d(dim, dim, 1)] if num_layers == 1 else deep))

    def similarity(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N P P"]:
        """Weight of cell j for cell i; 1 on the diagonal."""
        # Below 1 the power has an infinite slope at 0.
        return (_cell_cosines(x, x).clamp_min(0) + (1e-6 if self.gamma < 1 else 0.0)).pow(self.gamma)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        value = self.transform(x)
        cells = _unit_cells(value) if self.normalize_value else value.flatten(2)
        with torch.autocast(x.device.type, enabled=False):
            smoothed = cells.to(torch.promote_types(cells.dtype, torch.float32)) @ self.similarity(x).transpose(1, 2)
        return smoothed.view(x.shape)


class _Branch(nn.Module):
    """What the twin follows: encoder, cell projector and, where there is an instance term, its projector."""

    def __init__(self, encoder: Backbone, projector: ConvProjector, instance: ConvProjector | None) -> None:
        super().__init__()
        self.encoder, self.projector, self.instance = encoder, projector, instance

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        cells = self.encoder.feature_map(images)
        return self.projector(cells), None if self.instance is None else self.instance(cells).mean(dim=(2, 3))


class PixPro(Method):
    """Encoder, projector of every cell and PPM on the trained side; encoder and projector on the twin's.

    `total_steps` fixes the length of the momentum schedule (0.99 to 1 by a cosine); None takes it from the run. `instance_weight` adds
    an image-level consistency term with a projector and a predictor of its own (the paper's alpha, 1 there).
    """

    name = "pixpro"
    title = "PixPro"
    graph = "step"
    paper = "Xie et al. 2021, arXiv 2011.10043"

    def __init__(
        self,
        encoder: Backbone,
        projector: ConvProjector,
        ppm: PixelPropagation | None,
        *,
        base_momentum: float = 0.99,
        total_steps: int | None = None,
        threshold: float = 0.7,
        instance_weight: float = 0.0,
    ) -> None:
        super().__init__()
        check_backbone(encoder=encoder)
        check_positive(threshold=threshold)
        if not 0 < base_momentum < 1:
            raise ValueError(f"base_momentum is {base_momentum}, but must lie between 0 and 1; the paper starts at 0.99")
        if total_steps is not None and total_steps < 1:
            raise ValueError(f"total_steps is {total_steps}, but must be at least 1, or None for the length of the run")
        if not (math.isfinite(instance_weight) and instance_weight >= 0):
            raise ValueError(f"instance_weight is {instance_weight}, but must be finite and at least 0; the paper has 1")
        self.encoder, self.projector, self.ppm = encoder, projector, ppm
        self.base_momentum, self.total_steps, self.threshold, self.instance_weight = base_momentum, total_steps, threshold, instance_weight
        width = projector.dim
        self.instance_projector = ConvProjector(encoder.dim, out_dim=width) if instance_weight > 0 else None
        self.predictor = ConvProjector(width, out_dim=width) if instance_weight > 0 else None
        self.twin = MomentumTwin(self._followed())

    @classmethod
    def build(
        cls,
        make_backbone: MakeBackbone,
        *,
        hidden_dim: int = 512,
        out_dim: int = 128,
        gamma: float = 2.0,
        num_layers: int = 1,
        normalize_value: bool = True,
        **options: Any,
    ) -> Method:
        encoder = checked(make_backbone(dense=True))
        ppm = PixelPropagation(out_dim, gamma=gamma, num_layers=num_layers, normalize_value=normalize_value)
        return cls(encoder, ConvProjector(encoder.dim, hidden_dim, out_dim), ppm, **options)

    @classmethod
    def recipe(cls, data: DataKind) -> Recipe:
        """Crops from 0.2 of the area: below, some pairs don't overlap. Photographs: SGD (LARS in the paper) and the instance branch."""
        if data == "scenes":
            return Recipe(optimizer="adamw", lr=2e-3)
        options = {"hidden_dim": 1024, "out_dim": 256 if data == "stl10" else 128, "instance_weight": 1.0}
        colours = {"jitter": (0.4, 0.4, 0.2, 0.1)}
        return Recipe(optimizer="sgd", lr=0.06, weight_decay=5e-4, warmup_epochs=5, options=options, augmentation=colours)

    def make_views(self, augmentation: Augmentation) -> Views:
        """Asymmetric as released: the second view is solarised now and then, and rarely blurred."""
        return TwoViews(augmentation, replace(augmentation, blur=min(augmentation.blur, 0.1), solarise=0.2))

    def forward(self, images: Float[Tensor, "N C H W"]) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]]:
        """Pooled map, and pooled projected cells."""
        cells = self.encoder.feature_map(images)
        return cells.mean(dim=(2, 3)), self.projector(cells).mean(dim=(2, 3))

    def step(self, batch: Batch) -> Step:
        images = torch.cat(batch.views)
        boxes1, boxes2 = batch.boxes
        cells = self.encoder(images, pooled=False)
        if cells.shape[2] * cells.shape[3] < 2:
            raise ValueError(
                f"the encoder gives maps of one cell for images of {images.shape[-1]} pixels, so there is nothing to compare; give larger "
                "images (image_size), or leave strides out of the encoder"
            )
        x = self.projector(cells)
        k, target = self.twin(images)
        loss = self.compare(x, k, boxes1, boxes2)
        if target is not None:
            loss = loss + self.instance_weight * self._instance(cells, target)
        pooled = F.normalize(x.detach().float().mean(dim=(2, 3)), dim=1).chunk(2)
        return Step(loss, torch.stack(pooled), self.diagnose(x.detach(), boxes1, boxes2))

    def compare(
        self, x: Float[Tensor, "M C H W"], k: Float[Tensor, "M C H W"], boxes1: Float[Tensor, "N 4"], boxes2: Float[Tensor, "N 4"]
    ) -> Float[Tensor, ""]:
        """Loss of the stacked maps of both views, trained x and twin k."""
        assert self.ppm is not None
        (y1, y2), (k1, k2) = self.ppm(x).chunk(2), k.chunk(2)
        return pixpro_loss(y1, k2, y2, k1, boxes1, boxes2, threshold=self.threshold, check_finite=False)

    def training_step(
        self, view1: Float[Tensor, "N C H W"], view2: Float[Tensor, "N C H W"], boxes1: Float[Tensor, "N 4"], boxes2: Float[Tensor, "N 4"]
    ) -> dict[str, Tensor]:
        """`step` for two views and their boxes at hand: loss and diagnostics in one dictionary. The twin moves in `after_update`."""
        step = self.step(Batch((view1, view2), (boxes1, boxes2)))
        return {"loss": step.loss, **step.logs}

    def after_update(self, progress: Progress) -> None:
        super().after_update(progress)
        done = progress.fraction if self.total_steps is None else min(progress.step / self.total_steps, 1.0)
        self.twin.update(self._followed(), rising_momentum(self.base_momentum, done))

    @torch.no_grad()
    def diagnose(self, x: Float[Tensor, "M C H W"], boxes1: Float[Tensor, "N 4"], boxes2: Float[Tensor, "N 4"]) -> dict[str, Tensor]:
        """Overlap of the crops, and the collapse lamp: std of unit cells times sqrt(C), 1 when spread evenly, 0 when collapsed."""
        matched = positive_mask(boxes1, boxes2, size_q=_size(x), threshold=self.threshold)
        has_match = matched.any(dim=2)
        cells = _unit_cells(x).transpose(1, 2).flatten(0, 1)
        return {
            "cells with a match": has_match.float().mean(),
            "matches per matched cell": matched.sum() / has_match.sum().clamp_min(1),
            "cell spread": cells.std(dim=0).mean() * math.sqrt(cells.shape[1]),
        }

    def _instance(self, cells: Tensor, target: Tensor) -> Tensor:
        assert self.instance_projector is not None
        assert self.predictor is not None
        predicted = self.predictor(self.instance_projector(cells).mean(dim=(2, 3), keepdim=True)).flatten(1)
        p1, p2 = predicted.float().chunk(2)
        t1, t2 = target.float().chunk(2)
        return -(F.cosine_similarity(p1, t2) + F.cosine_similarity(p2, t1)).mean()

    def _followed(self) -> _Branch:
        return _Branch(self.encoder, self.projector, self.instance_projector)


class PixContrast(PixPro):
    """No PPM; cells contrast with the other cells of the other view."""

    name = "pixcontrast"
    title = "PixContrast"

    def __init__(self, encoder: Backbone, projector: ConvProjector, ppm: None = None, *, temperature: float = 0.3, **options: Any) -> None:
        super().__init__(encoder, projector, None, **options)
        check_positive(temperature=temperature)
        self.temperature = temperature

    @classmethod
    def build(cls, make_backbone: MakeBackbone, *, hidden_dim: int = 512, out_dim: int = 128, **options: Any) -> Method:
        encoder = checked(make_backbone(dense=True))
        return cls(encoder, ConvProjector(encoder.dim, hidden_dim, out_dim), **options)

    def compare(
        self, x: Float[Tensor, "M C H W"], k: Float[Tensor, "M C H W"], boxes1: Float[Tensor, "N 4"], boxes2: Float[Tensor, "N 4"]
    ) -> Float[Tensor, ""]:
        (x1, x2), (k1, k2) = x.chunk(2), k.chunk(2)
        options = {"temperature": self.temperature, "threshold": self.threshold}
        return pixcontrast_loss(x1, k2, x2, k1, boxes1, boxes2, **options, check_finite=False)
