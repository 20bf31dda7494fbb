"""Projections that hold still: PCA of every epoch, each turned onto the one before."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, mean_row, slices, working_dtype
from contrastive_lab.measures.inputs import points as checked_points
from contrastive_lab.measures.inputs import same_shape, whole


@exact_arithmetic()
def procrustes(points: Float[Tensor, "N D"], onto: Float[Tensor, "N D"], *, allow_reflection: bool = True) -> Float[Tensor, "N D"]:
    """`points` moved and turned (mirrored, if allowed) as near to `onto` as possible, row by row; never scaled: that hides collapse."""
    moving, fixed = checked_points("points", points), checked_points("onto", onto)
    same_shape(moving, fixed, names=("points", "onto"))
    return _turned(moving.double(), fixed.double(), allow_reflection=allow_reflection).to(working_dtype(points, onto))


@exact_arithmetic()
def pca(z: Float[Tensor, "N D"], *, dim: int = 2) -> Float[Tensor, "N K"]:
    """Centred rows in the plane (or space) of their largest spread; each axis points to the side of its largest entry."""
    return _principal(_projectable("z", z, dim), dim).to(working_dtype(z))


@exact_arithmetic()
def pca_path(frames: Sequence[Float[Tensor, "_ _"]] | Float[Tensor, "T N _"], *, dim: int = 2) -> Float[Tensor, "E N K"]:
    """One projection per epoch for animation: PCA of each, turned by Procrustes onto the frame before, reflections allowed, no scaling.

    Frames hold the same images in the same order; D may differ between them. Fix the axis range over all frames when drawing.
    """
    if len(frames) < 1:
        raise ValueError("frames is empty, but must hold at least one (N, D) tensor")
    epochs = [_projectable(f"frames[{number}]", z, dim) for number, z in enumerate(frames)]
    for number, z in enumerate(epochs):
        if len(z) != len(epochs[0]):
            raise ValueError(f"frames[{number}] has {len(z)} rows and frames[0] {len(epochs[0])}; each epoch must show the same images")
    path = [_principal(epochs[0], dim)]
    for z in epochs[1:]:
        path.append(_turned(_principal(z, dim), path[-1], allow_reflection=True))
    return torch.stack(path).to(working_dtype(*epochs))


def _projectable(name: str, z: Tensor, dim: int) -> Tensor:
    whole(dim=dim)
    z = checked_points(name, z)
    if dim > z.shape[1]:
        raise ValueError(f"dim is {dim}, but {name} has only {z.shape[1]} dimensions")
    return z


def _turned(moving: Float64[Tensor, "N D"], fixed: Float64[Tensor, "N D"], *, allow_reflection: bool) -> Float64[Tensor, "N D"]:
    target = fixed.mean(dim=0)
    centred = moving - moving.mean(dim=0)
    left, _, right = torch.linalg.svd(centred.T @ (fixed - target))
    if not allow_reflection:
        left[:, -1] *= torch.linalg.det(left @ right).sign()
    return centred @ (left @ right) + target


def _principal(z: Float[Tensor, "N D"], dim: int) -> Float64[Tensor, "N K"]:
    d = z.shape[1]
    centre = mean_row(z, normalize=False)
    gram = torch.zeros(d, d, dtype=torch.float64, device=z.device)
    for part in slices(z):
        rows = z[part].double() - centre
        gram.addmm_(rows.T, rows)
    axes = torch.linalg.eigh(gram).eigenvectors.flip(1)[:, :dim]
    # Eigenvectors come with either sign; fixing it makes the picture the same on every machine.
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    axes = axes * largest.sign()
    return torch.cat([(z[part].double() - centre) @ axes for part in slices(z)])
