"""Sinkhorn's matrix as PNG: the poster and the picture of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from contrastive_lab.explorables import sinkhorn
from contrastive_lab.explorables.stills import DOT, _canvas, _png
from contrastive_lab.figures.palette import BAD

Matrix = Float[np.ndarray, "B K"]


def sinkhorn_poster(networks: Mapping[str, Float[np.ndarray, "2 B K"]]) -> bytes:
    """The trained network before Sinkhorn, after one half sweep and after three sweeps, then what happens without balance."""
    trained, broken = (networks[name] if name in networks else next(iter(networks.values())) for name in ("balanced", "softmax"))
    panels: list[tuple[str, Any, dict[str, Any]]] = [
        ("softmax of each row", trained, {"balance": False}),
        ("prototypes scaled", trained, {"steps": 1}),
        ("after 3 sweeps", trained, {"steps": 6}),
        ("trained without balance", broken, {"balance": False}),
    ]
    figure, axes = _canvas(2.6 * len(panels), 5.0, columns=len(panels))
    for panel, (title, scores, how) in zip(axes, panels, strict=True):
        state = sinkhorn.state_at(*scores, **how)
        _draw(panel, state)
        panel.set_title(f"{title}\nloss {state['loss']:.2f}, ln K {state['log_k']:.2f}", fontsize=9)
    return _png(figure)


def sinkhorn_still(scores1: Matrix, scores2: Matrix, epsilon: float, steps: int) -> bytes:
    """One matrix with its masses above."""
    figure, axes = _canvas(3.6, 4.8)
    _draw(axes[0], sinkhorn.state_at(scores1, scores2, epsilon=epsilon, steps=steps))
    return _png(figure)


def _draw(panel: Any, state: Mapping[str, Any]) -> None:
    """Squares as large as the masses; above, the mass of each prototype beside the dashed line B / K."""
    codes, masses = state["codes"], state["masses"]
    count, prototypes = codes.shape
    largest, even, tall, base = max(1.0, codes.max()), count / prototypes, count / 12, 0.07 * count
    for b in range(count + 1):
        panel.plot([0, prototypes], [b, b], color="0.88", lw=0.5, zorder=1)
    for (b, k), mass in np.ndenumerate(codes):
        side = 0.94 * np.sqrt(mass / largest)
        panel.add_patch(_box(k + 0.5 - side / 2, b + 0.5 - side / 2, side, side, DOT))
    for k, mass in enumerate(masses):
        height = tall * min(mass / even, 3)
        panel.add_patch(_box(k + 0.18, -base - height, 0.64, height, BAD if abs(mass / even - 1) > 0.5 else DOT))
        panel.annotate(f"{mass:.1f}" if mass >= 0.05 else "0", (k + 0.5, -0.2), ha="center", va="bottom", fontsize=6.5, color="0.25")
    panel.plot([-0.1, prototypes + 0.1], [-base - tall] * 2, color="0.3", ls="--", lw=0.9)
    panel.set(xlim=(-0.3, prototypes + 0.3), ylim=(count + 0.2, -base - 3.2 * tall), aspect="equal", xticks=[], yticks=[])
    panel.set_xlabel(f"{prototypes} prototypes", fontsize=8)
    panel.set_ylabel(f"{count} images", fontsize=8)
    for spine in panel.spines.values():
        spine.set_visible(False)


def _box(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, lw=0, zorder=2)
