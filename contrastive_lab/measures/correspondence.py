"""Pixel correspondence: do two crops of one image agree on which cells show the same place?"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, unit_rows
from contrastive_lab.measures.inputs import points, positive, same_width


@exact_arithmetic()
def pixel_correspondence(
    features_q: Float[Tensor, "P D"],
    features_k: Float[Tensor, "Q D"],
    centers_q: Float[Tensor, "P 2"],
    centers_k: Float[Tensor, "Q 2"],
    *,
    cell_q: tuple[float | int, float | int],
    cell_k: tuple[float | int, float | int],
    ratio: float | int = 0.7,
) -> tuple[float, Bool[Tensor, "P Q"]]:
    """Share of query cells whose most similar key cell is a partner, and the mask of partners.

    Partners are nearer in the image than `ratio` times the larger cell diagonal. Centres are (x, y) in the source image; cells
    (width, height), sign ignored (mirrored crops). Query cells without a partner don't count; crops without any partner raise.
    Xie et al. 2021 (arXiv:2011.10043), equation 1; the released runs use 0.7, the released function defaults to 0.5.
    """
    positive(ratio=ratio)
    features_q, features_k = _cells("features_q", features_q), _cells("features_k", features_k)
    same_width(features_q, features_k, names=("features_q", "features_k"))
    reach = ratio * max(_diagonal("cell_q", cell_q), _diagonal("cell_k", cell_k))
    centers_q, centers_k = _centers("centers_q", centers_q, features_q), _centers("centers_k", centers_k, features_k)
    partners = torch.cdist(centers_q, centers_k, compute_mode="donot_use_mm_for_euclid_dist") < reach
    paired = partners.any(dim=1)
    if not bool(paired.any()):
        raise ValueError("the crops share no place: no key cell lies near a query cell; skip such pairs, or raise ratio")
    nearest = (unit_rows(features_q) @ unit_rows(features_k).T).round(decimals=12).argmax(dim=1)
    hit = partners.gather(1, nearest[:, None])[:, 0]
    return float(hit[paired].double().mean()), partners


def _cells(name: str, features: Tensor) -> Tensor:
    return points(name, features, at_least=1, normalize=True)


def _centers(name: str, centers: Tensor, features: Tensor) -> Tensor:
    centers = points(name, centers, at_least=1)
    if centers.shape != (len(features), 2):
        raise ValueError(f"{name} has shape {tuple(centers.shape)}, but must be ({len(features)}, 2): (x, y) of each cell")
    return centers.to(features.device).double()


def _diagonal(name: str, cell: tuple[float | int, float | int]) -> float:
    width, height = (abs(float(side)) for side in cell)
    positive(**{f"{name} width": width, f"{name} height": height})
    return float((width**2 + height**2) ** 0.5)
