"""Two crops of one scene: which cells of their grids show the same place, and what happens if a mirror is forgotten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.methods import cell_distances

Box = Sequence[float]
START: tuple[Box, Box] = ((0.05, 0.12, 0.7, 0.77), (0.3, 0.28, 0.9, 0.88))
"""Corners x1, y1, x2, y2 of both crops in units of the image, not mirrored."""
SIDE, THRESHOLD = 6, 0.7
SMALLEST = 0.2
SCENE, PIXELS = 21, 96

PREDICTION = Question(
    text="Both crops have 6 x 6 cells, and two cells are a positive pair if their centres are less than 0.7 cell diagonals apart. "
    "Two crops coincide exactly. How many positives does each cell have?",
    choices=("one: itself", "five: itself and the four next to it", "nine: itself and all around it"),
    right=0,
    answer="The next cell is one side away, which is 1 / √2 = 0.707 diagonals: the threshold 0.7 just excludes it. "
    "Put the crops on top of each other and try thresholds of 0.70 and 0.71.",
)


def state_at(
    box1: Box,
    box2: Box,
    *,
    flip1: bool = False,
    flip2: bool = False,
    threshold: float | int = THRESHOLD,
    side: int = SIDE,
    forget: bool = False,
) -> dict[str, Any]:
    """Everything the explorable shows for two crops, given unmirrored.

    `mask` (P, P) is PixPro's mask of positives, `distance` in units of the larger cell diagonal. With `forget` the images are mirrored
    and their boxes aren't, as in the classic mistake: `right` is the share of positives in the mask whose cells really show places less
    than `threshold` apart (nan without positives). `matched` is the share of cells of crop 1 with a positive, `each` how many such a
    cell has, `overlap` the intersection of the boxes over their union.
    """
    _check(box1, box2, threshold, side)
    true = _distance(box1, box2, flip1, flip2, side)
    distance = _distance(box1, box2, False, False, side) if forget else true
    mask = distance < threshold
    matched = mask.any(axis=1)
    return {
        "distance": distance,
        "mask": mask,
        "matched": float(matched.mean()),
        "each": float(mask.sum() / matched.sum()) if matched.any() else 0.0,
        "count": int(mask.sum()),
        "right": float((true[mask] < threshold).mean()) if mask.any() else math.nan,
        "overlap": overlap(box1, box2),
    }


def overlap(box1: Box, box2: Box) -> float:
    """Intersection over union of two boxes that aren't mirrored."""
    width = max(0.0, min(box1[2], box2[2]) - max(box1[0], box2[0]))
    height = max(0.0, min(box1[3], box2[3]) - max(box1[1], box2[1]))
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (box1, box2))
    return width * height / (sum(areas) - width * height)


@cache
def scene(number: int = SCENE, size: int = PIXELS) -> UInt8[np.ndarray, "3 H W"]:
    """A test scene with two objects."""
    from contrastive_lab.data import scenes

    painted: UInt8[np.ndarray, "3 H W"] = scenes.load("test", count=number + 1, size=size, two=1.0).pixels[number].numpy()
    return painted


