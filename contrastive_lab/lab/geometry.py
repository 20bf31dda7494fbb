"""Short names for what the notebooks ask of a run again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import torch

from contrastive_lab.figures import CLASSES, Track
from contrastive_lab.lab.results import spread
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


def table(rows: Mapping[str, Sequence[Mapping[str, float]]], columns: Mapping[str, str] | Iterable[str], *, digits: int = 2) -> None:
    """Print one line for each name, with mean ± deviation of each column over its rows (one row: the value alone).

    `columns` are keys of the rows; a mapping gives each the title it is printed under.
    """
    titles = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    lines = {name: [spread([row[key] for row in several], digits=digits) for key in titles] for name, several in rows.items()}
    table = [list(titles.values()), *lines.values()]
    widths = [max(len(line[k]) for line in table) + 2 for k in range(len(titles))]
    first = max(map(len, lines))
    for name, cells in zip(["", *lines], table, strict=True):
        print(name.ljust(first) + "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
