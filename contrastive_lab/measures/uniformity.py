"""Uniformity: how evenly embeddings cover the sphere."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import at_once, exact_arithmetic, mean_row, rows_in_float64, slices
from contrastive_lab.measures.inputs import points, positive, whole

TILE_ELEMENTS = 2**22  # 16 MB in float32; more on a GPU


@exact_arithmetic()
def uniformity(x: Float[Tensor, "N D"], *, t: float | int = 2.0, normalize: bool = True, chunk: int = 4096) -> float:
    """Log of the mean of exp(-t |x_i - x_j|^2) over distinct pairs: 0 when all rows are equal, -4t for two antipodes.

    A large isotropic sample reaches `uniformity_floor(D)`; show the value as a share of that floor. Measure one view at a time and
    average the values. `chunk` rows are compared at a time, which bounds the memory; the value does not depend on it.
    Wang & Isola 2020 (arXiv:2005.10242), equation of L_uniform; no self pairs, unlike many copies.
    """
    positive(t=t)
    whole(chunk=chunk)
    x = points("x", x, normalize=normalize)
    centre = mean_row(x, normalize=normalize)
    reach = _largest_norm(x, centre, normalize=normalize)
    pairs = len(x) * (len(x) - 1) / 2
    near = 4 * t * reach**2 < 1
    tiles = _exponents(x, centre, t=t, normalize=normalize, chunk=chunk, no_pair=0.0 if near else -math.inf)
    if near:
        # Near collapse every exponential is 1 - tiny, which float32 rounds to 1: sum the tiny parts instead.
        total = torch.zeros_like(centre[0])
        for tile in tiles:
            total += tile.expm1_().sum(dim=1).double().sum()
        return math.log1p(float(total) / pairs)
    level = torch.full_like(centre[0], -math.inf)
    for tile in tiles:
        torch.logaddexp(level, _log_sum_exp(tile), out=level)
    return float(level) - math.log(pairs)


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
    norms = [torch.linalg.vector_norm(rows_in_float64(x[part], normalize=normalize) - centre, dim=1).amax() for part in slices(x)]
    return float(torch.stack(norms).amax())


def _exponents(
    x: Float[Tensor, "N D"], centre: Float64[Tensor, "D"], *, t: float | int, normalize: bool, chunk: int, no_pair: float
) -> Iterator[Float[Tensor, "A B"]]:
    """Tiles of -t |x_i - x_j|^2 that hold every distinct pair once, other entries are `no_pair`; each tile overwrites the one before.

    Distances don't change when the cloud moves: around its mean, |a|^2 + |b|^2 - 2ab keeps its digits in a collapsed cloud.
    """
    dtype = torch.float32 if normalize and x.dtype != torch.float64 else torch.float64
    height = max(1, min(chunk, at_once(TILE_ELEMENTS, x.device) // chunk))
    memory = torch.empty(height * min(chunk, len(x)), dtype=dtype, device=x.device)
    corner = torch.ones(height, height, dtype=torch.bool, device=x.device).tril_()

    def block(start: int) -> tuple[Float[Tensor, "A D"], Float[Tensor, "A"]]:
        rows = rows_in_float64(x[start : start + chunk], normalize=normalize) - centre
        return rows.to(dtype), rows.square().sum(dim=1).to(dtype).mul_(-t)

    for first in range(0, len(x), chunk):
        a, pull_a = block(first)
        for second in range(first, len(x), chunk):
            b, pull_b = (a, pull_a) if second == first else block(second)
            for top in range(0, len(a), height):
                left = top if second == first else 0
                rows, columns = a[top : top + height], b[left:]
                tile = memory[: len(rows) * len(columns)].view(len(rows), len(columns))
                torch.addmm(pull_b[None, left:], rows, columns.T, alpha=2 * t, out=tile)
                tile.add_(pull_a[top : top + height, None]).clamp_(max=0)
                if second == first:
                    tile[:, : len(rows)].masked_fill_(corner[: len(rows), : len(rows)], no_pair)
                if second > first or len(columns) > 1:
                    yield tile


def _log_sum_exp(exponents: Float[Tensor, "A B"]) -> Float64[Tensor, ""]:
    """`logsumexp` over the whole tile, overwriting it, with the row sums added up in float64."""
    top = exponents.amax()
    sums = exponents.sub_(top).exp_().sum(dim=1).double()
    return sums.sum().log() + top.double()
