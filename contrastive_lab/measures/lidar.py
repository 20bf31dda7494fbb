"""LiDAR: the rank that knows which rows are views of one image."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, slices
from contrastive_lab.measures.inputs import points, positive, warn_if_few
from contrastive_lab.measures.spectrum import entropy_exponential


@exact_arithmetic()
def lidar(z: Float[Tensor, "R D"], *, views: int, delta: float | int = 1e-4) -> float:
    """exp entropy of what tells images apart in units of what tells their views apart, in 1 ... min(D, images - 1).

    Rows are ordered image by image, the `views` of one image next to each other. Eigenvalues of Sw^-1/2 Sb Sw^-1/2, where Sb is
    the covariance of the image means (ddof 1) and Sw that of views around them (ddof 1 per image) + delta I; shares
    (eigenvalue + 1e-8) / sum. Thilak et al. 2023 (arXiv:2312.04000), equations 1 to 4; delta is absolute, so scale matters.
    Raises ValueError for a cloud without spread, which by the formula alone would have the best value of all.
    """
    positive(delta=delta)
    z = points("z", z)
    if isinstance(views, bool) or not isinstance(views, int) or views < 2 or len(z) % views or len(z) < 2 * views:
        raise ValueError(f"views is {views} for {len(z)} rows, but must be at least 2, divide the rows, and leave at least two images")
    warn_if_few(z, rows=len(z) // views)
    between, within = _scatter(z, views)
    root = torch.linalg.cholesky(within + delta * torch.eye(z.shape[1], dtype=torch.float64, device=z.device))
    # L^-1 Sb L^-T has the eigenvalues of Sw^-1/2 Sb Sw^-1/2 and needs no matrix root.
    half = torch.linalg.solve_triangular(root, between, upper=False)
    whitened = torch.linalg.solve_triangular(root, half.T, upper=False)
    eigen = torch.linalg.eigvalsh((whitened + whitened.T) / 2).clamp(min=0)
    # Below, the constant is a percent of a share and more, on the way to D equal shares: the best value there is, for a collapsed cloud.
    if float(eigen.mean()) < 1e-6:
        raise ValueError(
            f"z has next to no spread between images beside delta={delta:g} (complete collapse), so its directions can't be counted; "
            "look at embedding_std, or lower delta if your features are that small"
        )
    eigen = eigen + 1e-8
    return entropy_exponential(eigen / eigen.sum())


def _scatter(z: Float[Tensor, "R D"], views: int) -> tuple[Float64[Tensor, "D D"], Float64[Tensor, "D D"]]:
    count, d = len(z) // views, z.shape[1]
    images = z.reshape(count, views, d)
    parts = list(slices(images.flatten(1)))
    centre = torch.stack([images[part].double().sum(dim=(0, 1)) for part in parts]).sum(dim=0) / len(z)
    between, within = torch.zeros(2, d, d, dtype=torch.float64, device=z.device)
    for part in parts:
        rows = images[part].double()
        means = rows.mean(dim=1)
        around = (rows - means[:, None]).flatten(0, 1)
        between.addmm_((means - centre).T, means - centre)
        within.addmm_(around.T, around)
    return between / (count - 1), within / (count * (views - 1))
