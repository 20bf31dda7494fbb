"""The leak dial as PNG: the poster and the picture of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contrastive_lab.explorables.stills import GREY, _canvas, _png

if TYPE_CHECKING:
    from contrastive_lab.explorables.separation import LeakDial


def separation_poster(shown: LeakDial, states: Sequence[tuple[int, int]]) -> bytes:
    """Common space above, salient space below, one column for each (arm, epoch), targets coloured by digit; a single state lies flat."""
    columns, flat = len(states), len(states) == 1
    figure, axes = _canvas(7.4 if flat else 2.5 * columns, 4.3 if flat else 5.6, columns=2 * columns)
    grid = figure.add_gridspec(1, 2) if flat else figure.add_gridspec(2, columns)
    for k, (arm, epoch) in enumerate(states):
        told = shown.state(arm=arm, epoch=epoch)["probes"]
        for row, space in enumerate(("common", "salient")):
            panel = axes[2 * k + row]
            panel.set_subplotspec(grid[0, row] if flat else grid[row, k])
            _map(panel, shown, getattr(shown, space)[arm, epoch], shown.reach[row])
            head = f"{shown.arms[arm]}, epoch {shown.epochs[epoch]}\n" if row == 0 or flat else ""
            panel.set_title(f"{head}{space} space", fontsize=9)
            panel.set_xlabel(f"digit {told[f'digit from {space}']:.0%}, patch {told[f'texture from {space}']:.0%}", fontsize=8)
    figure.supxlabel("read by a probe; chance: digit 10%, patch 17%. Hollow: background images; colours: digits of targets", fontsize=8)
    return _png(figure, colours=96)


def _map(panel: Any, shown: LeakDial, points: Any, reach: float) -> None:
    target = shown.target == 1
    panel.axhline(0, color="0.85", lw=0.8, zorder=0)
    panel.axvline(0, color="0.85", lw=0.8, zorder=0)
    panel.scatter(*points[target].T, s=9, c=shown.digit[target], cmap="tab10", vmin=0, vmax=9, zorder=2)
    panel.scatter(*points[~target].T, s=10, facecolors="none", edgecolors=GREY, lw=0.7, zorder=3)
    panel.set(xlim=(-1.05 * reach, 1.05 * reach), ylim=(-1.05 * reach, 1.05 * reach), aspect="equal", xticks=[], yticks=[])
