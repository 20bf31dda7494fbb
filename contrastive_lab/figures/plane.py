"""The plane of the two forces: how close the views of an image lie, and how evenly all images fill the sphere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from contrastive_lab.figures.palette import look
from contrastive_lab.figures.theme import INK, Numbers, axis, new_figure


@dataclass(frozen=True)
class Track:
    """One run in the plane: alignment and uniformity at each of `epochs`."""

    epochs: Numbers
    alignment: Numbers
    uniformity: Numbers

    def __post_init__(self) -> None:
        lengths = {len(self.epochs), len(self.alignment), len(self.uniformity)}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                f"a track has {len(self.epochs)} epochs, {len(self.alignment)} alignments and {len(self.uniformity)} uniformities; "
                "give one of each for every epoch, at least one"
            )


def align_uniform_plane(paths: Mapping[str, Track], *, floor: float | int | None = None, height: int = 480) -> go.Figure:
    """Alignment (0 is best) against uniformity (lower is more even), one path over the epochs for each method.

    floor: the uniformity of points spread evenly over the sphere; nothing large gets below it.
    """
    if not paths:
        raise ValueError("paths is empty; give at least one method's path")
    figure = new_figure(height=height)
    for name, path in paths.items():
        figure.add_trace(_trail(name, path))
    reach = max(max(path.alignment) for path in paths.values())
    lowest = min([min(path.uniformity) for path in paths.values()] + ([] if floor is None else [floor]))
    right = max(1.08 * reach, 0.2)
    figure.update_xaxes(axis("alignment (0: two views coincide)", range=[-0.04 * right, right]))
    figure.update_yaxes(axis("uniformity (lower: more even)", range=[1.06 * lowest - 0.05, 0.2]))
    if floor is not None:
        _draw_floor(figure, floor, right)
    return figure


def _trail(name: str, path: Track) -> go.Scatter:
    style = look(name)
    last = len(path.epochs) - 1
    return go.Scatter(
        x=np.asarray(path.alignment, dtype="float32"),
        y=np.asarray(path.uniformity, dtype="float32"),
        customdata=np.asarray(path.epochs, dtype="float32"),
        name=name,
        meta=name,
        mode="lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": 2},
        marker={
            "color": style.colour,
            "symbol": style.symbol,
            "opacity": 1,
            "line": {"width": 0},
            "size": [14 if i == last else 5 for i in range(last + 1)],
        },
        hovertemplate="%{meta}, epoch %{customdata}<br>alignment %{x:.3f}<br>uniformity %{y:.2f}<extra></extra>",
    )


def _draw_floor(figure: go.Figure, floor: float, right: float) -> None:
    figure.add_hline(y=floor, line={"color": INK, "dash": "dash", "width": 1})
    figure.add_annotation(
        x=right, y=floor, text=f"floor {floor:.2f}: points spread evenly", showarrow=False, xanchor="right", yanchor="bottom"
    )
