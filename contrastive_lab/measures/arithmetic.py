"""The arithmetic of every measure: no gradient, no autocast, no TF32, and slices small enough to stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

SLICE_ELEMENTS = 2**18  # 2 MB in float64, which stays in the cache


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Full float32 products inside, whatever the caller's precision switches say; they are put back afterwards."""
    switches = _matmul_switches()
    before = [getattr(owner, name) for owner, name, _ in switches]
    try:
        for owner, name, exact in switches:
            setattr(owner, name, exact)
        with torch.no_grad(), torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            yield
    finally:
        for (owner, name, _), value in zip(switches, before, strict=True):
            setattr(owner, name, value)


def _matmul_switches() -> list[tuple[Any, str, Any]]:
    # torch 2.9 renamed the switch and refuses to read the old name once anyone has set the new one.
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        return [(torch.backends.cuda.matmul, "allow_tf32", False)]
    return [(torch.backends.cuda.matmul, "fp32_precision", "ieee"), (torch.backends.mkldnn.matmul, "fp32_precision", "ieee")]  # type: ignore[attr-defined]


def slices(count: int, width: int) -> Iterator[slice]:
    """Consecutive row ranges of a (count, width) matrix, each of about 260,000 entries."""
    yield from _ranges(count, SLICE_ELEMENTS // max(1, width))


def product_slices(count: int, width: int) -> Iterator[slice]:
    """The same for the rows of a matrix product, which like to be taller: about 4 million entries of the result."""
    yield from _ranges(count, 16 * SLICE_ELEMENTS // max(1, width))


def _ranges(count: int, rows: int) -> Iterator[slice]:
    for start in range(0, count, max(1, rows)):
        yield slice(start, min(start + max(1, rows), count))


def unit_rows(rows: Float[Tensor, "n D"]) -> Float64[Tensor, "n D"]:
    """Rows of length one in float64; dividing by the largest entry first keeps tiny and huge rows from under- and overflow."""
    wide = rows.double()
    wide = wide / wide.abs().amax(dim=1, keepdim=True)
    return wide / torch.linalg.vector_norm(wide, dim=1, keepdim=True)


def rows_in_float64(x: Float[Tensor, "n D"], *, normalize: bool) -> Float64[Tensor, "n D"]:
    return unit_rows(x) if normalize else x.double()


def mean_row(x: Float[Tensor, "N D"], *, normalize: bool) -> Float64[Tensor, "D"]:
    """Mean of the (unit) rows, accumulated in float64 slice by slice."""
    total = torch.zeros(x.shape[1], dtype=torch.float64, device=x.device)
    for part in slices(*x.shape):
        total += rows_in_float64(x[part], normalize=normalize).sum(dim=0)
    return total / len(x)


def centred_units(x: Float[Tensor, "N D"], dtype: torch.dtype) -> Float[Tensor, "N D"]:
    """Unit rows less their mean, rounded to `dtype` only afterwards: the part in which the rows of a narrow cone differ."""
    centre = mean_row(x, normalize=True)
    centred = torch.empty(x.shape, dtype=dtype, device=x.device)
    for part in slices(*x.shape):
        centred[part] = unit_rows(x[part]) - centre
    return centred


def working_dtype(*tensors: Tensor) -> torch.dtype:
    """float64 where the caller brought float64, float32 otherwise."""
    return torch.float64 if any(t.dtype == torch.float64 for t in tensors) else torch.float32
