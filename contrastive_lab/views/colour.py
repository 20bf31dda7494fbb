"""Colour jitter and greyscale, with its own factors and its own order for each image of a batch."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from contrastive_lab.views.constant import constant

LUMA = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a pixel, as torchvision rounds them (they sum to 0.9999)."""

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
"""Numbers of the four operations in `order` and columns of `factors`, as in torchvision's `ColorJitter`."""


def luma(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N 1 H W"]:
    """Brightness of each pixel as the eye weighs it."""
    red, green, blue = torch.split(images, 1, dim=1)
    return (LUMA[0] * red).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


def greyscale(images: Float[Tensor, "N 3 H W"], chosen: Bool[Tensor, "N"]) -> Float[Tensor, "N 3 H W"]:
    """The chosen images without colour."""
    return torch.lerp(images, luma(images), chosen.to(images.dtype).view(-1, 1, 1, 1))


def jitter(
    images: Float[Tensor, "N 3 H W"], factors: Float[Tensor, "N 4"], order: Int64[Tensor, "N 4"], *, with_hue: bool = True
) -> Float[Tensor, "N 3 H W"]:
    """Colour jitter in torchvision's meaning: each step limited to [0, 1], hue turned in HSV, each image in its own order.

    No image is picked out of the batch: the three blending operations of an image run before the hue with the factor 1 wherever they
    belong after it, then the other way round. So all images share one sequence of operations, and a GPU never waits for the CPU.
    """
    place = order.argsort(dim=1)
    hue_place = place[:, HUE:]
    # the place of the hue is moved to the end: what remains is the order of the three blending operations
    blends = place.scatter(1, torch.full_like(hue_place, HUE), 4).argsort(dim=1)[:, :3]
    wanted = factors.gather(1, blends)
    early = torch.arange(3, device=order.device) < hue_place

    images = _blend_in_order(images, torch.where(early, wanted, 1.0), blends)
    if not with_hue:
        return _blend_in_order(images, torch.where(early, 1.0, wanted), blends)
    return _blend_in_order(shift_hue(images, factors[:, HUE]), torch.where(early, 1.0, wanted), blends)


def _blend_in_order(images: Tensor, factors: Float[Tensor, "N 3"], blends: Int64[Tensor, "N 3"]) -> Tensor:
    for factor, blend in zip(factors.unbind(dim=1), blends.unbind(dim=1), strict=True):
        images = _blend(images, factor.view(-1, 1, 1, 1), blend.view(-1, 1, 1, 1))
    return images


def _blend(images: Tensor, factor: Tensor, blend: Tensor) -> Tensor:
    """Away from black (brightness), from the image's mean grey (contrast) or from each pixel's grey (saturation)."""
    grey = luma(images)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    rest = 1 - factor
    other = torch.addcmul(rest * mean * (blend == CONTRAST), rest * (blend == SATURATION), grey)
    return torch.addcmul(other, factor, images).clamp_(0, 1)


def shift_hue(images: Float[Tensor, "N 3 H W"], turns: Float[Tensor, "N"]) -> Float[Tensor, "N 3 H W"]:
    """Move every pixel around the colour circle of HSV by `turns` of its image (1/3 makes red green); value and saturation stay."""
    red, green, blue = torch.split(images, 1, dim=1)
    value = torch.maximum(torch.maximum(red, green), blue)
    least = torch.minimum(torch.minimum(red, green), blue)
    chroma = value - least
    safe = chroma.clamp_min(1e-9)
    # a sign is 0 where the channel is the largest and 1 elsewhere; torch.where would cost 20 times as much on a CPU
    not_red, not_green = (value - red).sign_(), (value - green).sign_()
    from_red, from_green, from_blue = (green - blue) / safe, (blue - red) / safe + 2, (red - green) / safe + 4
    sixths = torch.lerp(from_red, torch.lerp(from_green, from_blue, not_green), not_red)
    sixths = sixths + 6 * turns.view(-1, 1, 1, 1)
    sixths = sixths - 6 * (sixths / 6).floor_()
    share = torch.cat([(sixths - 3).abs_() - 1, 2 - (sixths - 2).abs_(), 2 - (sixths - 4).abs_()], dim=1).clamp_(0, 1)
    return torch.addcmul(least, chroma, share)


def jitter_affine(images: Float[Tensor, "N 3 H W"], factors: Float[Tensor, "N 4"], order: Int64[Tensor, "N 4"]) -> Float[Tensor, "N 3 H W"]:
    """Fast colour jitter: the same four operations as one matrix and one offset for each image, limited to [0, 1] once at the end.

    Differs from `jitter` in two ways: nothing is limited in between, and hue turns the colour plane of YIQ instead of HSV. At strength
    0.4, 0.4, 0.4, 0.1 CIFAR-10 differs by 0.018 on average, a sixth of what the jitter itself changes.
    """
    mean = images.mean(dim=(2, 3))
    weights = constant(LUMA, images)
    rows = order.view(-1, 4, 1, 1).expand(-1, -1, 3, 3)
    steps = _colour_matrices(factors).gather(1, rows).unbind(dim=1)
    rests = ((order == CONTRAST) * (1 - factors[:, CONTRAST, None])).unbind(dim=1)
    # five columns travel together: the matrix so far, its offset, and where both take the mean colour of the image
    state = torch.cat([torch.eye(3, device=images.device).expand(len(images), 3, 3), torch.zeros_like(mean)[..., None], mean[..., None]], 2)
    for step, rest in zip(steps, rests, strict=True):
        lift = rest * (state[:, :, 4] @ weights)
        state = step @ state
        state[:, :, 3:] += lift[:, None, None]
    return torch.baddbmm(state[:, :, 3:4], state[:, :, :3], images.flatten(2)).clamp_(0, 1).view_as(images)


def _colour_matrices(factors: Float[Tensor, "N 4"]) -> Float[Tensor, "N 4 3 3"]:
    brightness, contrast, saturation, hue = factors.view(-1, 4, 1, 1).unbind(dim=1)
    identity = torch.eye(3, device=factors.device)
    to_grey = constant(LUMA, factors).expand(3, 3)
    saturate = saturation * identity + (1 - saturation) * to_grey
    return torch.stack([brightness * identity, contrast * identity, saturate, _turn_in_yiq(hue)], dim=1)


def _turn_in_yiq(hue: Float[Tensor, "N 1 1"]) -> Float[Tensor, "N 3 3"]:
    """The linear map of RGB that keeps brightness and turns the colour plane (I, Q) of the NTSC standard."""
    keep, cosine, sine = (constant(matrix, hue) for matrix in _YIQ_TURN)
    angle = 2 * math.pi * hue
    return keep + angle.cos() * cosine + angle.sin() * sine


def _yiq_turn() -> list[list[list[float]]]:
    """A turn of the colour plane by an angle a is the sum of these three matrices times 1, cos a and sin a."""
    to_yiq = torch.tensor([LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)], dtype=torch.float64)
    brightness, i, q = torch.split(torch.linalg.inv(to_yiq), 1, dim=1)
    of_y, of_i, of_q = torch.split(to_yiq, 1, dim=0)
    parts = brightness @ of_y, i @ of_i + q @ of_q, i @ of_q - q @ of_i
    return [part.tolist() for part in parts]


_YIQ_TURN = _yiq_turn()
