"""Which cells of the feature maps of two crops show the same place: the geometry of PixPro and PixContrast.

A box (x1, y1, x2, y2) says what a crop shows of its source image; a mirrored crop has x1 > x2 or y1 > y2, and nothing else is needed
to follow the mirror. All of it is computed in float32 or better: half precision would flip pairs that are close to the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from contrastive_lab.contrast import check_positive, readable


def cell_centers(boxes: Float[Tensor, "N 4"], *, size: tuple[int, int]) -> Float[Tensor, "N P 2"]:
    """(x, y) of each cell of a (height, width) map in units of the source image, row by row; mirrored boxes (x1 > x2) need no care."""
    check_boxes(boxes=boxes)
    height, width = _checked_size(size)
    boxes = boxes.float() if boxes.dtype.itemsize < 4 else boxes
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    steps_x = (torch.arange(width, device=boxes.device, dtype=boxes.dtype) + 0.5) / width
    steps_y = (torch.arange(height, device=boxes.device, dtype=boxes.dtype) + 0.5) / height
    x = x1[:, None] + (x2 - x1)[:, None] * steps_x
    y = y1[:, None] + (y2 - y1)[:, None] * steps_y
    return torch.stack([x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1).flatten(1, 2)


def cell_distances(
    boxes_q: Float[Tensor, "N 4"], boxes_k: Float[Tensor, "N 4"], *, size_q: tuple[int, int], size_k: tuple[int, int] | None = None
) -> Float[Tensor, "N Pq Pk"]:
    """Distances of cell centres of two crops of the same images, in units of the larger cell diagonal of each pair."""
    check_boxes(boxes_q=boxes_q, boxes_k=boxes_k)
    size_k = size_q if size_k is None else size_k
    apart = (cell_centers(boxes_q, size=size_q)[:, :, None] - cell_centers(boxes_k, size=size_k)[:, None]).norm(dim=-1)
    diagonal = torch.maximum(_cell_diagonal(boxes_q, size_q), _cell_diagonal(boxes_k, size_k))
    return apart / diagonal[:, None, None]


def positive_mask(
    boxes_q: Float[Tensor, "N 4"],
    boxes_k: Float[Tensor, "N 4"],
    *,
    size_q: tuple[int, int],
    size_k: tuple[int, int] | None = None,
    threshold: float = 0.7,
) -> Bool[Tensor, "N Pq Pk"]:
    """Which cells show the same place: `cell_distances` below `threshold`. Neighbours are 0.707 apart, so 0.7 just excludes them."""
    check_positive(threshold=threshold)
    return cell_distances(boxes_q, boxes_k, size_q=size_q, size_k=size_k) < threshold


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(size, Sequence) or len(size) != 2 or min(size) < 1:
        raise ValueError(f"size of the map is {size}, but must be (height, width), both at least 1")
    return size[0], size[1]


def _cell_diagonal(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    boxes = boxes.float() if boxes.dtype.itemsize < 4 else boxes
    return torch.hypot((boxes[:, 2] - boxes[:, 0]) / size[1], (boxes[:, 3] - boxes[:, 1]) / size[0])


def check_boxes(**boxes: Tensor) -> None:
    """Raise unless each is (N, 4), with one N for all, and holds finite corners of crops with an area."""
    for name, box in boxes.items():
        if not box.is_floating_point():
            raise TypeError(f"{name} has dtype {box.dtype}, but corners must be floating point; convert with .float()")
        if box.ndim != 2 or box.shape[1] != 4:
            raise ValueError(f"{name} has shape {tuple(box.shape)}, but must be (N, 4): x1, y1, x2, y2")
        if readable(box):  # elsewhere the loop stops on a NaN loss
            if not bool(box.isfinite().all()):
                row = int((~box.isfinite()).any(dim=1).nonzero()[0])
                raise ValueError(f"{name}[{row}] is {box[row].tolist()}, but corners must be finite")
            flat = (box[:, 0] == box[:, 2]) | (box[:, 1] == box[:, 3])
            if bool(flat.any()):
                row = int(flat.nonzero()[0])
                raise ValueError(f"{name}[{row}] is {box[row].tolist()}, which has no area; x1 must differ from x2 and y1 from y2")
    counts = {name: len(box) for name, box in boxes.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"{' and '.join(f'{name} has {count} rows' for name, count in counts.items())}; give one box for each image")
