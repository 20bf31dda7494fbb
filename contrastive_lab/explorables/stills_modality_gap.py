"""The modality gap as PNG: the poster and the picture of the live tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contrastive_lab.explorables.gap_states import SHARES, GapRun
from contrastive_lab.explorables.modality_gap import state_at
from contrastive_lab.explorables.stills import _canvas, _png, _ring

ONE, OTHER, RED = "#3f99ea", "#cf7e00", "#cf0912"


def gap_poster(run: GapRun, chosen: Sequence[tuple[float, int, float]]) -> bytes:
    """Chosen states (temperature, epoch, share closed by hand) side by side."""
    figure, axes = _canvas(2.75 * len(chosen), 3.3, columns=len(chosen))
    for panel, (temperature, epoch, share) in zip(axes, chosen, strict=True):
        state = _cloud(panel, run, temperature, epoch, share)
        what = "random weights" if epoch == 0 else f"τ = {temperature:g}, epoch {epoch}" + (", closed by hand" if share == 1 else "")
        panel.set_title(f"{what}\ngap {state['gap']:.2f}, partners found {state['recall']:.0%}", fontsize=9)
    return _png(figure)


def gap_still(run: GapRun, *, temperature: float, epoch: int, share: float) -> bytes:
    """One state: the clouds, and retrieval against the share closed by hand."""
    figure, (cloud, chart) = _canvas(8.2, 3.9, columns=2)
    state = _cloud(cloud, run, temperature, epoch, share)
    t, e = run.temperatures.index(temperature), run.epochs.index(epoch)
    chart.plot(SHARES, 100 * run.sweep[t, e, 2], color=ONE, lw=1.8)
    chart.plot([share], [100 * state["recall"]], marker="o", ms=9, color=ONE)
    chart.axvline(0, color="0.75", lw=1, ls=":")
    chart.axvline(1, color="0.75", lw=1, ls=":")
    chart.set(xlabel="share of the gap closed by hand", ylabel="partners found first, %", ylim=(0, 103))
    cloud.set_title(f"gap {state['gap']:.3f} (sampling: {state['floor']:.3f})", fontsize=10)
    return _png(figure)


def gap_among(curves: Sequence[GapRun], own: Sequence[GapRun]) -> bytes:
    """Gap and retrieval after the last epoch against the temperature: `curves` as lines, `own` as large marks, noise and chance below."""
    figure, (gaps, found) = _canvas(8.6, 3.9, columns=2)
    still = SHARES.index(0.0)
    for panel, title, measured in (
        (gaps, "gap after training; grey: sampling noise", {id(run): run.numbers[:, -1, 0] for run in [*curves, *own]}),
        (found, "partners found first, %; grey: chance", {id(run): 100 * run.sweep[:, -1, 2, still] for run in [*curves, *own]}),
    ):
        for number, run in enumerate(curves):
            style = {"color": (ONE, OTHER)[number % 2], "ls": ("-", "--", ":")[number % 3]}
            panel.plot(run.temperatures, measured[id(run)], lw=1.6, marker=".", label=f"shipped: {run.title}", **style)
        for number, run in enumerate(own):
            look = {"marker": "*Ds^"[number % 4], "ms": 13 if number % 4 == 0 else 9, "ls": "none", "mec": "black", "mew": 0.6}
            panel.plot(run.temperatures, measured[id(run)], color=RED, label=run.title, zorder=5, **look)
        panel.set(xscale="log", xlabel="temperature", ylim=(0, None))
        ticks = sorted({tau for run in [*curves, *own] for tau in run.temperatures})
        panel.set_xticks(ticks, [f"{tau:g}" for tau in ticks], minor=False)
        panel.minorticks_off()
        panel.set_title(title, fontsize=10)
    count = [*own, *curves][0].count
    gaps.axhspan(0, (2 / count) ** 0.5, color="0.6", alpha=0.4)
    found.axhspan(0, 100 / count, color="0.6", alpha=0.6)
    gaps.legend(fontsize=8, frameon=False)
    return _png(figure, colours=128)


def _cloud(panel: Any, run: GapRun, temperature: float, epoch: int, share: float) -> dict[str, Any]:
    state = state_at(run, temperature=temperature, epoch=epoch, share=share)
    _ring(panel, 1.06)
    x, y = state["x"], state["y"]
    for a, b in zip(x[:40], y[:40], strict=True):
        panel.plot(*np.stack([a, b]).T, color="0.7", lw=0.6, zorder=1)
    panel.scatter(*x.T, s=10, color=ONE, zorder=2)
    panel.scatter(*y.T, s=13, facecolors="none", edgecolors=OTHER, marker="^", lw=0.9, zorder=3)
    panel.plot(*np.stack([x.mean(axis=0), y.mean(axis=0)]).T, color=RED, lw=2, zorder=4)
    return state