@dataclass(frozen=True)
class Correspondence:
    """The explorable for these two crops of test scene `number`."""

    boxes: tuple[Box, Box] = START
    number: int = SCENE
    threshold: float | int = THRESHOLD
    alt: str = (
        "Left, a scene with two objects and two crop frames of 6 x 6 cells. Middle, both crops as the network sees them, mirrored or not; "
        "the chosen cell of crop 1 and its positives in crop 2 are marked and joined by lines. Right, the mask of all positive pairs. "
        "Frames move with the arrow keys and change size with Shift; sliders set threshold and chosen cell, buttons mirror the crops."
    )

    def html(self, identity: str = "clab-correspondence") -> str:
        from contrastive_lab.figures import data_uri, sheet

        controls = slider(Slider("threshold", "threshold T", 0.2, 3, 0.01)) + slider(Slider("cell", "cell of crop 1", 0, SIDE**2 - 1, 1))
        choices = buttons(
            flip1="Mirror crop 1",
            flip2="Mirror crop 2",
            same="Both crops the same",
            apart="Crops apart",
            reset="Start again",
            collapse="Break it: mirror the image, forget the box",
        )
        numbers = readouts(
            [
                ("positive pairs", "count", "count-note"),
                ("cells of crop 1 with a positive", "matched", "matched-note"),
                ("positives of such a cell", "each", "each-note"),
                ("pairs that show the same place", "right", "right-note"),
            ]
        )
        legend = (
            '<p class="small">Drag a frame (its corner changes the size), or reach it with Tab: arrow keys move it, Shift and '
            "arrow keys change its size. Click a cell of crop 1 to choose it.</p>"
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="-0.02 -0.02 1.04 1.04" role="group" aria-label="the scene"></svg>'
            f'</div><div style="flex:1.6 1 400px"><svg data-part="crops" viewBox="0 0 2.16 1.08" role="img" aria-label="both crops"></svg>'
            f"{legend}</div></div>"
            '<div class="panels"><div style="flex:0 1 230px"><svg data-part="mask" viewBox="-4 -4 41 41" role="img" '
            f'aria-label="mask of positive pairs"></svg></div><div style="flex:2 1 400px">{numbers}{controls}</div></div>{choices}'
        )
        picture = scene(self.number)
        data = {
            "boxes": [list(map(float, box)) for box in self.boxes],
            "threshold": float(self.threshold),
            "side": SIDE,
            "smallest": SMALLEST,
            "scene": data_uri(sheet(picture[None], columns=1)),
        }
        return page(
            identity, alt=self.alt, body=body, script="correspondence.js", mount="mountCorrespondence", data=data, question=PREDICTION
        )

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_correspondence import correspondence_poster

        return correspondence_poster(scene(self.number), self.boxes)

    def live(self) -> Any:
        """Sliders for the threshold, the chosen cell and the place of crop 2, over a picture that the kernel repaints."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_correspondence import correspondence_still

        words = {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px")}
        sliders = {
            "threshold": widgets.FloatSlider(value=self.threshold, min=0.2, max=3, step=0.05, description="threshold", **words),
            "shift": widgets.FloatSlider(value=0.0, min=-0.3, max=0.3, step=0.02, description="shift of crop 2", **words),
            "cell": whole_slider("cell of crop 1", 21, 0, SIDE**2 - 1),
            "mirror": widgets.Checkbox(value=False, description="mirror crop 2"),
        }
        picture = scene(self.number)

        def draw(threshold: float, shift: float, cell: int, mirror: bool) -> bytes:
            return correspondence_still(picture, (self.boxes[0], moved(self.boxes[1], shift)), threshold, cell, mirror)

        return live(draw, self.describe, sliders)

    def describe(self, *, threshold: float, shift: float, cell: int, mirror: bool) -> str:
        """The state in one sentence."""
        state = state_at(self.boxes[0], moved(self.boxes[1], shift), flip2=mirror, threshold=threshold)
        found = int(state["mask"][cell].sum())
        return (
            f"Threshold {threshold:.2f}: {state['matched']:.0%} of the cells of crop 1 have a positive, {state['each']:.1f} each; "
            f"cell {cell} has {found}. The crops overlap by {state['overlap']:.0%}."
        )


def moved(box: Box, shift: float) -> Box:
    """The box further right, kept inside the image."""
    by = min(max(shift, -box[0]), 1 - box[2])
    return (box[0] + by, box[1], box[2] + by, box[3])


def _distance(box1: Box, box2: Box, flip1: bool, flip2: bool, side: int) -> Float64[np.ndarray, "P P"]:
    rows = [torch.tensor([_mirrored(box, flip)], dtype=torch.float64) for box, flip in ((box1, flip1), (box2, flip2))]
    distances: Float64[np.ndarray, "P P"] = cell_distances(rows[0], rows[1], size_q=(side, side))[0].numpy()
    return distances


def _mirrored(box: Box, flip: bool) -> list[float]:
    x1, y1, x2, y2 = map(float, box)
    return [x2, y1, x1, y2] if flip else [x1, y1, x2, y2]


def _check(box1: Box, box2: Box, threshold: float, side: int) -> None:
    for name, box in (("box1", box1), ("box2", box2)):
        if len(box) != 4 or not (box[0] < box[2] and box[1] < box[3]):
            raise ValueError(f"{name} is {tuple(box)}, but must be x1 < x2 and y1 < y2; mirror with flip1 and flip2")
    if not (math.isfinite(threshold) and threshold > 0):
        raise ValueError(f"threshold is {threshold}, but must be finite and above 0")
    if side < 1:
        raise ValueError(f"side is {side}, but a grid has at least 1 x 1 cells")
