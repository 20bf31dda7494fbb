"""Twins and strangers as PNG: the poster and the picture of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from contrastive_lab.explorables.stills import DOT, _canvas, _png
from contrastive_lab.figures.palette import BAD, GOOD

if TYPE_CHECKING:
    from contrastive_lab.explorables.alignment import Alignment


def alignment_poster(shown: Alignment, *, encoders: Sequence[int], strength: int) -> bytes:
    """Pairs of one strength, then for every encoder the histogram of distances above the plane of twin and stranger."""
    columns = len(encoders)
    figure, axes = _canvas(1.9 + 2.7 * columns, 4.8, columns=1 + 2 * columns)
    grid = figure.add_gridspec(2, 1 + columns, width_ratios=[0.62, *[1] * columns], height_ratios=[1, 1.5])
    axes[0].set_subplotspec(grid[:, 0])
    _pairs(axes[0], shown, encoders[-1], strength)
    for k, encoder in enumerate(encoders):
        state = shown.state(strength=strength, encoder=encoder)
        above, below = axes[1 + 2 * k], axes[2 + 2 * k]
        above.set_subplotspec(grid[0, 1 + k])
        below.set_subplotspec(grid[1, 1 + k])
        above.bar(
            np.linspace(0, 2, len(state["bars"]), endpoint=False), state["bars"], width=2 / len(state["bars"]), align="edge", color=DOT
        )
        above.axvline(state["mean"], color=GOOD, lw=1.5)
        above.set(xlim=(0, 2), yticks=[])
        above.set_title(f"{shown.encoders[encoder]}\nalignment {state['alignment']:.3f}", fontsize=9)
        above.set_xlabel("distance of twins", fontsize=8)
        above.tick_params(labelsize=7)
        _plane(below, state)
    return _png(figure, colours=160)


def _plane(panel: Any, state: dict[str, Any]) -> None:
    low = min(state["cosine"].min(), state["rival"].min())
    panel.plot([low, 1], [low, 1], color="0.5", lw=0.9, ls="--")
    good = state["margin"] > 0
    panel.scatter(state["cosine"][good], state["rival"][good], s=7, color=DOT, alpha=0.7)
    panel.scatter(state["cosine"][~good], state["rival"][~good], s=9, color=BAD, marker="x", lw=0.8)
    panel.set_title(f"{state['found']:.0%} find their twin", fontsize=9)
    panel.set_xlabel("cosine with the twin", fontsize=8)
    panel.set_ylabel("with the nearest stranger", fontsize=8)
    panel.tick_params(labelsize=7)


def _pairs(panel: Any, shown: Alignment, encoder: int, strength: int) -> None:
    state = shown.state(strength=strength, encoder=encoder)
    side = shown.pixels.shape[-1]
    own = shown.distances[strength, encoder, 0]
    gap = side // 4
    page = np.full((6 * (side + gap), 2 * side + 3 * gap, 3), 255, dtype=np.uint8)
    for k, pair in enumerate(state["pairs"]):
        for view in (0, 1):
            x = view * (side + 3 * gap)
            page[k * (side + gap) : k * (side + gap) + side, x : x + side] = shown.pixels[strength, view, pair].transpose(1, 2, 0)
        y = k * (side + gap) + side / 2
        panel.plot([side + 2, side + 3 * gap - 3], [y, y], color=GOOD, lw=2)
        panel.text(side + 1.5 * gap, y - 4, f"{own[shown.shown[strength, pair]]:.2f}", ha="center", fontsize=7)
    panel.imshow(page, interpolation="nearest")
    panel.axis("off")
    panel.set_title(f"strength {strength}: six pairs\nand their distance", fontsize=9)
