"""Free points on the circle: what alignment and uniformity do when no network stands between them and the points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.theme import Numbers

METRIC_T = 2.0
NARROWEST, WIDEST = 50.0, 0.5

PREDICTION = Question(
    text="Only alignment acts on 24 pairs of free points. What happens?",
    choices=("all points run into one", "each pair meets and stays where it met", "the points fill the circle"),
    right=1,
    answer="Alignment pulls twins together and nothing else: different images feel no force to each other. It does not cause collapse, "
    "it only does nothing against it. A network collapses because one constant output is the easiest way to make all twins meet. "
    "Set uniformity to 0 % and press Run.",
)


def start_angles(images: int = 24, *, seed: int = 0) -> Float64[np.ndarray, "A"]:
    """Angles of `images` first views, then of their second views: an arc, as a network with one strong direction would give."""
    if images < 2:
        raise ValueError(f"images is {images}, but at least 2 are needed for a pair of different images")
    draw = np.random.default_rng(seed)
    centre = draw.normal(0.65, 0.45, images)
    return np.concatenate([centre + draw.normal(0, 0.45, images), centre + draw.normal(0, 0.45, images)])


def state_at(angles: Numbers, *, t: float = METRIC_T) -> dict[str, float]:
    """Alignment of the pairs and uniformity of the views (mean of both) on the circle."""
    one, two = _halves(angles)
    return {"alignment": float(np.mean(2 - 2 * np.cos(one - two))), "uniformity": (_uniformity(one, t) + _uniformity(two, t)) / 2}


def floor(images: int, *, t: float = METRIC_T) -> float:
    """Uniformity of `images` points evenly spaced on the circle; nothing gets below it."""
    return _uniformity(2 * np.pi * np.arange(images) / images, t)


def simulate(angles: Numbers, *, balance: float, t: float = METRIC_T, steps: int = 300) -> Float64[np.ndarray, "A"]:
    """Angles after gradient steps on (1 - balance) * alignment + balance * uniformity(t)."""
    if not 0 <= balance <= 1:
        raise ValueError(f"balance is {balance}, but is the share of uniformity, between 0 (alignment alone) and 1")
    if not (math.isfinite(t) and t > 0):
        raise ValueError(f"t is {t}, but must be finite and above 0")
    if steps < 0:
        raise ValueError(f"steps is {steps}, but must be 0 or more")
    one, two = _halves(angles)
    # Wide bumps allow large steps; narrow ones would be stepped over.
    rate = len(one) * 0.25 / (1 + t / 2)
    for _ in range(steps):
        attract = 2 * np.sin(one - two) / len(one)
        move_one = (1 - balance) * attract + balance / 2 * _uniformity_gradient(one, t)
        move_two = -(1 - balance) * attract + balance / 2 * _uniformity_gradient(two, t)
        one, two = one - rate * move_one, two - rate * move_two
    return np.concatenate([one, two])


@dataclass(frozen=True)
class Particles:
    """The explorable for these starting angles."""

    angles: Sequence[float] = field(default_factory=lambda: tuple(start_angles().tolist()))
    balance: float = 0.5
    t: float = METRIC_T
    alt: str = (
        "Left, a unit circle with 24 pairs of points joined by green chords and, around it, a blue band as thick as the points are dense. "
        "Right, the plane of alignment and uniformity with the path of the points and a dashed floor. Sliders set the share of uniformity "
        "and the width of its kernel; buttons run, step, start again and put all points in one place."
    )

    def html(self, identity: str = "clab-particles") -> str:
        controls = slider(Slider("balance", "share of uniformity", 0, 1, 0.05))
        controls += slider(Slider("t", "kernel: t (large = narrow)", round(math.log(WIDEST), 3), round(math.log(NARROWEST), 3), 0.01))
        choices = buttons(run="Run", step="30 steps", reset="Start again", collapse="Break it: all in one point")
        numbers = readouts([("alignment", "alignment", "best"), ("uniformity, t = 2", "uniformity", "share"), ("steps", "steps", "tau")])
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="-1.6 -1.6 3.2 3.2" role="img" '
            'aria-label="the circle of points"></svg></div>'
            f'<div>{numbers}<svg data-part="plane" viewBox="0 0 1 0.82" role="img" aria-label="alignment against uniformity"></svg>'
            '<p class="small">Red arc: how far the kernel of one point reaches (there it has fallen to 1/e).</p></div></div>'
            f"{controls}{choices}"
        )
        data = {
            "angles": [round(a, 4) for a in self.angles],
            "balance": self.balance,
            "t": self.t,
            "floor": round(floor(len(self.angles) // 2), 4),
        }
        return page(identity, alt=self.alt, body=body, script="particles.js", mount="mountParticles", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills import particles_poster

        cases = {"start": None, "alignment alone": 0.0, "uniformity alone": 1.0, "both, half and half": 0.5}
        ends = {name: np.asarray(self.angles) if w is None else simulate(self.angles, balance=w, steps=300) for name, w in cases.items()}
        return particles_poster(ends)

    def live(self) -> Any:
        """Sliders for the share of uniformity and for t; each release computes 300 steps from the start."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live, log_slider
        from contrastive_lab.explorables.stills import particles_poster

        share = widgets.FloatSlider(value=self.balance, min=0, max=1, step=0.05, description="uniformity", continuous_update=False)
        kernel = log_slider("t", self.t, WIDEST, NARROWEST)
        kernel.continuous_update = False

        def end(balance: float, t: float) -> Float64[np.ndarray, "A"]:
            return simulate(self.angles, balance=balance, t=t)

        def words(balance: float, t: float) -> str:
            state = state_at(end(balance, t))
            return f"alignment {state['alignment']:.3f}, uniformity {state['uniformity']:.3f} (floor {floor(len(self.angles) // 2):.3f})"

        return live(lambda balance, t: particles_poster({"after 300 steps": end(balance, t)}), words, {"balance": share, "t": kernel})


def _halves(angles: Numbers) -> tuple[Float64[np.ndarray, "N"], Float64[np.ndarray, "N"]]:
    theta = np.asarray(angles, dtype=np.float64)
    if theta.ndim != 1 or len(theta) < 4 or len(theta) % 2:
        raise ValueError(f"angles has shape {theta.shape}, but must list N first views and then N second views, with N >= 2")
    return theta[: len(theta) // 2], theta[len(theta) // 2 :]


def _uniformity(theta: Float64[np.ndarray, "N"], t: float) -> float:
    first, second = np.triu_indices(len(theta), 1)
    exponents = -t * (2 - 2 * np.cos(theta[first] - theta[second]))
    top = exponents.max()
    return float(top + np.log(np.exp(exponents - top).mean()))


def _uniformity_gradient(theta: Float64[np.ndarray, "N"], t: float) -> Float64[np.ndarray, "N"]:
    gap = theta[:, None] - theta[None, :]
    bump = np.exp(-t * (2 - 2 * np.cos(gap)))
    np.fill_diagonal(bump, 0.0)
    return (bump * -2 * t * np.sin(gap)).sum(axis=1) / (bump.sum() / 2)
