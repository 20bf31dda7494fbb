"""The spectrum of a cloud of features: what every rank measure is computed from."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, mean_row, rows_in_float64, slices
from contrastive_lab.measures.inputs import points


@exact_arithmetic()
def spectrum(
    z: Float[Tensor, "N D"],
    *,
    center: bool = True,
    normalize: bool = False,
    values: Literal["eigen", "singular"] = "eigen",
    ddof: int = 1,
) -> Float64[Tensor, "K"]:
    """Eigenvalues (D) of the covariance, or singular values (min(N, D)) of the matrix itself, descending, in float64.

    center=False leaves the mean in: the second moment. Both are divided by N - ddof; singular values are not divided by anything.
    normalize=True scales rows to unit length first (the curve of Jing et al. 2022, arXiv:2110.09348, which plots its logarithm).
    """
    if values not in ("eigen", "singular"):
        raise ValueError(f"values is {values!r}, but must be 'eigen' or 'singular'")
    z = points("z", z, normalize=normalize)
    if not 0 <= ddof < len(z):
        raise ValueError(f"ddof is {ddof}, but must be between 0 and {len(z) - 1} for {len(z)} rows; 1 is usual")
    singular = singular_values(z, center=center, normalize=normalize)
    if values == "singular":
        return singular
    eigen = torch.zeros(z.shape[1], dtype=torch.float64, device=z.device)
    eigen[: len(singular)] = singular.square() / (len(z) - ddof)
    return eigen


def singular_values(z: Float[Tensor, "N D"], *, center: bool, normalize: bool = False) -> Float64[Tensor, "K"]:
    """Singular values of the rows, descending: from the (D, D) Gram matrix in float64, or directly where N < D."""
    n, d = z.shape
    centre = mean_row(z, normalize=normalize) if center else torch.zeros(d, dtype=torch.float64, device=z.device)
    if n < d:
        return torch.linalg.svdvals(rows_in_float64(z, normalize=normalize) - centre)
    gram = torch.zeros(d, d, dtype=torch.float64, device=z.device)
    for part in slices(z):
        # Centred before the product: subtracting N mu mu^T afterwards would cancel the digits of a collapsed cloud.
        rows = rows_in_float64(z[part], normalize=normalize) - centre
        gram.addmm_(rows.T, rows)
    return torch.linalg.eigvalsh(gram).flip(0).clamp(min=0).sqrt()


def shares(weights: Float[Tensor, "K"], *, name: str = "z") -> Float64[Tensor, "K"]:
    """Weights divided by their sum; raises where there is nothing to share."""
    total = weights.sum()
    if not float(total) > 0:
        raise ValueError(f"{name} has no spread: all rows are equal (complete collapse), so its directions can't be counted")
    return weights.double() / total


def eigen_shares(z: Float[Tensor, "N D"], *, center: bool = True) -> Float64[Tensor, "K"]:
    """Share of the (co)variance along each principal direction, descending; rounding noise counts as no spread."""
    eigen = singular_values(z, center=center).square()
    scale = torch.stack([z[part].double().square().sum() for part in slices(z)]).sum()
    return shares(torch.where(eigen > 1e-28 * scale, eigen, 0.0))


def entropy_exponential(share: Float64[Tensor, "K"]) -> float:
    """exp of the Shannon entropy, the number of equally strong directions with the same entropy."""
    return math.exp(float(torch.special.entr(share).sum()))
