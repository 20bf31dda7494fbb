"""The marker of a method or class as a small inline drawing, the same shape that plotly draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

from contrastive_lab.figures.palette import Look

HOLLOW = ("circle-open", "line-ew-open")


def glyph(look: Look) -> str:
    """An SVG of 14 px; decoration only, the name stands beside it."""
    paint = f'fill="none" stroke="{look.colour}" stroke-width="2.4"' if look.symbol in HOLLOW else f'fill="{look.colour}"'
    return f'<svg class="glyph" viewBox="-8 -8 16 16" aria-hidden="true"><path d="{_outline(look.symbol)}" {paint}/></svg>'


def _outline(symbol: str) -> str:
    if symbol in ("circle", "circle-open"):
        return "M-5.5 0A5.5 5.5 0 1 1 5.5 0A5.5 5.5 0 1 1-5.5 0Z"
    if symbol in _FIXED:
        return _polygon(_FIXED[symbol])
    corners, inner, turn = _REGULAR.get(symbol, (4, 1.0, 45.0))
    return _polygon(_star(corners, inner, turn))


def _star(corners: int, inner: float, turn: float) -> list[tuple[float, float]]:
    """Corners at radius 7; `inner` < 1 puts a notch of that share of the radius between neighbours."""
    radii = [7.0] * corners if inner == 1 else [7.0, 7.0 * inner] * corners
    angles = [math.radians(turn - 90 + 360 * i / len(radii)) for i in range(len(radii))]
    return [(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True)]


def _polygon(points: Sequence[tuple[float | int, float | int]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


_REGULAR = {
    "square": (4, 1.0, 45.0),
    "diamond": (4, 1.0, 0.0),
    "triangle-up": (3, 1.0, 0.0),
    "triangle-down": (3, 1.0, 180.0),
    "pentagon": (5, 1.0, 0.0),
    "hexagon": (6, 1.0, 0.0),
    "star": (5, 0.42, 0.0),
    "star-diamond": (4, 0.42, 0.0),
    "star-triangle-up": (3, 0.32, 0.0),
}
_FIXED: dict[str, list[tuple[int, int]]] = {
    "cross": [(-2, -6), (2, -6), (2, -2), (6, -2), (6, 2), (2, 2), (2, 6), (-2, 6), (-2, 2), (-6, 2), (-6, -2), (-2, -2)],
    "x": [(-6, -3), (-3, -6), (0, -3), (3, -6), (6, -3), (3, 0), (6, 3), (3, 6), (0, 3), (-3, 6), (-6, 3), (-3, 0)],
    "bowtie": [(-6, -5), (0, -1), (6, -5), (6, 5), (0, 1), (-6, 5)],
    "hourglass": [(-5, -6), (5, -6), (1, 0), (5, 6), (-5, 6), (-1, 0)],
    "line-ew-open": [(-6, 0), (6, 0)],
}
