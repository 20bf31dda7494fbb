"""Whom does the encoder find most alike? Each query image beside its nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from contrastive_lab.figures.palette import BAD, GOOD
from contrastive_lab.figures.sprite import data_uri, sheet
from contrastive_lab.figures.theme import axis, new_figure


def neighbour_gallery(
    images: NDArray[np.uint8],
    queries: NDArray[np.integer],
    neighbours: NDArray[np.integer],
    labels: NDArray[np.integer],
    *,
    classes: Sequence[str] = (),
    cell: int = 64,
) -> go.Figure:
    """One row for each query: the query, then its neighbours, nearest first; all images in a single PNG.

    images (N, C, H, W) and labels (N,) hold every image that `queries` (Q,) and `neighbours` (Q, k) point at.
    A neighbour of the query's class has a solid frame and a tick, another a dashed frame and a cross. `cell` is in pixels.
    """
    if neighbours.ndim != 2 or len(neighbours) != len(queries) or not neighbours.size:
        raise ValueError(f"neighbours has shape {neighbours.shape} for {len(queries)} queries, but must be (queries, k) with k >= 1")
    count, width = neighbours.shape
    order = np.concatenate([np.asarray(queries)[:, None], neighbours], axis=1)
    if order.min() < 0 or order.max() >= len(images):
        raise ValueError(f"queries and neighbours reach from {order.min()} to {order.max()}, but there are {len(images)} images")
    figure = new_figure(height=(cell + 8) * count + 60, showlegend=False)
    picture = data_uri(_spaced(images[order.ravel()], width + 1))
    figure.add_layout_image(source=picture, x=0, y=0, xref="x", yref="y", sizex=width + 1, sizey=count, sizing="stretch", layer="below")
    same = labels[neighbours] == labels[np.asarray(queries)][:, None]
    for agrees, colour, dash, mark in ((True, GOOD, "solid", "✓"), (False, BAD, "dot", "✗")):
        rows, columns = np.nonzero(same == agrees)
        figure.add_trace(
            _marks(
                rows, columns + 1, colour, mark, [_name(labels, classes, int(neighbours[r, c])) for r, c in zip(rows, columns, strict=True)]
            )
        )
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            box = {"x0": column + 1.04, "x1": column + 1.96, "y0": row + 0.04, "y1": row + 0.96}
            figure.add_shape(type="rect", **box, line={"color": colour, "dash": dash, "width": 2})
    heads = ["query", *(str(k) for k in range(1, width + 1))]
    figure.update_xaxes(
        axis(range=[0, width + 1], tickvals=np.arange(width + 1) + 0.5, ticktext=heads, side="top", showgrid=False, fixedrange=True)
    )
    names = [_name(labels, classes, q) for q in queries.tolist()]
    figure.update_yaxes(
        axis(range=[count, 0], tickvals=np.arange(count) + 0.5, ticktext=names, showgrid=False, scaleanchor="x", fixedrange=True)
    )
    return figure


def _spaced(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    border = max(images.shape[-1] // 12, 1)
    padded = np.pad(images, ((0, 0), (0, 0), (border, border), (border, border)), constant_values=127)
    return sheet(padded, columns=columns)


def _marks(rows: NDArray[np.integer], columns: NDArray[np.integer], colour: str, mark: str, names: list[str]) -> go.Scatter:
    return go.Scatter(
        x=columns + 0.86,
        y=rows + 0.84,
        text=[mark] * len(rows),
        customdata=names,
        mode="markers+text",
        marker={"color": "white", "size": 15, "line": {"color": colour, "width": 1}},
        textfont={"color": colour, "size": 11},
        hovertemplate="%{customdata}<extra></extra>",
    )


def _name(labels: NDArray[np.integer], classes: Sequence[str], index: int) -> str:
    number = int(labels[index])
    return classes[number] if number < len(classes) else f"class {number}"
