"""Which classes are related: a matrix of cosines, and how it grew over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from contrastive_lab.figures.host import Values, on_host
from contrastive_lab.figures.palette import BAD, GOOD
from contrastive_lab.figures.theme import INK, Numbers, new_figure

# Opaque in the middle: plotly chooses black or white numbers for a light page, and must be right on a dark one.
SCALE = [[0.0, BAD], [0.5, "#eeeef0"], [1.0, GOOD]]


def relation_map(relations: Values, classes: Sequence[str], *, epochs: Numbers = (), height: int | None = None) -> go.Figure:
    """Cosines between classes as numbers on green (alike) and red (opposite); with several matrices a slider over `epochs`.

    relations: (C, C), or (E, C, C) for E epochs; the last is shown first.
    """
    stack = on_host(relations)
    stack = stack[None] if stack.ndim == 2 else stack
    if stack.ndim != 3 or stack.shape[1:] != (len(classes), len(classes)):
        raise ValueError(
            f"relations has shape {np.shape(relations)}, but must be ({len(classes)}, {len(classes)}), or one such for each epoch"
        )
    if len(stack) > 1 and len(epochs) != len(stack):
        raise ValueError(f"epochs has {len(epochs)} entries for {len(stack)} matrices; give one for each")
    figure = new_figure(height=height or (560 if len(stack) > 1 else 440))
    figure.add_trace(_cells(stack[-1], classes))
    figure.update_xaxes(side="top", tickangle=-40, showgrid=False, constrain="domain")
    figure.update_yaxes(autorange="reversed", showgrid=False, scaleanchor="x", constrain="domain")
    figure.update_layout(margin={"l": 90, "r": 16, "t": 80, "b": 70 if len(stack) > 1 else 16})
    if len(stack) > 1:
        names = [f"{epoch:g}" for epoch in np.asarray(epochs, dtype=float)]
        figure.frames = [go.Frame(name=name, data=[_cells(one, classes)], traces=[0]) for name, one in zip(names, stack, strict=True)]
        figure.update_layout(sliders=[_slider(names)])
    return figure


def _cells(matrix: NDArray[np.floating], classes: Sequence[str]) -> go.Heatmap:
    shown = np.round(matrix, 2)
    return go.Heatmap(
        z=shown.tolist(),
        x=list(classes),
        y=list(classes),
        zmin=-1,
        zmax=1,
        colorscale=SCALE,
        text=[[f"{value:.1f}".replace("-", "−") for value in row] for row in matrix.round(1) + 0.0],  # + 0.0: no minus zero
        texttemplate="%{text}",
        textfont={"size": 10},
        colorbar={"title": {"text": "cosine"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
    )


def _slider(names: Sequence[str]) -> dict[str, Any]:
    jump = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    steps = [{"label": name, "method": "animate", "args": [[name], jump]} for name in names]
    return {"active": len(names) - 1, "steps": steps, "currentvalue": {"prefix": "epoch "}, "pad": {"t": 18}, "font": {"color": INK}}
