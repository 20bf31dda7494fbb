"""Dense maps small enough to ship: the angles between all cells in 64 steps; and which object each cell belongs to."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from contrastive_lab import measures
from contrastive_lab.data import Images
from contrastive_lab.methods import Method

LEVELS = 64


def dense_map(method: Method, images: Images) -> Float[Tensor, "N D h w"]:
    """The encoder's last map of clean images, in eval mode and without gradients."""
    device = next(method.parameters()).device
    modes = [(module, module.training) for module in method.modules()]
    method.eval()
    with torch.no_grad():
        cells = method.encoder.feature_map(images.to(device).as_float()).float().cpu()
    for module, mode in modes:
        module.training = mode
    return cells


def colour_map(images: Images, grid: tuple[int, ...]) -> Float[Tensor, "N 3 h w"]:
    """Mean colour of every cell, normalised as the network's input is."""
    return F.interpolate(images.as_float(), size=tuple(grid), mode="area").cpu()


def untrained(method: Method, *, seed: int = 0) -> Method:
    """The same architecture with fresh weights, drawn as for a new network."""
    fresh = copy.deepcopy(method)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in reversed(list(fresh.modules())):  # a backbone after its layers: it draws their weights in its own way
            reset: Callable[[], Any] | None = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return fresh


class Triangle(NamedTuple):
    """Angles between all pairs of cells, row by row above the diagonal: level k stands for `widest` times (k / 63) to the `power`."""

    levels: UInt8[np.ndarray, "T"]
    widest: float
    power: float


def triangle(cells: Float[Tensor, "D h w"]) -> Triangle:
    """The cosines between all cells of a map in 64 steps, half of the steps below the median angle.

    Angles, not cosines, and bent: an untrained network has all cosines within a narrow range near 1.
    """
    similarity = measures.self_similarity(cells).double().numpy()
    angles = np.arccos(np.clip(similarity[np.triu_indices(len(similarity), 1)], -1, 1))
    widest = max(float(angles.max()), 1e-6)
    middle = float(np.clip(np.median(angles) / widest, 0.05, 0.95))
    power = float(np.log(middle) / np.log(0.5))
    levels = np.round((LEVELS - 1) * (angles / widest) ** (1 / power)).astype(np.uint8)
    return Triangle(levels, round(widest, 6), round(power, 4))


def square(stored: Triangle) -> Float64[np.ndarray, "P P"]:
    """The matrix of cosines that a triangle was made from, to half a step; exactly 1 on the diagonal, and symmetric."""
    count = round((1 + math.sqrt(1 + 8 * len(stored.levels))) / 2)
    above = np.triu_indices(count, 1)
    matrix = np.eye(count)
    matrix[above] = np.cos(stored.widest * (stored.levels / (LEVELS - 1)) ** stored.power)
    matrix.T[above] = matrix[above]
    return matrix


def regions(masks: UInt8[Tensor, "N H W"], grid: tuple[int, ...]) -> UInt8[np.ndarray, "N P"]:
    """For each cell the mask value that covers at least half of it, else 0."""
    values = int(masks.max()) + 1
    shares = F.interpolate(F.one_hot(masks.long(), values).movedim(-1, 1).float(), size=tuple(grid), mode="area")
    share, value = shares.max(dim=1)
    chosen = torch.where(share >= 0.5, value, 0)
    return chosen.flatten(1).to(torch.uint8).numpy()
