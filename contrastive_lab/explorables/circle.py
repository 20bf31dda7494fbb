"""One anchor on the circle: who attracts it, who repels it, and what the temperature changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.theme import Numbers

LOWEST, HIGHEST = 0.02, 2.0
IMAGES = (-2.6, -1.35, -0.45, 0.5, 1.45, 2.5)
SPREAD = (0.42, -0.3, 0.28, -0.5, 0.35, -0.33)
START = tuple(a + s / 2 for a, s in zip(IMAGES, SPREAD, strict=True)) + tuple(a - s / 2 for a, s in zip(IMAGES, SPREAD, strict=True))
"""Angles of six images' first views, then of their second views."""

PREDICTION = Question(
    text="The anchor (blue) has ten negatives. At temperature 0.05, which of them push it?",
    choices=("all ten, about equally", "the nearest one or two", "the farthest ones"),
    right=1,
    answer="The softmax divides cosines by the temperature: at 0.05 a difference of 0.2 in cosine is a factor of e⁴ ≈ 55 in weight. "
    "Pull the temperature slider and watch the lines.",
)


def state_at(angles: Numbers, *, anchor: int = 0, temperature: float = 0.5) -> dict[str, Any]:
    """Everything the explorable shows for one anchor. `angles` are those of N first views, then of their N second views, in radians.

    `pull`, `push` and `net` are the anchor's forces along the circle (anticlockwise positive) times the temperature; `reaction` those
    that this anchor's loss exerts on the others. `effective` is the number of negatives that share the push, from 1 to 2N - 2.
    """
    theta = _angles(angles)
    _check(theta, anchor, temperature)
    twin = (anchor + len(theta) // 2) % len(theta)
    gap = theta - theta[anchor]
    scores = np.cos(gap) / temperature
    others = np.delete(np.arange(len(theta)), anchor)
    negatives = others[others != twin]
    level = scores[others].max() + math.log(np.exp(scores[others] - scores[others].max()).sum())
    weights = np.exp(scores - level)
    weights[anchor] = 0.0
    turn = np.sin(gap)
    pull, push = (1 - weights[twin]) * turn[twin], -(weights[negatives] * turn[negatives]).sum()
    reaction = weights * turn
    reaction[twin] = -(1 - weights[twin]) * turn[twin]
    return {
        "weights": weights,
        "twin": twin,
        "loss": float(level - scores[twin]),
        "pull": float(pull),
        "push": float(push),
        "net": float(pull + push),
        "reaction": reaction,
        "effective": _effective(weights[negatives]),
    }


def effective_negatives(angles: Numbers, temperatures: Sequence[float], *, anchor: int = 0) -> list[float]:
    """How many negatives share the push at each temperature."""
    return [state_at(angles, anchor=anchor, temperature=tau)["effective"] for tau in temperatures]


@dataclass(frozen=True)
class Circle:
    """The explorable for these angles; by default six images whose two views lie near each other."""

    angles: Sequence[float] = START
    anchor: int = 3
    temperature: float = 0.5
    alt: str = (
        "A unit circle with twelve points: six images, A to F, two views each. From the anchor a dashed green line leads to its twin, "
        "red lines to the ten negatives, as wide as their softmax weights; arrows along the circle show pull, push and their sum. "
        "Sliders set temperature and the anchor's angle; points can be dragged or moved with the arrow keys."
    )

    def html(self, identity: str = "clab-circle") -> str:
        controls = slider(Slider("tau", "temperature τ", math.log(LOWEST), math.log(HIGHEST), 0.01))
        controls += slider(Slider("angle", "angle of the anchor", -180, 180, 1))
        choices = buttons(reset="Start again", false="A false negative next door", collapse="Break it: all in one point")
        numbers = readouts(
            [
                ("loss of the anchor", "loss", "guess"),
                ("weight of the positive", "positive", "positive-note"),
                ("negatives that count", "effective", "negatives"),
                ("force on the anchor", "net", "factor"),
            ]
        )
        legend = (
            '<p class="small">Blue: the anchor. Full points: first views, pale points: second views. '
            "Click a point (or press Enter on it) to make it the anchor.</p>"
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="-1.5 -1.5 3 3" role="group" aria-label="the circle"></svg></div>'
            f'<div>{numbers}<svg data-part="bars" viewBox="0 0 1.24 0.84" role="img" aria-label="softmax weights of all candidates"></svg>'
            f"{legend}</div></div>{controls}{choices}"
        )
        data = {"angles": [round(a, 4) for a in self.angles], "anchor": self.anchor, "temperature": self.temperature}
        return page(identity, alt=self.alt, body=body, script="circle.js", mount="mountCircle", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills import circle_poster

        return circle_poster(self.angles, self.anchor, (0.05, 0.2, 1.0))

    def live(self) -> Any:
        """Sliders for temperature and anchor over a picture that the kernel repaints, for angles of your own."""
        from contrastive_lab.explorables.explorable import live, log_slider, whole_slider
        from contrastive_lab.explorables.stills import circle_still

        sliders = {
            "temperature": log_slider("temperature", self.temperature, LOWEST, HIGHEST),
            "anchor": whole_slider("anchor", self.anchor, 0, len(self.angles) - 1),
        }
        return live(lambda temperature, anchor: circle_still(self.angles, anchor, temperature), self.describe, sliders)

    def describe(self, *, temperature: float, anchor: int) -> str:
        """The state in one sentence."""
        state = state_at(self.angles, anchor=anchor, temperature=temperature)
        return (
            f"Point {anchor} at temperature {temperature:.2f}: loss {state['loss']:.3f}, "
            f"weight of the positive {state['weights'][state['twin']]:.3f}; "
            f"{state['effective']:.1f} of {len(self.angles) - 2} negatives share the push."
        )


def _angles(angles: Numbers) -> Float64[np.ndarray, "A"]:
    theta = np.asarray(angles, dtype=np.float64)
    if theta.ndim != 1 or len(theta) < 4 or len(theta) % 2:
        raise ValueError(f"angles has shape {theta.shape}, but must list N first views and then N second views, with N >= 2")
    if not np.isfinite(theta).all():
        raise ValueError("angles has an entry that is not finite; give radians")
    return theta


def _check(theta: Float64[np.ndarray, "A"], anchor: int, temperature: float) -> None:
    if not 0 <= anchor < len(theta):
        raise ValueError(f"anchor is {anchor}, but must be one of the points 0 to {len(theta) - 1}")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}, but must be finite and above 0")


def _effective(weights: Float64[np.ndarray, "B"]) -> float:
    """Exponential of the entropy of the weights, scaled to sum to one."""
    total = weights.sum()
    if total <= 0:
        return 1.0
    share = weights[weights > 0] / total
    return float(np.exp(-(share * np.log(share)).sum()))
