"""The NPC multiplier as PNG: the poster and the picture of the live tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from contrastive_lab.explorables.npc import Pair, batches, state_at
from contrastive_lab.explorables.stills import DOT, _canvas, _png
from contrastive_lab.figures.palette import LOOKS

DCL = LOOKS["dcl"].colour
DASHES = ("-", "--", "-.", ":")


def npc_poster(pair: Pair, sizes: Sequence[int], temperatures: Sequence[float]) -> bytes:
    """Histograms of q for some batch sizes, and its mean against the batch size for some temperatures."""
    figure, axes = _canvas(2.7 * (len(sizes) + 1), 2.9, columns=len(sizes) + 1)
    for panel, size in zip(axes[:-1], sizes, strict=True):
        _histogram(panel, state_at(pair, batch=size, temperature=0.1), f"N = {size}, τ = 0.1")
    axes[0].set_ylabel("share of the anchors")
    known = batches(pair.shape[1])
    for tau, dash in zip(temperatures, DASHES, strict=True):
        means = [state_at(pair, batch=size, temperature=tau)["mean"] for size in known]
        axes[-1].plot(known, means, ls=dash, color=DOT, label=f"τ = {tau:g}")
    _against_size(axes[-1], known)
    return _png(figure)


def npc_still(pair: Pair, *, batch: int, temperature: float, ease: float) -> bytes:
    """One state: each anchor's q against its positive, the histogram, and the mean against the batch size."""
    figure, (dots, bars, curve) = _canvas(9.6, 3.3, columns=3)
    state = state_at(pair, batch=batch, temperature=temperature, ease=ease)
    dots.scatter(state["positive"], state["q"], s=6, color=DOT, alpha=0.6)
    dots.axhline(1, color=DCL, ls="--", lw=1.4)
    dots.set(xlabel="cosine with the positive", ylabel="q", ylim=(-0.03, 1.06), xlim=(min(-0.05, state["positive"].min()), 1.05))
    _histogram(bars, state, f"N = {batch}, τ = {temperature:.2f}")
    known = batches(pair.shape[1])
    several = [state_at(pair, batch=size, temperature=temperature, ease=ease) for size in known]
    curve.fill_between(known, [s["low"] for s in several], [s["high"] for s in several], color=DOT, alpha=0.2, lw=0)
    curve.plot(known, [s["mean"] for s in several], color=DOT, label="InfoNCE")
    curve.plot([batch], [state["mean"]], "o", color=DOT, ms=8)
    _against_size(curve, known)
    return _png(figure)


def _histogram(panel: Any, state: dict[str, Any], title: str) -> None:
    heights, edges = np.histogram(state["q"], bins=20, range=(0, 1))
    panel.bar(edges[:-1], heights / len(state["q"]), width=0.046, align="edge", color=DOT)
    panel.axvline(1, color=DCL, ls="--", lw=1.4)
    panel.axvline(state["mean"], color="0.15", lw=1.2)
    panel.set(xlim=(-0.02, 1.05), ylim=(0, 1), xlabel="q")
    panel.set_title(f"{title}\nmean q {state['mean']:.2f}, below 0.1: {state['asleep']:.0%}", fontsize=9)


def _against_size(panel: Any, sizes: Sequence[int]) -> None:
    panel.axhline(1, color=DCL, ls="--", lw=1.4, label="DCL")
    panel.set_xscale("log", base=2)
    panel.set(xlabel="batch size N", ylim=(0, 1.06), xticks=sizes[::2], xticklabels=[str(size) for size in sizes[::2]])
    panel.set_title("mean of q: what is left of the gradient", fontsize=9)
    panel.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
