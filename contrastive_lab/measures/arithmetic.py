"""The arithmetic of every measure: no gradient, no autocast, no TF32, and slices small enough to stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float, Float64, Shaped
from torch import Tensor

SLICE_ELEMENTS = 2**18  # 2 MB in float64, which stays in the cache
ON_A_GPU = 8  # times as much at once: what a processor computes in a slice takes a GPU less time than starting it


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


def slices(rows: Shaped[Tensor, "N D"]) -> Iterator[slice]:
    """Consecutive ranges of the rows, each of about 260,000 entries (2 million on a GPU)."""
    count, width = rows.shape
    yield from _ranges(count, at_once(SLICE_ELEMENTS, rows.device) // max(1, width))


def product_slices(count: int, width: int, device: torch.device) -> Iterator[slice]:
    """The same for the `count` rows of a matrix product, which like to be taller: about 4 million of its entries (34 million on a GPU)."""
    yield from _ranges(count, at_once(16 * SLICE_ELEMENTS, device) // max(1, width))


def at_once(elements: int, device: torch.device) -> int:
    """`elements` that suit a processor's cache, as many as suit `device`."""
    return elements if device.type == "cpu" else ON_A_GPU * elements


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
    for part in slices(x):
        total += rows_in_float64(x[part], normalize=normalize).sum(dim=0)
    return total / len(x)


def centred_units(x: Float[Tensor, "N D"], dtype: torch.dtype) -> Float[Tensor, "N D"]:
    """Unit rows less their mean, rounded to `dtype` only afterwards: the part in which the rows of a narrow cone differ."""
    centre = mean_row(x, normalize=True)
    centred = torch.empty(x.shape, dtype=dtype, device=x.device)
    for part in slices(x):
        centred[part] = unit_rows(x[part]) - centre
    return centred


def working_dtype(*tensors: Tensor) -> torch.dtype:
    """float64 where the caller brought float64, float32 otherwise."""
    return torch.float64 if any(t.dtype == torch.float64 for t in tensors) else torch.float32
