"""The explorables of notebook 01 as PNG: posters for GitHub and the pictures of the live tier, drawn by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contrastive_lab.explorables import circle, particles
from contrastive_lab.figures.palette import BAD, GOOD
from contrastive_lab.figures.theme import Numbers

DOT, GREY = "#3f99ea", "#8c9196"


def circle_poster(angles: Sequence[float], anchor: int, temperatures: Sequence[float]) -> bytes:
    """One anchor at several temperatures, side by side."""
    figure, axes = _canvas(3.1 * len(temperatures), 3.5, columns=len(temperatures))
    for panel, tau in zip(axes, temperatures, strict=True):
        state = _draw_circle(panel, angles, anchor, tau)
        panel.set_title(f"τ = {tau:g}: {state['effective']:.1f} of {len(angles) - 2} negatives count", fontsize=10)
    return _png(figure)


def circle_still(angles: Sequence[float], anchor: int, temperature: float) -> bytes:
    """One anchor, one temperature."""
    figure, axes = _canvas(4.4, 4.4)
    _draw_circle(axes[0], angles, anchor, temperature)
    return _png(figure)


def particles_poster(clouds: Mapping[str, Numbers]) -> bytes:
    """Points on the circle with their pairs joined, one panel for each name."""
    figure, axes = _canvas(max(2.7 * len(clouds), 4.2), 3.1 if len(clouds) > 1 else 4.4, columns=len(clouds))
    for panel, (name, angles) in zip(axes, clouds.items(), strict=True):
        _ring(panel, 1.12)
        one, two = np.split(np.asarray(angles, dtype=float), 2)
        for a, b in zip(one, two, strict=True):
            panel.plot(np.cos([a, b]), np.sin([a, b]), color=GOOD, lw=0.9, zorder=2)
        panel.scatter(np.cos(one), np.sin(one), s=16, color=DOT, zorder=3)
        panel.scatter(np.cos(two), np.sin(two), s=16, facecolors="white", edgecolors=DOT, zorder=3)
        state = particles.state_at(angles)
        panel.set_title(f"{name}\nalignment {state['alignment']:.2f}, uniformity {state['uniformity']:.2f}", fontsize=9)
    return _png(figure)


def _draw_circle(panel: Any, angles: Sequence[float], anchor: int, temperature: float) -> dict[str, Any]:
    state = circle.state_at(angles, anchor=anchor, temperature=temperature)
    theta = np.asarray(angles, dtype=float)
    x, y = np.cos(theta), np.sin(theta)
    _ring(panel)
    for b, weight in enumerate(state["weights"]):
        if b != anchor:
            positive = b == state["twin"]
            strength = 1 - weight if positive else weight
            style = {"color": GOOD, "ls": (0, (2, 2))} if positive else {"color": BAD}
            panel.plot([x[anchor], x[b]], [y[anchor], y[b]], lw=0.4 + 9 * strength, alpha=0.7, zorder=2, **style)
    _points(panel, x, y, anchor)
    for radius, name, colour in ((1.18, "pull", GOOD), (1.29, "push", BAD), (1.42, "net", "0.15")):
        _arrow(panel, theta[anchor], 0.9 * state[name], radius, colour)
    return state


def _points(panel: Any, x: NDArray[np.float64], y: NDArray[np.float64], anchor: int) -> None:
    half = len(x) // 2
    for b, (a, c) in enumerate(zip(x, y, strict=True)):
        colour = DOT if b == anchor else GREY
        panel.scatter(
            [a],
            [c],
            s=190 if b == anchor else 110,
            color=colour if b < half or b == anchor else "white",
            edgecolors=colour,
            lw=1.4,
            zorder=4,
        )
        if half <= 26:
            panel.annotate(chr(65 + b % half), (a, c), ha="center", va="center", fontsize=7, fontweight="bold", zorder=5, color="0.1")


def _arrow(panel: Any, start: float, length: float, radius: float, colour: str) -> None:
    if abs(length) < 0.012:
        return
    path = start + np.linspace(0, np.clip(length, -1.3, 1.3), 24)
    points = radius * np.stack([np.cos(path), np.sin(path)])
    panel.plot(points[0, :-2], points[1, :-2], color=colour, lw=2, zorder=3)
    panel.annotate("", xy=points[:, -1], xytext=points[:, -4], zorder=3, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.5})


def _ring(panel: Any, reach: float = 1.5) -> None:
    turn = np.linspace(0, 2 * np.pi, 200)
    panel.plot(np.cos(turn), np.sin(turn), color="0.75", lw=1, zorder=1)
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    panel.axis("off")


def _canvas(width: float, height: float, *, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=85, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _png(figure: Any, *, colours: int = 48) -> bytes:
    """Few colours, few bytes: posters travel inside the notebooks. Small marks in many colours want more than 48."""
    from PIL import Image

    page, small = io.BytesIO(), io.BytesIO()
    figure.savefig(page, format="png", bbox_inches="tight", pad_inches=0.08)
    Image.open(page).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()
