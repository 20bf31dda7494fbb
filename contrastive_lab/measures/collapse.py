"""Dimensional collapse: how many directions a representation really uses.

All these numbers are blind to something. Scale-free ones (all but `embedding_std`) don't see a cloud that shrinks to a point;
`embedding_std` does not see lost directions; a cone pushes uncentred ones down. Read three lamps together: `embedding_std` or
uniformity, one rank, alignment.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, mean_row, slices, unit_rows
from contrastive_lab.measures.inputs import points, positive, warn_if_few, whole
from contrastive_lab.measures.spectrum import eigen_shares, entropy_exponential, shares, singular_values


@exact_arithmetic()
def rankme(z: Float[Tensor, "N D"], *, eps: float | int = 1e-7) -> float:
    """exp entropy of the singular values of the raw, uncentred rows, in 1 ... min(N, D); compare runs of one method only.

    Garrido et al. 2023 (arXiv:2210.02885), equation 1; eps is the paper's.
    """
    positive(eps=eps)
    z = points("z", z)
    warn_if_few(z)
    share = shares(singular_values(z, center=False)) + eps
    return entropy_exponential(share)


@exact_arithmetic()
def effective_rank(z: Float[Tensor, "N D"], *, center: bool = False) -> float:
    """exp entropy of the singular values without RankMe's epsilon (Roy & Vetterli 2007)."""
    z = points("z", z)
    warn_if_few(z)
    return entropy_exponential(shares(eigen_shares(z, center=center).sqrt()))


@exact_arithmetic()
def entropy_rank(z: Float[Tensor, "N D"]) -> float:
    """exp entropy of the eigenvalues of the covariance: the Hill number of order 1, in 1 ... D."""
    return _hill(z, 1.0)


@exact_arithmetic()
def participation_ratio(z: Float[Tensor, "N D"]) -> float:
    """1 / sum of squared shares of the covariance's eigenvalues: the Hill number of order 2, in 1 ... D.

    An isotropic cloud of N rows shows `participation_ceiling(N, D)`, not D.
    """
    return _hill(z, 2.0)


@exact_arithmetic()
def nesum(z: Float[Tensor, "N D"]) -> float:
    """Sum of the covariance's eigenvalues over the largest: the Hill number of infinite order, in 1 ... D."""
    return _hill(z, math.inf)


@exact_arithmetic()
def hill_number(z: Float[Tensor, "N D"], q: float | int) -> float:
    """Number of directions used, seen through one dial q >= 0: 0 counts all, 1 is `entropy_rank`, 2 `participation_ratio`, inf `nesum`.

    Never rises with q. At q = 0 a direction counts from one millionth of the widest one's standard deviation.
    """
    if not q >= 0:
        raise ValueError(f"q is {q}, but must be 0 or more; math.inf gives nesum")
    return _hill(z, float(q))


def _hill(z: Tensor, q: float) -> float:
    z = points("z", z)
    warn_if_few(z)
    share = eigen_shares(z)
    share = share[share > 1e-12 * share[0]]
    if q == 1:
        return entropy_exponential(share)
    if math.isinf(q):
        return float(1 / share[0])
    # Through logarithms, so that a large order doesn't underflow.
    return math.exp(float((q * share.log()).logsumexp(dim=0)) / (1 - q))


@exact_arithmetic()
def stable_rank(z: Float[Tensor, "N D"], *, center: bool = False) -> float:
    """Squared Frobenius norm over squared spectral norm, in 1 ... D; centred it equals `nesum`, uncentred a cone rules it."""
    z = points("z", z)
    warn_if_few(z)
    return float(1 / eigen_shares(z, center=center)[0])


@exact_arithmetic()
def isoscore(z: Float[Tensor, "N D"]) -> float:
    """Isotropy in 0 ... 1; the seven steps of Rudman et al. 2022 (arXiv:2108.07344) come down to (PR - 1) / (D - 1)."""
    if points("z", z).shape[1] < 2:
        raise ValueError(f"z has shape {tuple(z.shape)}, but IsoScore needs rows of at least two dimensions")
    return (_hill(z, 2.0) - 1) / (z.shape[1] - 1)


@exact_arithmetic()
def self_cluster(z: Float[Tensor, "N D"]) -> float:
    """Mean squared cosine beyond that of uniform directions: about 0 on the uniform sphere, 1 when all rows share one line.

    (sum of cos^2 - e) / (N^2 - e) with e = N + N (N - 1) / D; affine in 1 / PR of the uncentred, normalised rows.
    """
    z = points("z", z, normalize=True)
    n, d = z.shape
    if d < 2:
        raise ValueError(f"z has shape {tuple(z.shape)}, but in one dimension every row shares one line; at least two are needed")
    expected = n + n * (n - 1) / d
    squared_cosines = float(singular_values(z, center=False, normalize=True).pow(4).sum())
    return (squared_cosines - expected) / (n**2 - expected)


@exact_arithmetic()
def embedding_std(x: Float[Tensor, "N D"]) -> float:
    """Standard deviation (ddof 1) of the unit rows, mean over dimensions: 1/sqrt(D) when isotropic, 0 at complete collapse.

    Displays multiply by sqrt(D), so that 1 is healthy (SimSiam, Chen & He 2021, section 4.1).
    """
    x = points("x", x, normalize=True)
    centre = mean_row(x, normalize=True)
    squares = torch.zeros_like(centre)
    for part in slices(x):
        squares += (unit_rows(x[part]) - centre).square().sum(dim=0)
    return float((squares / (len(x) - 1)).sqrt().mean())


def participation_ceiling(n: int, d: int) -> float:
    """Participation ratio that `n` isotropic rows in `d` dimensions show: d / (1 + d / n). Draw it beside the measured value."""
    whole(n=n, d=d)
    return d / (1 + d / n)
