"""Stills of the spectrum and its ranks, drawn with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from contrastive_lab.explorables.collapse import dial, hill
from contrastive_lab.explorables.stills import DOT, GREY, _canvas, _png
from contrastive_lab.explorables.table import Table
from contrastive_lab.figures.palette import CLASSES

STYLES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))


def collapse_poster(kept: Table) -> bytes:
    """Spectra of all encoders, the Hill numbers of every order, and what fewer samples do to the same encoders."""
    names, size = list(kept.about["encoders"]), kept["embedding"].shape[-1]
    figure, (spectra, orders, samples) = _canvas(10.4, 3.5, columns=3)
    places = np.linspace(0, 1, 61)
    for k, name in enumerate(names):
        style: dict[str, Any] = {"color": CLASSES[k].colour, "ls": STYLES[k % len(STYLES)], "lw": 1.6}
        values = kept["embedding"][k, -1].astype(float)
        spectra.semilogy(range(1, size + 1), np.maximum(values, 1e-9), label=name, **style)
        orders.plot(places, [hill(values, dial(place)) for place in places], **style)
        counts = kept.about["counts"]
        samples.semilogx(counts, [hill(row, 2) for row in kept["embedding_by_count"][k].astype(float)], base=2, **style)
    ideal = [size / (1 + size / n) for n in kept.about["counts"]]
    samples.plot(kept.about["counts"], ideal, color="0.2", lw=0.9, label="isotropic")
    samples.annotate("isotropic:\nD/(1 + D/N)", (0.04, 0.96), xycoords="axes fraction", fontsize=8, va="top")
    spectra.set(xlabel="direction", title="variance along each direction")
    orders.set(title="how many directions? it depends on q", ylim=(0, size))
    orders.set_xticks([0, 1 / 2, 2 / 3, 1], ["q = 0", "1", "2", "∞"])
    samples.set(xlabel="samples N", title="the same encoders, fewer samples: PR")
    for panel in (spectra, orders, samples):
        panel.title.set_fontsize(9.5)
        panel.tick_params(labelsize=8)
    figure.legend(*spectra.get_legend_handles_labels(), loc="outside lower center", ncols=len(names), fontsize=7.5, frameon=False)
    return _png(figure)


def dial_still(state: Mapping[str, Any], q: float) -> bytes:
    """One spectrum with the marks of five ranks and the marker of the order q."""
    figure, axes = _canvas(6.2, 3.4)
    panel, values = axes[0], np.asarray(state["eigenvalues"])
    shown = np.maximum(values, values[0] * 1e-12)
    panel.semilogy(range(1, len(values) + 1), shown, color=DOT, marker=".", ms=4, lw=1.2)
    panel.axvline(state["hill"], color="0.15", lw=2)
    label = "∞" if math.isinf(q) else f"{q:.2f}"
    panel.set_title(f"order q = {label}: {state['hill']:.1f} of {len(values)} directions", fontsize=10)
    marks = {"q = 1": "entropy_rank", "q = 2": "participation_ratio", "q = ∞": "nesum", "√λ": "roots"}
    for row, (name, key) in enumerate(marks.items()):
        panel.axvline(state[key], color=GREY, lw=0.9, ls=STYLES[row])
        place = (state[key], 0.97 - 0.07 * row)
        panel.annotate(name, place, xycoords=("data", "axes fraction"), xytext=(3, 0), textcoords="offset points", fontsize=8, va="top")
    panel.set(xlabel="direction", ylabel="variance along it", xlim=(0, len(values) + 1))
    return _png(figure)
