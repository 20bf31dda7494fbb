"""LOST: an object's box from patch features alone, and the score of such boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxtyping import Float, Float64, Int64
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic
from contrastive_lab.measures.inputs import points, whole


class Box(NamedTuple):
    """A box in pixels, right and lower edge exclusive, with the patch it grew from and the degree of every patch."""

    x0: float
    y0: float
    x1: float
    y1: float
    seed: int
    degrees: Int64[Tensor, "P"]


@exact_arithmetic()
def lost_box(features: Float[Tensor, "P D"], *, grid: tuple[int, int], patch: int | float, k: int = 100) -> Box:
    """Box around the least connected patch and those like it; grid is (rows, columns), patch the side of a patch in pixels.

    Siméoni et al. 2021 (arXiv:2109.14279). As in the released code the votes add real similarities, where the paper's equations add
    binary ones; unlike there, equal degrees go to the lowest index. It assumes that background patches correlate more than object
    patches, which holds for DINO keys and not for features in general. Features are taken as they are, not normalised.
    """
    rows, columns = grid
    whole(rows=rows, columns=columns, k=k)
    if not patch > 0:
        raise ValueError(f"patch is {patch}, but must be a positive number of pixels")
    features = points("features", features, at_least=1, normalize=True)
    if rows * columns != len(features):
        raise ValueError(f"grid {grid} has {rows * columns} patches and features {len(features)}; give (rows, columns) of the feature map")
    return lost_from_similarity(features.double() @ features.double().T, grid=grid, patch=patch, k=k)


def lost_from_similarity(similarity: Float64[Tensor, "P P"], *, grid: tuple[int, int], patch: int | float, k: int = 100) -> Box:
    """`lost_box` where only the products of all patches are at hand; row by row, symmetric."""
    rows, columns = grid
    if similarity.shape != (rows * columns, rows * columns):
        raise ValueError(f"similarity has shape {tuple(similarity.shape)}, but grid {grid} has {rows * columns} patches")
    degrees = _degrees(similarity)
    order = degrees.argsort(stable=True)
    seed, lowest = int(order[0]), order[:k]
    voters = lowest[similarity[seed, lowest] > 0]
    votes = similarity[voters].sum(dim=0) > 0
    cells = _component(votes.tolist(), seed, columns)
    across, down = [cell % columns for cell in cells], [cell // columns for cell in cells]
    return Box(min(across) * patch, min(down) * patch, (max(across) + 1) * patch, (max(down) + 1) * patch, seed, degrees)


def box_iou(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1); further entries, as those of `Box`, are ignored."""
    ax0, ay0, ax1, ay1 = _corners("a", a)
    bx0, by0, bx1, by1 = _corners("b", b)
    overlap = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return overlap / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - overlap)


def corloc(boxes: Sequence[Sequence[Any]], truths: Sequence[Sequence[Sequence[Any]]], *, threshold: float | int = 0.5) -> float:
    """Per cent of images whose box has an IoU of at least `threshold` with any true box; truths: a list of boxes per image."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}, but must be above 0 and at most 1")
    if len(boxes) != len(truths) or not len(boxes):
        raise ValueError(f"{len(boxes)} boxes for {len(truths)} images with truths; give one box for each image, and at least one image")
    for image, true in enumerate(truths):
        if not len(true):
            raise ValueError(f"truths[{image}] is empty; leave images without an object out")
    hits = sum(any(box_iou(box, t) >= threshold for t in true) for box, true in zip(boxes, truths, strict=True))
    return 100 * hits / len(boxes)


def _corners(name: str, box: Sequence[Any]) -> tuple[float, float, float, float]:
    if len(box) < 4:
        raise ValueError(f"{name} has {len(box)} numbers, but a box is (x0, y0, x1, y1)")
    x0, y0, x1, y1 = (float(value) for value in box[:4])
    if not (x0 < x1 < float("inf") and y0 < y1 < float("inf") and min(x0, y0) > -float("inf")):
        raise ValueError(f"{name} is {(x0, y0, x1, y1)}, but must be finite (x0, y0, x1, y1) with x0 < x1 and y0 < y1")
    return x0, y0, x1, y1


def _degrees(similarity: Float64[Tensor, "P P"]) -> Int64[Tensor, "P"]:
    """For each patch the number of other patches with which it correlates positively."""
    return (similarity > 0).fill_diagonal_(False).sum(dim=1)


def _component(inside: list[bool], seed: int, columns: int) -> list[int]:
    """Cells that a walk over inner cells reaches from the seed in steps up, down, left and right."""
    reached, frontier = {seed}, [seed]
    while frontier:
        cell = frontier.pop()
        beside = [cell - columns, cell + columns]
        beside += [cell - 1] if cell % columns else []
        beside += [cell + 1] if (cell + 1) % columns else []
        fresh = [n for n in beside if 0 <= n < len(inside) and inside[n] and n not in reached]
        reached.update(fresh)
        frontier += fresh
    return sorted(reached)
