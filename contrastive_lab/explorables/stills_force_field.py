"""CACR's force field as PNG: the poster and the picture of the live tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contrastive_lab.explorables.force_field import state_at, turning_cost
from contrastive_lab.explorables.stills import DOT, GREY, _arrow, _canvas, _png, _ring
from contrastive_lab.figures.palette import BAD, GOOD


def force_field_poster(
    query: float, positives: Sequence[float], negatives: Sequence[float], sharpness: Sequence[tuple[float, float]]
) -> bytes:
    """The same points at several sharpnesses (t+, t-), side by side."""
    figure, axes = _canvas(3.1 * len(sharpness), 3.6, columns=len(sharpness))
    for panel, (t_pos, t_neg) in zip(axes, sharpness, strict=True):
        state = _draw(panel, query, positives, negatives, t_pos, t_neg)
        panel.set_title(
            f"t⁺ = {t_pos:g}, t⁻ = {t_neg:g}\n{state['effective_positives']:.1f} of {len(positives)} positives, "
            f"{state['effective_negatives']:.1f} of {len(negatives)} negatives count",
            fontsize=9,
        )
    return _png(figure)


def force_field_still(query: float, positives: Sequence[float], negatives: Sequence[float], *, t_pos: float, t_neg: float) -> bytes:
    """One state: the circle, and the weights with InfoNCE's beside them."""
    figure, (circle, bars) = _canvas(8.6, 4.2, columns=2)
    state = _draw(circle, query, positives, negatives, t_pos, t_neg)
    names = [f"+{k}" for k in range(1, len(positives) + 1)] + [f"−{k}" for k in range(1, len(negatives) + 1)]
    heights = np.concatenate([state["pi_pos"], state["pi_neg"]])
    rivals = np.concatenate([state["infonce_pull"], -state["infonce_push"]])
    places = np.arange(len(names))
    bars.bar(places, heights, width=0.7, color=[GOOD] * len(positives) + [BAD] * len(negatives), alpha=0.75)
    bars.scatter(places, rivals, marker="_", s=150, lw=2, color="0.15", label="InfoNCE, τ = 1/(2t⁻)", zorder=3)
    bars.set(xticks=places, xticklabels=names, ylim=(0, 1.02), ylabel="weight")
    bars.legend(fontsize=8, frameon=False, loc="upper right")
    return _png(figure)


def _draw(panel: Any, query: float, positives: Sequence[float], negatives: Sequence[float], t_pos: float, t_neg: float) -> dict[str, Any]:
    state = state_at(query, positives, negatives, t_pos=t_pos, t_neg=t_neg)
    _ring(panel)
    border = turning_cost(state, t_neg)
    if border < 4:
        turn = query + np.linspace(np.arccos(1 - border / 2), 2 * np.pi - np.arccos(1 - border / 2), 60)
        panel.plot(np.cos(turn), np.sin(turn), color=BAD, lw=9, alpha=0.15, solid_capstyle="butt", zorder=1)
    start = np.array([np.cos(query), np.sin(query)])
    rows = [(positives, state["pull_slopes"], state["pi_pos"], "o", 1), (negatives, state["push_slopes"], state["pi_neg"], "s", -1)]
    for angles, slopes, weights, marker, nature in rows:
        for number, (angle, slope, weight) in enumerate(zip(angles, slopes, weights, strict=True), start=1):
            x, y = np.cos(angle), np.sin(angle)
            style = {"color": GOOD if slope > 0 else BAD, "ls": "-" if slope * nature >= 0 else (0, (2, 2))}
            panel.plot([start[0], x], [start[1], y], lw=0.4 + 7 * abs(slope), alpha=0.65, zorder=2, **style)
            colour = GOOD if nature > 0 else BAD
            panel.scatter([x], [y], s=60 + 420 * weight, marker=marker, color=colour, zorder=4)
            sign = "+" if nature > 0 else "−"
            panel.annotate(f"{sign}{number}", (1.17 * x, 1.17 * y), ha="center", va="center", fontsize=8, color=colour, zorder=5)
    panel.scatter(*start, s=170, color=DOT, edgecolors=GREY, zorder=6)
    for radius, force, colour in ((1.28, state["pulls"].sum(), GOOD), (1.36, state["pushes"].sum(), BAD), (1.45, state["net"], "0.15")):
        _arrow(panel, query, 0.5 * force, radius, colour)
    return state
