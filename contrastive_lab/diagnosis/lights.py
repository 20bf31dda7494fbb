"""The vital signs of a run and the traffic light of each: thresholds in one place, for the strip, the dashboard and the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from contrastive_lab.diagnosis.course import Course

Light = Literal["good", "watch", "ill", "none"]


@dataclass(frozen=True)
class Sign:
    """One row of the strip. `scale` turns the history's value into the shown one, None where the run can't have it.

    `good` and `ill` are bounds of the shown value: at or beyond `good` the light is good, beyond `ill` it is ill, between them watch. A
    sign without bounds has no light: alone it says nothing. `rise` is by how much the value must have grown since the start to be good.
    """

    key: str
    title: str
    meaning: str
    low: float | int
    high: float | int
    digits: int = 2
    unit: str = ""
    good: float | int | None = None
    ill: float | int | None = None
    rise: float | int | None = None
    ideal: float | int | None = None
    scale: Callable[[float, Course], float | None] = lambda value, course: value

    def light(self, value: float | int, first: float | int) -> Light:
        """The light of a shown value in a run that began at `first`."""
        if self.rise is not None:
            return "good" if value - first >= self.rise else "ill" if value < first - self.rise else "watch"
        if self.good is None or self.ill is None:
            return "none"
        up = 1 if self.good > self.ill else -1
        return "good" if up * (value - self.good) >= 0 else "ill" if up * (value - self.ill) < 0 else "watch"


def _share(value: float, course: Course) -> float | None:
    from contrastive_lab.measures import uniformity_floor

    return None if course.dim is None else 100 * value / uniformity_floor(course.dim)


def _spread(value: float, course: Course) -> float | None:
    return None if course.dim is None else value * course.dim**0.5


def _of_room(value: float, course: Course) -> float | None:
    return None if course.directions is None else 100 * value / course.directions


def _percent(value: float, course: Course) -> float | None:
    return 100 * value


SIGNS: tuple[Sign, ...] = (
    Sign("std", "spread", "std × √D: 1 is isotropic, 0 one point", 0, 1.1, good=0.6, ill=0.2, ideal=1, scale=_spread),
    Sign("uniformity", "uniformity", "% of its floor", 0, 100, digits=0, unit=" %", good=50, ill=20, ideal=100, scale=_share),
    Sign(
        "rankme",
        "RankMe",
        "% of the directions that could be seen",
        0,
        100,
        digits=0,
        unit=" %",
        good=30,
        ill=15,
        ideal=100,
        scale=_of_room,
    ),
    Sign(
        "participation_ratio",
        "directions",
        "participation ratio, % of those that could be seen",
        0,
        100,
        digits=0,
        unit=" %",
        scale=_of_room,
    ),
    Sign("alignment", "alignment", "0: twins meet, 2: strangers; means nothing without spread", 0, 2, good=1.2, ill=1.6),
    Sign("gap", "modality gap", "0 to 2; distance of the centroids", 0, 2, good=0.5, ill=0.8, ideal=0),
    Sign("locality", "locality", "mask AUROC of cells; 0.5 is blind", 0.5, 1, rise=0.02),
    Sign("knn", "kNN", "% correct", 0, 100, digits=0, unit=" %", rise=2, scale=_percent),
)
"""Rows of the strip from top to bottom, all with fixed axes. Alignment's light only warns of torn twins: a low value proves nothing."""
