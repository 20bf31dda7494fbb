"""Stills of the circle at several temperatures, drawn with matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from contrastive_lab.explorables.stills import _canvas, _png, _ring
from contrastive_lab.explorables.table import Table
from contrastive_lab.explorables.uniformity import angles_of, state_at
from contrastive_lab.figures.palette import CLASSES, GOOD


def uniformity_poster(kept: Table) -> bytes:
    """The circle after the last epoch at three temperatures and for alignment alone."""
    taus = kept.about["temperatures"]
    last = len(kept.about["epochs"]) - 1
    values = [state_at(*angles_of(kept, run, last), temperature=tau)["uniformity"] for run, tau in enumerate(taus)]
    best = int(np.argmin(values))
    middle = best if 0 < best < len(taus) - 1 else len(taus) // 2
    figure, axes = _canvas(10.4, 3.1, columns=4)
    for panel, run in zip(axes, (0, middle, len(taus) - 1, len(taus)), strict=True):
        _draw(panel, kept, run, last)
    return _png(figure)


def ring_still(kept: Table, run: int, epoch: int) -> bytes:
    """One circle."""
    figure, axes = _canvas(4.2, 4.4)
    _draw(axes[0], kept, run, epoch)
    return _png(figure)


def _draw(panel: Any, kept: Table, run: int, epoch: int) -> None:
    taus = kept.about["temperatures"]
    one, two = angles_of(kept, run, epoch)
    _ring(panel, 1.45)
    for a, b in zip(one, two, strict=True):
        panel.plot(np.cos([a, b]), np.sin([a, b]), color=GOOD, lw=0.4, alpha=0.6, zorder=2)
    turn = np.linspace(-np.pi, np.pi, 181)
    both = np.concatenate([one, two])
    band = 1.07 + np.minimum(0.36, 0.8 * np.exp(25 * (np.cos(turn[:, None] - both) - 1)).mean(axis=1))
    panel.fill(
        np.append(band * np.cos(turn), 1.07 * np.cos(turn[::-1])), np.append(band * np.sin(turn), 1.07 * np.sin(turn[::-1])), "#9cc9f4"
    )
    colours = [CLASSES[label % len(CLASSES)].colour for label in kept["labels"]]
    panel.scatter(np.cos(one), np.sin(one), s=9, c=colours, zorder=3)
    state = state_at(one, two, temperature=taus[run] if run < len(taus) else 0.5)
    name = f"τ = {taus[run]:g}" if run < len(taus) else "alignment only"
    panel.set_title(
        f"{name}: uniformity {state['uniformity']:.2f}\n(floor {state['floor']:.2f}, mean cosine {state['mean_cosine']:.2f})", fontsize=9
    )
