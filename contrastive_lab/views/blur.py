"""Gaussian blur, with its own width for each image of a batch, and solarising."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def gaussian_blur(images: Float[Tensor, "N C H W"], sigma: Float[Tensor, "N"], kernel_size: int) -> Float[Tensor, "N C H W"]:
    """Blur each image with a Gaussian of its own `sigma` in pixels, cut at `kernel_size` pixels and reflected at the borders.

    Equal to torchvision's `gaussian_blur`. `sigma` 0 leaves an image as it is.
    """
    weights = gaussian_weights(sigma, kernel_size)
    half = kernel_size // 2
    images = F.pad(images, (half, half, half, half), mode="reflect")
    return _weighted_sum(_weighted_sum(images, weights, dim=3), weights, dim=2)


def gaussian_weights(sigma: Float[Tensor, "N"], kernel_size: int) -> Float[Tensor, "N K"]:
    """Samples of a Gaussian at whole pixels around its centre, each row summing to 1."""
    offset = torch.arange(kernel_size, device=sigma.device) - kernel_size // 2
    # at a thousandth of a pixel all neighbours underflow to exactly 0, so that sigma 0 needs no case of its own
    weights = torch.exp(-0.5 * (offset / sigma.clamp_min(1e-3)[:, None]) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)


def _weighted_sum(images: Tensor, weights: Float[Tensor, "N K"], dim: int) -> Tensor:
    length = images.shape[dim] - weights.shape[1] + 1
    columns = [weight.view(-1, 1, 1, 1) for weight in weights.unbind(dim=1)]
    total = columns[0] * images.narrow(dim, 0, length)
    for shift, weight in enumerate(columns[1:], start=1):
        total.addcmul_(weight, images.narrow(dim, shift, length))
    return total


def solarise(images: Float[Tensor, "N C H W"], chosen: Bool[Tensor, "N"], threshold: float = 0.5) -> Float[Tensor, "N C H W"]:
    """Turn the bright values (at least `threshold`) of the chosen images into their negatives."""
    turned = chosen.view(-1, 1, 1, 1) & (images >= threshold)
    return torch.lerp(images, 1 - images, turned.to(images.dtype))
