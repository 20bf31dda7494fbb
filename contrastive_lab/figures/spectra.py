"""How many directions an embedding uses: its covariance spectrum, largest first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from contrastive_lab.figures.host import Values, on_host
from contrastive_lab.figures.palette import look
from contrastive_lab.figures.theme import axis, new_figure

FLOOR = 1e-8


def spectra(eigenvalues: Mapping[str, Values], *, height: int = 420) -> go.Figure:
    """Eigenvalues of each method's covariance (of unit rows, descending) on a logarithmic scale against their rank.

    Values below 1e-8 are drawn at 1e-8: single precision knows nothing below.
    """
    if not eigenvalues:
        raise ValueError("eigenvalues is empty; give at least one method's spectrum")
    figure = new_figure(height=height)
    for name, values in eigenvalues.items():
        spectrum = on_host(values)
        if spectrum.ndim != 1 or not len(spectrum) or not np.isfinite(spectrum).all():
            raise ValueError(f"eigenvalues[{name!r}] has shape {spectrum.shape}; give a finite one-dimensional spectrum")
        figure.add_trace(_line(name, np.maximum(spectrum, FLOOR)))
    figure.update_xaxes(axis("direction, strongest first", rangemode="tozero"))
    figure.update_yaxes(axis("variance along it", type="log", exponentformat="power", dtick=1, tickfont={"size": 11}))
    return figure


def _line(name: str, spectrum: np.ndarray) -> go.Scatter:
    style = look(name)
    return go.Scatter(
        x=np.arange(1, len(spectrum) + 1, dtype="int16"),
        y=spectrum.astype("float32"),
        name=name,
        meta=name,
        mode="lines",
        line={"color": style.colour, "dash": style.dash, "width": 2},
        hovertemplate="%{meta}, direction %{x}<br>variance %{y:.2e}<extra></extra>",
    )
