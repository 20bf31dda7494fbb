"""Similarity maps under one query as PNG: the poster and the picture of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from contrastive_lab.explorables.stills import _canvas, _png

if TYPE_CHECKING:
    from contrastive_lab.explorables.locality import ObjectLocality


def locality_poster(shown: ObjectLocality, *, images: Sequence[int]) -> bytes:
    """One row for each image: the image with its query, then every encoder's map."""
    return _drawn(shown, [(image, shown.query(image)) for image in images], threshold=0.5, size=1.62)


def locality_still(shown: ObjectLocality, image: int, query: int, threshold: float) -> bytes:
    return _drawn(shown, [(image, query)], threshold=threshold, size=2.1)


def _drawn(shown: ObjectLocality, rows: Sequence[tuple[int, int]], *, threshold: float, size: float) -> bytes:
    columns = 1 + len(shown.panels)
    figure, axes = _canvas(size * columns, (size + 0.42) * len(rows), columns=columns * len(rows))
    for place, panel in enumerate(axes):
        row, column = divmod(place, columns)
        panel.set_subplotspec(figure.add_gridspec(len(rows), columns)[row, column])
        image, query = rows[row]
        panel.set(xticks=[], yticks=[])
        if column == 0:
            _photo(panel, shown, image)
        else:
            _map(panel, shown, column - 1, image, query, threshold)
        down, across = divmod(query, shown.grid[1])
        panel.plot([across], [down], marker="s", ms=size * 3.2, mfc="none", mec="white", mew=1.6)
        panel.plot([across], [down], marker="s", ms=size * 3.2 + 2, mfc="none", mec="black", mew=0.8)
    return _png(figure, colours=200)


def _photo(panel: Any, shown: ObjectLocality, image: int) -> None:
    height, width = shown.grid
    panel.imshow(shown.pixels[image].transpose(1, 2, 0), extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation="nearest")
    panel.set_title(shown.names[image], fontsize=8)


def _map(panel: Any, shown: ObjectLocality, number: int, image: int, query: int, threshold: float) -> None:
    state = shown.state(number, image=image, query=query, threshold=threshold)
    heat = state["similarity"].reshape(shown.grid).astype(float)
    panel.imshow(heat, cmap="cividis", vmin=heat.min(), vmax=255, interpolation="nearest")
    inside = state["mask"].reshape(shown.grid)
    if inside.any() and not inside.all():
        _outline(panel, inside)
    words = f"AUROC {state['auroc']:.2f}, IoU {state['iou']:.2f}" if shown.regions[image].any() else "no mask known"
    panel.set_title(f"{shown.panels[number].title.split(':')[0]}\n{words}", fontsize=8)


def _outline(panel: Any, inside: np.ndarray) -> None:
    """White edges between cells above and below the threshold."""
    padded = np.pad(inside, 1)
    for r, c in np.argwhere(inside):
        for dr, dc, line in (
            (-1, 0, ((-0.5, 0.5), (-0.5, -0.5))),
            (1, 0, ((-0.5, 0.5), (0.5, 0.5))),
            (0, -1, ((-0.5, -0.5), (-0.5, 0.5))),
            (0, 1, ((0.5, 0.5), (-0.5, 0.5))),
        ):
            if not padded[r + 1 + dr, c + 1 + dc]:
                panel.plot([c + x for x in line[0]], [r + y for y in line[1]], color="white", lw=1.1)
