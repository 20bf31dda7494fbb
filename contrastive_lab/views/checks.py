"""What an augmentation and the images given to it must fulfil, told in one sentence each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def check_pixels(pixels: Tensor, generator: torch.Generator | None) -> None:
    """Raise TypeError or ValueError unless `pixels` are uint8 (N, 3, H, W) with N > 0, on the device of `generator`."""
    if pixels.dtype != torch.uint8:
        _refuse_dtype(pixels)
    if pixels.ndim != 4 or pixels.shape[1] != 3:
        raise ValueError(
            f"pixels has shape {tuple(pixels.shape)}, but must be (N, 3, H, W); repeat a single channel with pixels.expand(-1, 3, -1, -1)"
        )
    if 0 in pixels.shape:
        raise ValueError(f"pixels has shape {tuple(pixels.shape)}, but must hold at least one image of at least one pixel")
    if generator is not None and generator.device.type != pixels.device.type:
        raise ValueError(
            f"generator lives on {generator.device}, but pixels on {pixels.device}; make it with torch.Generator({pixels.device.type!r})"
        )


def _refuse_dtype(pixels: Tensor) -> None:
    if pixels.is_floating_point() and (bad := int((~pixels.isfinite()).sum())):
        raise ValueError(f"pixels holds {bad} values that are not finite, but must hold whole numbers from 0 to 255 as uint8")
    raise TypeError(f"pixels has dtype {pixels.dtype}, but must be uint8; scale floats in [0, 1] with (255 * x).round().to(torch.uint8)")


def check_range(name: str, value: Sequence[float], *, highest: float = math.inf) -> None:
    """Raise ValueError unless `value` is a pair 0 < low <= high <= highest."""
    if len(value) != 2 or not 0 < value[0] <= value[1] <= highest or not math.isfinite(value[1]):
        limit = "" if highest == math.inf else f" <= {highest:g}"
        raise ValueError(f"{name} is {tuple(value)}, but must be (low, high) with 0 < low <= high{limit}")


def check_probability(name: str, value: float) -> None:
    """Raise ValueError unless `value` lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value}, but is a probability and must lie between 0 and 1")


def check_jitter(value: Sequence[float]) -> None:
    """Raise ValueError unless `value` holds four strengths that torchvision would accept."""
    if len(value) != 4 or not all(0 <= strength < math.inf for strength in value) or value[3] > 0.5:
        raise ValueError(
            f"jitter is {tuple(value)}, but must be four strengths of at least 0: brightness, contrast, saturation and hue (at most 0.5)"
        )


def check_kernel(kernel: int | None, size: int) -> None:
    """Raise ValueError unless `kernel` is odd and its half fits into the image that is reflected at the border."""
    if kernel is not None and (kernel < 1 or kernel % 2 == 0 or kernel // 2 >= size):
        raise ValueError(f"blur_kernel is {kernel}, but must be odd, positive and below {2 * size} for views of {size} pixels")


def check_colours(mean: Sequence[float], std: Sequence[float]) -> None:
    """Raise ValueError unless there are three finite means and three positive deviations."""
    if len(mean) != 3 or not all(map(math.isfinite, mean)):
        raise ValueError(f"mean is {tuple(mean)}, but must be three finite numbers, one for each colour channel")
    if len(std) != 3 or not all(0 < value < math.inf for value in std):
        raise ValueError(f"std is {tuple(std)}, but must be three positive numbers, one for each colour channel")
