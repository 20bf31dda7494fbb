"""Modality gap: two encoders put their modalities into two separate cones."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, mean_row, slices, unit_rows, working_dtype
from contrastive_lab.measures.inputs import points, same_width, whole


def modality_gap(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> float:
    """Distance between the centroids of the unit rows of both modalities, in [0, 2]; the centroids are not normalised again.

    Two samples of one isotropic distribution already show about `gap_noise_floor`. Liang et al. 2022 (arXiv:2203.02053), section 4.2.
    """
    return float(torch.linalg.vector_norm(_gap_vector(x, y)))


def modality_gap_vector(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> Float[Tensor, "D"]:
    """Centroid of x less centroid of y; its direction is the axis along which the modalities separate."""
    return _gap_vector(x, y).to(working_dtype(x, y))


@exact_arithmetic()
def _gap_vector(x: Tensor, y: Tensor) -> Float64[Tensor, "D"]:
    x, y = _modalities(x, y)
    return mean_row(x, normalize=True) - mean_row(y, normalize=True)


def gap_noise_floor(n_x: int, n_y: int) -> float:
    """Gap that two samples of one isotropic distribution show, sqrt(1/n_x + 1/n_y): 0.20 at 50 each, 0.03 at 2,000."""
    whole(n_x=n_x, n_y=n_y)
    return math.sqrt(1 / n_x + 1 / n_y)


@exact_arithmetic()
def mean_cosine(x: Float[Tensor, "N D"], *, include_self: bool = False) -> float:
    """Mean cosine of all pairs of rows, the opening of the cone: 1 for a ray, about 0 for an isotropic cloud.

    Distinct pairs by default, through the closed form (N |mu|^2 - 1) / (N - 1); the official notebooks do it both ways.
    """
    x = points("x", x, normalize=True)
    n, length = len(x), float(mean_row(x, normalize=True).square().sum())
    return length if include_self else (n * length - 1) / (n - 1)


@exact_arithmetic()
def gap_separability(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> float:
    """Share of rows on their own side of the plane midway between the centroids: 0.5 blind, 1 fully separate; on the plane counts half."""
    x, y = _modalities(x, y)
    mean_x, mean_y = mean_row(x, normalize=True), mean_row(y, normalize=True)
    axis, middle = mean_x - mean_y, (mean_x + mean_y) / 2
    right = _share_above(x, axis, middle) * len(x) + (1 - _share_above(y, axis, middle)) * len(y)
    return right / (len(x) + len(y))


def _share_above(x: Float[Tensor, "N D"], axis: Float64[Tensor, "D"], middle: Float64[Tensor, "D"]) -> float:
    sides = [((unit_rows(x[part]) - middle) @ axis).sign().sum() for part in slices(x)]
    return (1 + float(torch.stack(sides).sum()) / len(x)) / 2


def _modalities(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x, y = points("x", x, normalize=True), points("y", y, normalize=True)
    same_width(x, y)
    return x, y
