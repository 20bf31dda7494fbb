"""Alpha-ReQ: the exponent with which the spectrum decays."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic


@exact_arithmetic()
def alpha_req(eigenvalues: Float[Tensor, "K"], *, first: int, last: int) -> tuple[float, float]:
    """Exponent of eigenvalue ~ rank^-alpha and R2 of the straight line in log-log, over the ranks first + 1 ... last.

    The window changes the answer: say it. Skip the first ranks and the noisy tail (first=2, last=min(40, D // 2) for D = 64;
    10 and 100 for 512 and more). Least squares weighted by 1 / rank, R2 unweighted over the fitted ranks. About 1 is the good region.
    Agrawal et al. 2022 (NeurIPS), with the fit of Stringer et al. 2019; the eigenvalues are those of `spectrum`, descending.
    """
    if not isinstance(eigenvalues, Tensor) or not eigenvalues.is_floating_point():
        raise TypeError(
            f"eigenvalues has type {getattr(eigenvalues, 'dtype', type(eigenvalues).__name__)}, but must be a floating-point tensor"
        )
    if eigenvalues.ndim != 1 or not 0 <= first <= last - 2 or last > len(eigenvalues):
        raise ValueError(
            f"first={first}, last={last} of eigenvalues of shape {tuple(eigenvalues.shape)}: the window must hold at least two of one row"
        )
    window = eigenvalues.detach().cpu().double()[first:last]
    if not bool((window.isfinite() & (window > 0)).all()):
        raise ValueError(f"eigenvalues {first} ... {last - 1} must be finite and above 0, but fall to {float(window.min())}; lower last")
    rank = torch.arange(first + 1, last + 1, dtype=torch.float64)
    weight = 1 / rank
    x, y = rank.log(), window.log()
    mean_x, mean_y = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
    slope = (weight * (x - mean_x) * (y - mean_y)).sum() / (weight * (x - mean_x).square()).sum()
    residual = (y - mean_y - slope * (x - mean_x)).square().sum()
    spread = (y - y.mean()).square().sum()
    return -float(slope), _explained(float(residual), float(spread))


def _explained(residual: float, spread: float) -> float:
    # A flat spectrum is fitted perfectly and has nothing to explain.
    return 1 - residual / spread if spread > 1e-24 else 1.0
