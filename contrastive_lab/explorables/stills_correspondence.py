"""Crops, masks and propagated maps as PNG: posters and pictures of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Integer, UInt8

from contrastive_lab.explorables import correspondence, propagation
from contrastive_lab.explorables.stills import DOT, _canvas, _png
from contrastive_lab.figures.palette import BAD, GOOD

Image = UInt8[np.ndarray, "3 H W"]
Boxes = tuple[Sequence[float], Sequence[float]]
Cells = Integer[np.ndarray, "h w"]
Cosines = Float[np.ndarray, "P P"]
SECOND = "#cf7e00"


def correspondence_poster(picture: Image, boxes: Boxes) -> bytes:
    """The scene with both crops, the mask, the mask at twice the threshold, and the mask of a forgotten mirror."""
    figure, axes = _canvas(10.0, 2.9, columns=4)
    _scene(axes[0], picture, boxes)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("threshold 0.7", {}),
        ("threshold 1.4", {"threshold": 1.4}),
        ("mirrored, box forgotten", {"flip2": True, "forget": True}),
    ]
    for panel, (title, how) in zip(axes[1:], cases, strict=True):
        state = correspondence.state_at(*boxes, **how)
        _mask(panel, boxes, state, how)
        note = (
            f"{state['right']:.0%} of the pairs are right"
            if "forget" in how
            else f"{state['matched']:.0%} matched, {state['each']:.1f} each"
        )
        panel.set_title(f"{title}\n{note}", fontsize=9)
    return _png(figure)


def correspondence_still(picture: Image, boxes: Boxes, threshold: float, cell: int, mirror: bool) -> bytes:
    """The scene with both crops and one cell's positives, and the mask."""
    figure, axes = _canvas(7.2, 3.6, columns=2)
    _scene(axes[0], picture, boxes)
    how: dict[str, Any] = {"threshold": threshold, "flip2": mirror}
    state = correspondence.state_at(*boxes, **how)
    one, two = (_centres(box, flip) for box, flip in zip(boxes, (False, mirror), strict=True))
    for j in np.flatnonzero(state["mask"][cell]):
        axes[0].plot([one[cell, 0], two[j, 0]], [one[cell, 1], two[j, 1]], color=GOOD, lw=2)
        axes[0].plot(*two[j], marker="s", color=SECOND, ms=5)
    axes[0].plot(*one[cell], marker="o", color=DOT, ms=7)
    _mask(axes[1], boxes, state, how)
    axes[1].axhspan(cell - 0.5, cell + 0.5, color=DOT, alpha=0.25)
    return _png(figure)


def propagation_poster(picture: Image, objects: Cells, networks: Mapping[str, Cosines], query: int, gammas: Sequence[float]) -> bytes:
    """The scene with the chosen cell; for each network the cell's cosines before and after propagation at each gamma."""
    count = 1 + len(networks) * (1 + len(gammas))
    figure, axes = _canvas(max(1.75 * count, 6.4), 2.7, columns=count)
    axes[0].imshow(np.moveaxis(picture, 0, -1), extent=(-0.5, len(objects) - 0.5, len(objects) - 0.5, -0.5), interpolation="nearest")
    axes[0].set_title("scene,\nchosen cell", fontsize=8)
    maps: list[tuple[str, Any]] = []
    for name, cosines in networks.items():
        maps.append((f"{name}\nbefore", cosines[query]))
        maps += [(f"{name}\nafter, γ = {g:.3g}", propagation.state_at(cosines, query=query, gamma=g)["after"]) for g in gammas]
    for panel, (title, heat) in zip(axes[1:], maps, strict=True):
        low = min(heat.min(), heat.max() - 0.05)  # a flat map must look flat
        panel.imshow(heat.reshape(objects.shape), vmin=low, vmax=heat.max(), cmap="cividis", interpolation="nearest")
        panel.set_title(f"{title}\n{heat.min():.2f} to {heat.max():.2f}", fontsize=8)
    for panel in axes:
        _borders(panel, objects)
        panel.add_patch(_square(query % objects.shape[1], query // objects.shape[1]))
        panel.set(xticks=[], yticks=[])
    return _png(figure, colours=128)


def _borders(panel: Any, objects: Cells) -> None:
    """A line wherever two neighbouring cells belong to different objects, or one of them to none."""
    for row, column in np.argwhere(objects[:, 1:] != objects[:, :-1]):
        panel.plot([column + 0.5] * 2, [row - 0.5, row + 0.5], color="white", lw=0.9)
    for row, column in np.argwhere(objects[1:] != objects[:-1]):
        panel.plot([column - 0.5, column + 0.5], [row + 0.5] * 2, color="white", lw=0.9)


def _scene(panel: Any, picture: Image, boxes: Boxes) -> None:
    panel.imshow(np.moveaxis(picture, 0, -1), extent=(0, 1, 1, 0), interpolation="nearest")
    for box, colour in zip(boxes, (DOT, SECOND), strict=True):
        for x in np.linspace(box[0], box[2], correspondence.SIDE + 1):
            panel.plot([x, x], [box[1], box[3]], color=colour, lw=0.6)
        for y in np.linspace(box[1], box[3], correspondence.SIDE + 1):
            panel.plot([box[0], box[2]], [y, y], color=colour, lw=0.6)
        x, y, width, height = box[0], box[1], box[2] - box[0], box[3] - box[1]
        panel.plot([x, x + width, x + width, x, x], [y, y, y + height, y + height, y], color=colour, lw=2)
    panel.set(xlim=(-0.01, 1.01), ylim=(1.01, -0.01), xticks=[], yticks=[])


def _mask(panel: Any, boxes: Boxes, state: dict[str, Any], how: dict[str, Any]) -> None:
    """Black: cells that show the same place; red: pairs of the mask that don't."""
    true = correspondence.state_at(*boxes, **{**how, "forget": False})["mask"]
    cells = len(true)
    shown = np.full((cells, cells, 3), 255, np.uint8)
    shown[state["mask"] & true] = 30
    shown[state["mask"] & ~true] = [int(BAD[k : k + 2], 16) for k in (1, 3, 5)]
    panel.imshow(shown, interpolation="nearest")
    panel.set(xticks=[], yticks=[])
    panel.set_xlabel("cells of crop 2", fontsize=8)
    panel.set_ylabel("cells of crop 1", fontsize=8)


def _centres(box: Sequence[float], flip: bool) -> Float[np.ndarray, "P 2"]:
    steps = (np.arange(correspondence.SIDE) + 0.5) / correspondence.SIDE
    x = box[0] + (box[2] - box[0]) * (1 - steps if flip else steps)
    y = box[1] + (box[3] - box[1]) * steps
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _square(column: int, row: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=BAD, lw=1.8)
