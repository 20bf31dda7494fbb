"""Uniformity: how evenly embeddings cover the sphere."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, mean_row, rows_in_float64, slices
from contrastive_lab.measures.inputs import points, positive, whole


@exact_arithmetic()
def uniformity(x: Float[Tensor, "N D"], *, t: float | int = 2.0, normalize: bool = True, chunk: int = 4096) -> float:
    """Log of the mean of exp(-t |x_i - x_j|^2) over distinct pairs: 0 when all rows are equal, -4t for two antipodes.

    A large isotropic sample reaches `uniformity_floor(D)`; show the value as a share of that floor. Measure one view at a time and
    average the values. Memory grows with chunk^2, not with N^2; the value does not depend on `chunk`.
    Wang & Isola 2020 (arXiv:2005.10242), equation of L_uniform; no self pairs, unlike many copies.
    """
    positive(t=t)
    whole(chunk=chunk)
    x = points("x", x, normalize=normalize)
    centre = mean_row(x, normalize=normalize)
    reach = _largest_norm(x, centre, normalize=normalize)
    pairs = len(x) * (len(x) - 1) / 2
    near = 4 * t * reach**2 < 1
    tiles = _squared_distances(x, centre, normalize=normalize, chunk=chunk, no_pair=0.0 if near else math.inf)
    if near:
        # Near collapse every exponential is 1 - tiny, which float32 rounds to 1: sum the tiny parts instead.
        parts = [torch.expm1(tile.mul_(-t)).sum(dim=1).double().sum() for tile in tiles]
        return math.log1p(float(torch.stack(parts).sum()) / pairs)
    levels = [_log_sum_exp(tile.mul_(-t)) for tile in tiles]
    return float(torch.stack(levels).logsumexp(dim=0)) - math.log(pairs)


def uniformity_floor(dim: int, *, t: float | int = 2.0) -> float:
    """Uniformity of the uniform distribution on the unit sphere in `dim` dimensions: -2t + log 0F1(; dim/2; t^2)."""
    whole(dim=dim)
    positive(t=t)
    term, terms, m = 0.0, [0.0], 0
    while m < 2 * t or term > max(terms) - 45:
        term += 2 * math.log(t) - math.log((m + 1) * (dim / 2 + m))
        terms.append(term)
        m += 1
    top = max(terms)
    return -2 * t + top + math.log(math.fsum(math.exp(term - top) for term in terms))


def _largest_norm(x: Float[Tensor, "N D"], centre: Float64[Tensor, "D"], *, normalize: bool) -> float:
    norms = [torch.linalg.vector_norm(rows_in_float64(x[part], normalize=normalize) - centre, dim=1).amax() for part in slices(*x.shape)]
    return float(torch.stack(norms).amax())


def _squared_distances(
    x: Float[Tensor, "N D"], centre: Float64[Tensor, "D"], *, normalize: bool, chunk: int, no_pair: float
) -> Iterator[Float[Tensor, "A B"]]:
    """Tiles that hold every distinct pair once, other entries are `no_pair`; the caller may overwrite a tile.

    Distances don't change when the cloud moves: around its mean, |a|^2 + |b|^2 - 2ab keeps its digits in a collapsed cloud.
    """
    dtype = torch.float32 if normalize and x.dtype != torch.float64 else torch.float64

    def block(start: int) -> tuple[Float[Tensor, "A D"], Float[Tensor, "A"]]:
        rows = rows_in_float64(x[start : start + chunk], normalize=normalize) - centre
        return rows.to(dtype), rows.square().sum(dim=1).to(dtype)

    for first in range(0, len(x), chunk):
        a, length_a = block(first)
        for second in range(first, len(x), chunk):
            b, length_b = (a, length_a) if second == first else block(second)
            tile = torch.addmm(length_b[None, :], a, b.T, alpha=-2).add_(length_a[:, None]).clamp_(min=0)
            if second == first:
                tile = tile[:-1]
                tile.masked_fill_(torch.ones_like(tile, dtype=torch.bool).tril(), no_pair)
            if len(tile):
                yield tile


def _log_sum_exp(exponents: Float[Tensor, "A B"]) -> Float64[Tensor, ""]:
    """Like `logsumexp` over the whole tile, in place and with the row sums added up in float64."""
    top = exponents.amax()
    sums = exponents.sub_(top).exp_().sum(dim=1).double()
    return sums.sum().log() + top.double()
