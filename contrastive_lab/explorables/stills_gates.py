"""Gates as PNG: the poster and the picture of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables import gates
from contrastive_lab.explorables.stills import DOT, _canvas, _png
from contrastive_lab.figures.palette import BAD, GOOD

Table = Float64[np.ndarray, "_ _"]


def gates_poster(vectors: Table, classes: Sequence[str]) -> bytes:
    """One pair under an open gate, under its own and under a wrong one, and both ways of training."""
    figure, axes = _canvas(11.0, 2.9, columns=4)
    shown = (("open gate", (1.0, 1.0, 1.0, 1.0)), ("gate: colour alone", (1.0, 0.0, 0.0, 0.0)), ("gate: light alone", (0.0, 0.0, 0.0, 1.0)))
    for panel, (title, gate) in zip(axes, shown, strict=False):
        state = gates.state_at(vectors, gate)
        _matrix(panel, state, classes)
        panel.set_title(f"{title}\nloss of A and B {state['loss']:.2f}", fontsize=9)
    start = gates.random_vectors()
    for gated, name, dash in ((True, "a gate for each pair", "-"), (False, "open gate", "--")):
        axes[3].plot(gates.train(start, gated=gated, steps=160)["losses"], dash, color=DOT if gated else BAD, label=name)
    axes[3].axhline(np.log(3), color="0.6", lw=0.8, ls=":")
    axes[3].set(title="mean loss over all pairs, training", xlabel="step", ylim=(0, 1.7))
    axes[3].title.set_fontsize(9)
    axes[3].text(160, np.log(3) + 0.03, "log 3", ha="right", fontsize=8)
    axes[3].legend(fontsize=8, frameon=False)
    return _png(figure, colours=96)


def gate_still(vectors: Table, gate: Float64[np.ndarray, "D"], pair: int, classes: Sequence[str]) -> bytes:
    """The gate with its coordinates sorted, and the cosines of all classes under it."""
    figure, axes = _canvas(9.0, 4.2, columns=2)
    state = gates.state_at(vectors, gate.tolist(), pair=pair)
    a, b = state["pair"]
    few = len(gate) <= 12
    order = np.arange(len(gate)) if few else np.argsort(-gate)
    axes[0].bar(range(len(gate)), gate[order], color=DOT, width=0.8 if few else 1.0)
    agreement = state["agreement"][order]
    axes[0].bar(range(len(gate)), agreement / max(np.abs(agreement).max(), 1e-12), color=np.where(agreement > 0, GOOD, BAD), width=0.35)
    axes[0].set(
        title="gate (wide, blue) and share in the pair's cosine (narrow)", xlabel="coordinate" + ("" if few else ", most open first")
    )
    axes[0].title.set_fontsize(9)
    if few:
        axes[0].set_xticks(range(len(gate)), [str(d + 1) for d in range(len(gate))])
    _matrix(axes[1], state, classes)
    axes[1].set_title(f"{classes[a]} and {classes[b]}: loss {state['loss']:.2f}, all equal {state['guess']:.2f}", fontsize=9)
    return _png(figure, colours=96)


def _matrix(panel: Any, state: dict[str, Any], classes: Sequence[str]) -> None:
    """Cosines as numbers on green (alike) or red (opposite); the pair is framed."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    cosines, count = state["cosines"], len(classes)
    panel.imshow(cosines, cmap=LinearSegmentedColormap.from_list("agree", [BAD, "white", GOOD]), vmin=-1.6, vmax=1.6)
    for i in range(count):
        for j in range(count):
            panel.text(j, i, f"{cosines[i, j]:.2f}", ha="center", va="center", fontsize=9 if count < 7 else 6)
    a, b = state["pair"]
    for i, j in ((a, b), (b, a)):
        panel.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor="0.1", lw=2))
    turn = {"rotation": 45, "ha": "right"} if max(map(len, classes)) > 3 else {}
    panel.set_xticks(range(count), classes, fontsize=8, **turn)
    panel.set_yticks(range(count), classes, fontsize=8)
