"""The same images in every epoch: an embedding that moves, in two or three dimensions, without a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from contrastive_lab.figures.palette import class_look
from contrastive_lab.figures.theme import Numbers, axis, new_figure

REACH = 30000
SOLID = {"triangle-up": "diamond", "line-ew-open": "diamond-open", "star": "square-open", "hexagon": "circle"}
"""Plotly knows eight markers in three dimensions; these stand for the others."""


def embedding_animation(
    points: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    epochs: Numbers,
    classes: Sequence[str] = (),
    controls: bool = True,
    start: int = -1,
    reach: float | int | None = None,
    height: int = 460,
) -> go.Figure:
    """A frame for each epoch, a trace for each class; ranges stay fixed and a point keeps its place in the order.

    points: (E, N, 2) or (E, N, 3), the same N images at each of E epochs, already projected and turned onto each other.
    controls: draw plotly's slider and play button; False where the page brings its own.
    start: the frame that is shown first, the last by default.
    reach: the coordinate at the edge of the axes, by default the largest of all; give one number to compare several figures.
    Coordinates are stored as 16-bit integers (30 000 is the largest), which keeps 20 epochs of 300 points near 50 kB.
    """
    _check(points, labels, epochs)
    scaled, scale = _to_int16(points, reach)
    numbers = [int(c) for c in np.unique(labels)]
    members = [np.flatnonzero(labels == c) for c in numbers]
    names = [classes[c] if c < len(classes) else f"class {c}" for c in numbers]
    figure = new_figure(height=height, showlegend=controls)
    for c, name, rows in zip(numbers, names, members, strict=True):
        figure.add_trace(_cloud(c, name, rows, scaled[start]))
    flat = points.shape[2] == 2
    figure.frames = [
        go.Frame(
            name=_word(epoch),
            data=[type(trace)(**_coordinates(frame[rows])) for trace, rows in zip(figure.data, members, strict=True)],
            traces=list(range(len(members))),
        )
        for epoch, frame in zip(epochs, scaled, strict=True)
    ]
    _fix_ranges(figure, scale, flat)
    if controls:
        _add_controls(figure, epochs, start, redraw=not flat)
    return figure


def _check(points: NDArray[np.floating], labels: NDArray[np.integer], epochs: Numbers) -> None:
    if points.ndim != 3 or points.shape[2] not in (2, 3) or not points.size:
        raise ValueError(f"points has shape {points.shape}, but must be (epochs, images, 2 or 3)")
    if len(labels) != points.shape[1]:
        raise ValueError(f"labels has {len(labels)} entries for {points.shape[1]} images; give one for each image")
    if len(epochs) != len(points):
        raise ValueError(f"epochs has {len(epochs)} entries for {len(points)} frames; give one for each frame")
    if not np.isfinite(points).all():
        raise ValueError("points holds NaN or infinity; check the embeddings before they are projected")


def _to_int16(points: NDArray[np.floating], reach: float | int | None) -> tuple[NDArray[np.int16], float]:
    largest = float(np.abs(points).max())
    if reach is not None and reach < largest:
        raise ValueError(f"reach is {reach}, but the largest coordinate is {largest:.3g}; points must not leave the axes")
    scale = float(reach or largest) or 1.0
    return np.round(points / scale * REACH).astype("int16"), scale


def _coordinates(rows: NDArray[np.int16]) -> dict[str, NDArray[np.int16]]:
    return {letter: np.ascontiguousarray(rows[:, i]) for i, letter in enumerate("xyz"[: rows.shape[1]])}


def _cloud(number: int, name: str, rows: NDArray[np.integer], frame: NDArray[np.int16]) -> go.Scatter | go.Scatter3d:
    style = class_look(number, name)
    kind = go.Scatter if frame.shape[1] == 2 else go.Scatter3d
    flat = kind is go.Scatter
    marker: dict[str, Any] = {"color": style.colour, "opacity": 0.85, "size": 7 if flat else 3.5}
    marker["symbol"] = style.symbol if flat else SOLID.get(style.symbol, style.symbol)
    return kind(
        **_coordinates(frame[rows]),
        customdata=rows.tolist(),
        name=name,
        mode="markers",
        marker=marker,
        hovertemplate=f"{name}, image %{{customdata}}<extra></extra>",
    )


def _fix_ranges(figure: go.Figure, scale: float, flat: bool) -> None:
    ticks: dict[str, Any] = {"tickvals": [-REACH, 0, REACH], "ticktext": [f"{-scale:.2g}", "0", f"{scale:.2g}"]}
    fixed = axis(range=[-1.1 * REACH, 1.1 * REACH], **ticks)
    if flat:
        figure.update_xaxes(fixed)
        figure.update_yaxes({**fixed, "scaleanchor": "x", "scaleratio": 1})
        return
    plain = {k: v for k, v in fixed.items() if k not in ("automargin", "zeroline")} | {
        "backgroundcolor": "rgba(0,0,0,0)",
        "title": {"text": ""},
    }
    figure.update_layout(scene={"xaxis": plain, "yaxis": plain, "zaxis": plain, "aspectmode": "cube", "dragmode": "orbit"})


def _add_controls(figure: go.Figure, epochs: Numbers, start: int, *, redraw: bool) -> None:
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": redraw}, "transition": {"duration": 0}}
    moving = {"fromcurrent": True, "frame": {"duration": 300, "redraw": redraw}, "transition": {"duration": 0 if redraw else 200}}
    steps = [{"label": _word(epoch), "method": "animate", "args": [[_word(epoch)], still]} for epoch in epochs]
    slider = {"steps": steps, "active": start % len(epochs), "currentvalue": {"prefix": "epoch "}, "x": 0.12, "len": 0.88, "pad": {"t": 40}}
    play = {"label": "Play", "method": "animate", "args": [None, moving]}
    pause = {"label": "Pause", "method": "animate", "args": [[None], still]}
    buttons = {"type": "buttons", "buttons": [play, pause], "x": 0.08, "xanchor": "right", "y": 0, "yanchor": "top", "pad": {"t": 50}}
    legend = {"orientation": "h", "yref": "paper", "y": 1.0, "yanchor": "bottom", "x": 0}
    figure.update_layout(sliders=[slider], updatemenus=[buttons], legend=legend, margin={"t": 40})


def _word(epoch: float | int) -> str:
    return f"{epoch:g}"
