"""What every figure shares: no background of its own, neutral ink that reads on white and on black, system fonts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from numpy.typing import NDArray

Numbers = Sequence[float | int] | NDArray[Any]
"""A list of numbers or a one-dimensional array."""

INK = "#7a7d82"
GRID = "rgba(127,127,127,0.22)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def axis(title: str = "", **changes: Any) -> dict[str, Any]:
    """An axis with a quiet grid."""
    quiet = {"gridcolor": GRID, "zeroline": False, "linecolor": GRID, "ticks": "", "automargin": True}
    return {**quiet, "title": {"text": title, "font": {"size": 13}, "standoff": 10}, **changes}


def new_figure(*, height: int = 420, **layout: Any) -> go.Figure:
    """An empty figure in the lab's theme; `height` in pixels, the width follows the page."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        height=height,
        autosize=True,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": INK},
        margin={"l": 56, "r": 16, "t": 16, "b": 48},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},  # never above the axis' title
        hoverlabel={"font": {"family": FONT}},
        uirevision="constant",
    )
    figure.update_layout(**layout)
    return figure
