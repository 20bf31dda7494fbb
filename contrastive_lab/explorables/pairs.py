"""Twins at six strengths of augmentation, and how an encoder places them: the measurements behind the explorable of alignment."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Float64, UInt8
from torch import Tensor

from contrastive_lab import measures
from contrastive_lab.data import Images
from contrastive_lab.methods import Method
from contrastive_lab.views import Augmentation

STRENGTHS = tuple(range(6))
SEED = 11


@runtime_checkable
class Embed(Protocol):
    """From normalised images to rows; their lengths don't matter."""

    def __call__(self, images: Float[Tensor, "N 3 H W"], /) -> Float[Tensor, "N D"]: ...


def augmentation(strength: float | int, *, size: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Augmentation:
    """Strength 0 changes nothing; 5 takes crops from 8 % of the area, colour jitter 0.8 and every other image mirrored."""
    if not 0 <= strength <= STRENGTHS[-1]:
        raise ValueError(f"strength is {strength}, but must lie between 0 (no change) and {STRENGTHS[-1]}")
    share = strength / STRENGTHS[-1]
    jitter = (0.8 * share, 0.8 * share, 0.8 * share, 0.2 * share)
    return Augmentation(size=size, scale=(1 - 0.92 * share, 1.0), flip=0.5 * share, jitter=jitter, grey=0.2 * share, mean=mean, std=std)


def twins(images: Images, strength: float | int, *, seed: int = SEED) -> tuple[Float[Tensor, "N 3 S S"], Float[Tensor, "N 3 S S"]]:
    """Two views of every image. The same seed uses the same random numbers at every strength, so a view changes gradually with it."""
    make = augmentation(strength, size=images.size, mean=images.mean, std=images.std)
    draw = torch.Generator(images.device).manual_seed(seed)
    one, _ = make(images.pixels, generator=draw)
    two, _ = make(images.pixels, generator=draw)
    return one, two


def measure(embed: Embed, one: Float[Tensor, "N 3 S S"], two: Float[Tensor, "N 3 S S"]) -> Float32[np.ndarray, "2 N"]:
    """For every image the distance to its own twin and to the nearest stranger's second view, on the unit sphere, each 0 ... 2."""
    with torch.no_grad():
        x, y = (F.normalize(embed(view).double().cpu(), dim=1) for view in (one, two))
    own = measures.alignment_distances(x, y)
    # Differences, not 2 - 2 cos: an untrained network puts everything within a thousandth.
    all_pairs = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    stranger = all_pairs.min(dim=1).values
    return torch.stack([own, stranger]).numpy().astype(np.float32)


def embedder(method: Method) -> Embed:
    """The method's embedding in eval mode, on its own device; training mode is restored after each call."""

    def embed(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N D"]:
        modes = [(module, module.training) for module in method.modules()]
        method.eval()
        device = next(method.parameters()).device
        with torch.no_grad():
            rows = torch.cat([method.embed(part.to(device)).float().cpu() for part in torch.split(images, 250)])
        for module, mode in modes:
            module.training = mode
        return rows

    return embed


def raw_pixels(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 192"]:
    """No encoder: the image itself on 8 x 8 cells."""
    return F.interpolate(images, size=(8, 8), mode="area").flatten(1)


def picture(views: Float[Tensor, "N 3 S S"], images: Images) -> UInt8[np.ndarray, "N 3 S S"]:
    """Views as pixels again."""
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in (images.mean, images.std))
    return ((views.cpu() * std + mean).clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def spread(distances: Float64[np.ndarray, "N"] | Float32[np.ndarray, "N"], count: int) -> list[int]:
    """Numbers of `count` images whose distances are spread over the whole range, nearest pair first."""
    order = np.argsort(distances, kind="stable")
    return [int(n) for n in order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)]]
