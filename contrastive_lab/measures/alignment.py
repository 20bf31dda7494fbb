"""Alignment: how far the two views of one image lie apart."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import (
    centred_units,
    exact_arithmetic,
    product_slices,
    rows_in_float64,
    slices,
    unit_rows,
    working_dtype,
)
from contrastive_lab.measures.inputs import points, positive, same_shape


def alignment(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], *, alpha: float | int = 2.0, normalize: bool = True) -> float:
    """Mean over pairs of |x - y|^alpha, in [0, 2^alpha] for unit rows; 0 is the best value and also that of a collapsed encoder.

    Compare encoders under one fixed augmentation only, and read it beside `retrieval_margins` and `uniformity`.
    Wang & Isola 2020 (arXiv:2005.10242), equation of L_align.
    """
    positive(alpha=alpha)
    return float(_distances(x, y, normalize=normalize).pow(alpha).mean())


def alignment_distances(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], *, normalize: bool = True) -> Float[Tensor, "N"]:
    """Distance of every pair, from differences: 2 - 2 cos loses the near-collapsed case in float32."""
    return _distances(x, y, normalize=normalize).to(working_dtype(x, y))


@exact_arithmetic()
def _distances(x: Tensor, y: Tensor, *, normalize: bool) -> Float64[Tensor, "N"]:
    x, y = points("x", x, normalize=normalize), points("y", y, normalize=normalize)
    same_shape(x, y)
    distances = torch.empty(len(x), dtype=torch.float64, device=x.device)
    for part in slices(x):
        difference = rows_in_float64(x[part], normalize=normalize) - rows_in_float64(y[part], normalize=normalize)
        distances[part] = torch.linalg.vector_norm(difference, dim=1)
    return distances


@exact_arithmetic()
def retrieval_margins(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"]) -> Float[Tensor, "N"]:
    """Cosine of x_i with its twin y_i less that with the nearest stranger y_j; the share above 0 says how many find their twin."""
    x, y = points("x", x, normalize=True), points("y", y, normalize=True)
    same_shape(x, y)
    dtype = working_dtype(x, y)
    # A margin does not move when all y shift together; around their mean a narrow cone keeps its digits in float32.
    candidates = centred_units(y, dtype)
    margins = torch.empty(len(x), dtype=dtype, device=x.device)
    for part in product_slices(len(x), len(y), x.device):
        scores = unit_rows(x[part]).to(dtype) @ candidates.T
        twin = torch.arange(part.start, part.stop, device=x.device)[:, None]
        own = scores.gather(1, twin)[:, 0]
        margins[part] = own - scores.scatter_(1, twin, -torch.inf).amax(dim=1)
    return margins
