"""Short names for what the notebooks ask of a run again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import torch

from contrastive_lab.figures import CLASSES, Track
from contrastive_lab.methods import Method
from contrastive_lab.training import Evaluate, Run

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def track(run: Run | Mapping[str, Any]) -> Track:
    """The way of a run, or of the `path` that a benchmark wrote, through the plane of alignment and uniformity."""
    if isinstance(run, Run):
        epochs, alignment = run.column("alignment")
        return Track(epochs, alignment, run.column("uniformity")[1])
    return Track(run["epoch"], run["alignment"], run["uniformity"])


def distinct(figure: go.Figure) -> go.Figure:
    """The figure with a colour, a marker and a dash of its own for each trace, for lines that are not methods."""
    for number, trace in enumerate(figure.data):
        colour = CLASSES[number % len(CLASSES)].colour
        trace.update(line={"color": colour, "dash": DASHES[number % len(DASHES)]}, marker={"color": colour})
        if "markers" in (trace.mode or ""):
            trace.marker.symbol = CLASSES[number % len(CLASSES)].symbol
    return figure


def twins_found(method: Method, evaluate: Evaluate) -> float:
    """Share of the probe images whose other view is nearer than every stranger."""
    from contrastive_lab import measures

    device = next(method.parameters()).device
    with torch.no_grad():
        one, two = (method.eval().embed(view.to(device)) for view in evaluate.pair.views[:2])
    return float((measures.retrieval_margins(one, two) > 0).double().mean())
