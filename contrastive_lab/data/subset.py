"""Fewer or smaller images: seeded subsets with all classes in proportion, and resizing without float copies of the set."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Int64, UInt8
from torch import Tensor

CHUNK = 512


def chosen(available: int, labels: Int64[Tensor, "N"] | None, count: int | None, seed: int) -> Int64[Tensor, "n"]:
    """Ascending numbers of `count` of the `available` images; all of them for None.

    Where there are labels, each class gets its share, rounded by largest remainder; then the seed picks the images of each class.
    """
    if count is None:
        return torch.arange(available)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= available:
        raise ValueError(f"count is {count!r}, but must be an integer from 1 to {available:,}, the number of images in this split")
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(available, generator=generator)
    if labels is None:
        return order[:count].sort().values
    groups = [order[labels[order] == label] for label in sorted(set(labels.tolist()))]
    quotas = _shares([len(group) for group in groups], count)
    return torch.cat([group[:quota] for group, quota in zip(groups, quotas, strict=True)]).sort().values


def _shares(sizes: list[int], count: int) -> list[int]:
    """Whole numbers that add up to `count` in proportion to `sizes`."""
    total = sum(sizes)
    shares = [count * size // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda k: (-(count * sizes[k] % total), k))
    for k in by_remainder[: count - sum(shares)]:
        shares[k] += 1
    return shares


def resized(pixels: UInt8[Tensor, "N C H W"], size: int) -> UInt8[Tensor, "N C h w"]:
    """Square images of `size` pixels: means over areas where they shrink, bilinear where they grow; a few images at a time."""
    if tuple(pixels.shape[-2:]) == (size, size):
        return pixels
    shrink = size <= min(pixels.shape[-2:])
    result = torch.empty(*pixels.shape[:2], size, size, dtype=torch.uint8, device=pixels.device)
    for start in range(0, len(pixels), CHUNK):
        images = pixels[start : start + CHUNK].float()
        if shrink:
            images = F.interpolate(images, size=(size, size), mode="area")
        else:
            images = F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False, antialias=True)
        result[start : start + CHUNK] = images.round().clamp(0, 255).to(torch.uint8)
    return result
