"""The exercise of notebook 00: what two views have in common."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from contrastive_lab.exercises.exercise import Case, Exercise, Mistake


def view_overlap(one: Tensor, two: Tensor) -> Tensor:
    """Intersection over union of each box with its partner; boxes are (N, 4) corners x1, y1, x2, y2, x1 > x2 where mirrored."""
    left = torch.maximum(one[:, [0, 2]].amin(1), two[:, [0, 2]].amin(1))
    right = torch.minimum(one[:, [0, 2]].amax(1), two[:, [0, 2]].amax(1))
    top, bottom = torch.maximum(one[:, 1], two[:, 1]), torch.minimum(one[:, 3], two[:, 3])
    shared = (right - left).clamp(min=0) * (bottom - top).clamp(min=0)
    areas = [(box[:, 2] - box[:, 0]).abs() * (box[:, 3] - box[:, 1]) for box in (one, two)]
    return shared / (areas[0] + areas[1] - shared)


def _parts(one: Tensor, two: Tensor, *, upright: bool = True, clamp: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Shared area and both areas, right or wrong on purpose."""
    if upright:
        one, two = (torch.stack([b[:, [0, 2]].amin(1), b[:, 1], b[:, [0, 2]].amax(1), b[:, 3]], dim=1) for b in (one, two))
    sides = torch.minimum(one[:, 2:], two[:, 2:]) - torch.maximum(one[:, :2], two[:, :2])
    shared = (sides.clamp(min=0) if clamp else sides).prod(dim=1)
    first, second = ((b[:, 2:] - b[:, :2]).abs().prod(dim=1) for b in (one, two))
    return shared, first, second


def _mirrored_forgotten(one: Tensor, two: Tensor) -> Tensor:
    shared, first, second = _parts(one, two, upright=False)
    return shared / (first + second - shared)


def _negative_areas(one: Tensor, two: Tensor) -> Tensor:
    shared, _, _ = _parts(one, two, upright=False)
    first, second = ((b[:, 2:] - b[:, :2]).prod(dim=1) for b in (one, two))
    return shared / (first + second - shared)


def _not_clamped(one: Tensor, two: Tensor) -> Tensor:
    shared, first, second = _parts(one, two, clamp=False)
    return shared / (first + second - shared)


def _counted_twice(one: Tensor, two: Tensor) -> Tensor:
    shared, first, second = _parts(one, two)
    return shared / (first + second)


def _of_the_first(one: Tensor, two: Tensor) -> Tensor:
    shared, first, _ = _parts(one, two)
    return shared / first


def _area_alone(one: Tensor, two: Tensor) -> Tensor:
    return _parts(one, two)[0]


def _cases() -> Sequence[Case]:
    whole, corner, mirrored = [0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0], [0.75, 0.25, 0.25, 0.75]
    left, right, diagonal = [0.0, 0.0, 0.4, 0.5], [0.5, 0.2, 0.9, 0.8], [0.6, 0.6, 0.9, 1.0]
    return (
        Case("a quarter of the whole", (torch.tensor([whole, corner]), torch.tensor([corner, whole])), {}),
        Case("apart to the side, and apart in both directions", (torch.tensor([left, left]), torch.tensor([right, diagonal])), {}),
        Case("one of the two is mirrored", (torch.tensor([mirrored, corner]), torch.tensor([corner, mirrored])), {}),
    )


VIEW_OVERLAP = Exercise(
    name="view_overlap",
    title="What two views have in common",
    statement=r"""
Every view has a box in its source image: two corners $(x_1,y_1)$ and $(x_2,y_2)$ between 0 and 1, with $x_1>x_2$ if the view is
mirrored. For two views the **intersection over union** is

$$\frac{\text{area that both show}}{\text{area that at least one shows}},$$

1 if they show the same and 0 if they show nothing in common. Return it for each of the $N$ pairs of boxes.""",
    minutes=10,
    difficulty=2,
    hints=(
        "What two intervals share begins at the larger of their left ends and stops at the smaller of their right ends. "
        "Do that once for x and once for y.",
        "Boxes that don't touch give a negative length: `clamp(min=0)` before multiplying. "
        "Of a mirrored box, `amin` and `amax` of the two x give left and right.",
        "The union is the sum of both areas minus what was counted twice: `shared / (area_one + area_two - shared)`.",
    ),
    solution=view_overlap,
    mistakes=(
        Mistake(
            "mirrored boxes forgotten",
            "In a mirrored view x1 is the right end. Sort the two x of every box before you compare boxes.",
            _mirrored_forgotten,
        ),
        Mistake(
            "a mirrored box has a negative area",
            "Its x1 is the right end, so x2 - x1 is below 0 (and 0 / 0 may follow). Sort the two x of every box first, with amin and amax.",
            _negative_areas,
        ),
        Mistake(
            "no clamp",
            "Boxes that are apart in x and in y have two negative lengths, and their product is positive. Clamp each length at 0 first.",
            _not_clamped,
        ),
        Mistake("the shared part counts twice in the union", "Both areas contain it: subtract it once from their sum.", _counted_twice),
        Mistake(
            "a share of the first view",
            "That is how much of the first view the second one shows. Divide by the union of both.",
            _of_the_first,
        ),
        Mistake("an area, not a share", "That is the area both show. Divide it by the area that at least one shows.", _area_alone),
    ),
    cases=_cases,
    gradient="none",
)

ALL = (VIEW_OVERLAP,)
