"""One measure over the epochs, a line for each method."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from contrastive_lab.figures.palette import look
from contrastive_lab.figures.theme import INK, Numbers, axis, new_figure

Curve = tuple[Numbers, Numbers]


def training_curve(
    curves: Mapping[str, Curve], *, measure: str, limit: float | int | None = None, limit_name: str = "", height: int = 280
) -> go.Figure:
    """`measure` over the epochs; `curves` maps a method to (epochs, values), values that are not finite leave a gap.

    limit: a value to compare with (a floor, a ceiling, chance), drawn as a dashed line that is called `limit_name`.
    """
    if not curves:
        raise ValueError("curves is empty; give at least one method's (epochs, values)")
    figure = new_figure(height=height)
    for name, (epochs, values) in curves.items():
        if len(epochs) != len(values):
            raise ValueError(f"curves[{name!r}] has {len(epochs)} epochs and {len(values)} values; give one value for each epoch")
        figure.add_trace(_line(name, measure, epochs, values))
    figure.update_xaxes(axis("epoch", rangemode="tozero"))
    figure.update_yaxes(axis(measure))
    if limit is not None:
        figure.add_hline(
            y=limit,
            line={"color": INK, "dash": "dash", "width": 1},
            annotation={"text": limit_name, "showarrow": False},
            annotation_position="top left",
        )
    return figure


def _line(name: str, measure: str, epochs: Numbers, values: Numbers) -> go.Scatter:
    style = look(name)
    alone = len(epochs) == 1
    return go.Scatter(
        x=np.asarray(epochs, dtype="float32"),
        y=np.asarray(values, dtype="float32"),
        name=name,
        meta=name,
        mode="lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": 2},
        marker={"color": style.colour, "symbol": style.symbol, "size": 11 if alone else 5},
        hovertemplate=f"%{{meta}}, epoch %{{x}}<br>{measure} %{{y:.3g}}<extra></extra>",
    )
