"""Crop, resize and mirror each image of a batch by its own amounts, and where the crop lay in the source."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F


def crop_by_sampling(
    images: Float[Tensor, "N C H W"], crop: Int64[Tensor, "N 4"], flip: Bool[Tensor, "N"], size: int
) -> Float[Tensor, "N C S S"]:
    """Crops resized to `size` by looking up each pixel between its four neighbours: the cheaper form on a CPU.

    Equal to torchvision's crop and bilinear resize as long as no crop is larger than `size`; larger crops would alias.
    """
    height, width = images.shape[-2:]
    top, left, rows, columns = crop.to(images.dtype).unbind(dim=1)
    y = _source_positions(top, rows, torch.zeros_like(flip), size)
    x = _source_positions(left, columns, flip, size)
    # grid_sample counts from -1 at the left edge of the image to 1 at its right edge
    y, x = (2 * y + 1) / height - 1, (2 * x + 1) / width - 1
    grid = torch.stack([x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], dim=-1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _source_positions(start: Tensor, length: Tensor, flip: Tensor, size: int) -> Float[Tensor, "N S"]:
    """Pixel coordinate in the source of each output pixel, never outside the crop: without the limit its surroundings would bleed in."""
    centre = _centres(length, flip, size)
    return start[:, None] + torch.minimum((centre - 0.5).clamp_min(0), length[:, None] - 1)


def _centres(length: Tensor, flip: Tensor, size: int) -> Float[Tensor, "N S"]:
    """Distance of each output pixel's centre from the start of the crop, in source pixels; from right to left where mirrored."""
    number = torch.arange(size, device=length.device, dtype=length.dtype)
    number = torch.where(flip[:, None], size - 1 - number, number)
    return (number + 0.5) * (length / size)[:, None]


def crop_by_filter(
    images: Float[Tensor, "N C H W"], crop: Int64[Tensor, "N 4"], flip: Bool[Tensor, "N"], size: int
) -> Float[Tensor, "N C S S"]:
    """Crops resized to `size` with a triangle filter written as two matrices for each image.

    Equal to torchvision's crop and antialiased bilinear resize for every pair of sizes. A GPU that is allowed to round the factors of
    float32 products to TF32 (`torch.set_float32_matmul_precision("high")`) is off by less than half of one of 256 grey levels.
    """
    top, left, rows, columns = crop.to(images.dtype).unbind(dim=1)
    down = triangle_filter(top, rows, torch.zeros_like(flip), images.shape[-2], size)
    across = triangle_filter(left, columns, flip, images.shape[-1], size)
    return torch.einsum("nsh,nchw,ntw->ncst", down, images, across)


def triangle_filter(
    start: Float[Tensor, "N"], length: Float[Tensor, "N"], flip: Bool[Tensor, "N"], source: int, size: int
) -> Float[Tensor, "N S L"]:
    """Weights with which `source` pixels of a line enter each of `size` output pixels of a crop; each row sums to 1."""
    centre = start[:, None] + _centres(length, flip, size)
    reach = (length / size).clamp_min(1)[:, None, None]
    pixel = torch.arange(source, device=start.device, dtype=start.dtype)
    weight = (1 - (pixel + 0.5 - centre[:, :, None]).abs() / reach).clamp_min(0)
    inside = (pixel >= start[:, None]) & (pixel < (start + length)[:, None])
    weight = weight * inside[:, None, :]
    return weight / weight.sum(dim=-1, keepdim=True)


def crop_boxes(crop: Int64[Tensor, "N 4"], flip: Bool[Tensor, "N"], image_size: tuple[int, int]) -> Float[Tensor, "N 4"]:
    """Corners (x1, y1, x2, y2) of crops in units of the source image, edges and not pixel centres; x1 > x2 where mirrored.

    The authors of PixPro divide pixel centres by the size minus one; the two differ by at most one source pixel.
    """
    height, width = image_size
    top, left, rows, columns = crop.float().unbind(dim=1)
    near, far = left / width, (left + columns) / width
    return torch.stack([torch.where(flip, far, near), top / height, torch.where(flip, near, far), (top + rows) / height], dim=1)


def crop_box(
    *,
    top: int | float,
    left: int | float,
    height: int | float,
    width: int | float,
    image_size: int | tuple[int, int],
    hflip: bool = False,
    vflip: bool = False,
) -> Float[Tensor, "4"]:
    """Corners (x1, y1, x2, y2) of one crop in units of the source image; a mirror swaps the two coordinates of its axis.

    `image_size` is a side or (height, width). Raises ValueError for a crop that is empty or leaves the image.
    """
    rows, columns = (image_size, image_size) if isinstance(image_size, int) else image_size
    if min(height, width) <= 0:
        raise ValueError(f"height is {height} and width {width}, but a crop needs both to be positive")
    if top < 0 or left < 0 or top + height > rows or left + width > columns:
        raise ValueError(
            f"the crop from (top {top}, left {left}) of height {height} and width {width} leaves the image, "
            f"whose image_size is {(rows, columns)}; keep top + height and left + width inside it"
        )
    x1, x2, y1, y2 = left / columns, (left + width) / columns, top / rows, (top + height) / rows
    if hflip:
        x1, x2 = x2, x1
    if vflip:
        y1, y2 = y2, y1
    return torch.tensor([x1, y1, x2, y2], dtype=torch.float32)
