"""Still pictures for places where nothing moves (GitHub, paper): PNG bytes drawn by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contrastive_lab.figures.palette import class_look, look
from contrastive_lab.figures.plane import Track
from contrastive_lab.figures.theme import Numbers

MARKERS = {
    "circle": "o",
    "circle-open": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "star": "*",
    "cross": "P",
    "x": "X",
}


def plane_poster(paths: Mapping[str, Track], *, floor: float | int | None = None, title: str = "", dpi: int = 120) -> bytes:
    """The align-uniform plane as a PNG of 8 x 5 inches."""
    figure, axes = _canvas(8.0, 5.0, dpi)
    for name, path in paths.items():
        style = look(name)
        axes.plot(path.alignment, path.uniformity, color=style.colour, lw=1.5, marker=".", ms=4)
        axes.plot(
            path.alignment[-1], path.uniformity[-1], marker=MARKERS.get(style.symbol, "h"), color=style.colour, ms=10, ls="", label=name
        )
    if floor is not None:
        axes.axhline(floor, color="0.5", ls="--", lw=1)
        axes.annotate(f"floor {floor:.2f}", (1, floor), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="0.4")
    axes.set(xlabel="alignment (0: two views of an image coincide)", ylabel="uniformity (lower: more even)", title=title)
    axes.legend(frameon=False, ncols=3, fontsize=8)
    return _as_png(figure)


def embedding_poster(
    points: NDArray[np.floating], labels: NDArray[np.integer], *, epochs: Numbers, chosen: int = 4, title: str = "", dpi: int = 120
) -> bytes:
    """`chosen` epochs of an animated embedding side by side, on equal axes; `points` is (E, N, 2 or more)."""
    if points.ndim != 3 or points.shape[2] < 2 or len(points) != len(epochs):
        raise ValueError(f"points has shape {points.shape} for {len(epochs)} epochs, but must be (epochs, images, 2 or more)")
    picks = np.unique(np.linspace(0, len(epochs) - 1, chosen).round().astype(int))
    figure, axes = _canvas(3.0 * len(picks), 3.4, dpi, columns=len(picks))
    reach = 1.05 * float(np.abs(points[..., :2]).max()) or 1.0
    for panel, pick in zip(np.atleast_1d(axes), picks, strict=True):
        for number in np.unique(labels):
            rows, style = labels == number, class_look(int(number))
            panel.scatter(*points[pick, rows, :2].T, s=9, color=style.colour, marker=MARKERS.get(style.symbol, "o"), lw=0)
        panel.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal", title=f"epoch {epochs[pick]:g}")
    figure.suptitle(title)
    return _as_png(figure)


def _canvas(width: float, height: float, dpi: int, *, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def _as_png(figure: Any) -> bytes:
    page = io.BytesIO()
    figure.savefig(page, format="png")
    return page.getvalue()
