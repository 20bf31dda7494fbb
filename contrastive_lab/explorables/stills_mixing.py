"""The map of mixtures as PNG: the poster and the picture of the live tier, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from contrastive_lab.explorables import mixing
from contrastive_lab.explorables.mixing import World, on_map, state_at
from contrastive_lab.explorables.stills import DOT, GREY, _canvas, _png
from contrastive_lab.figures.palette import BAD, GOOD

PAIR, QUERY, RIM = "#9963fc", "#cf7e00", 100.0


def mixing_poster(world: World, broken: World) -> bytes:
    """The queue alone, mixtures of two, mixtures with the query, and hard negatives that are all false."""
    panels: list[tuple[str, World, dict[str, Any]]] = [
        ("the queue alone", world, {"s": 0, "s_prime": 0}),
        ("mixtures of two, α = ½", world, {"s": 8, "s_prime": 0}),
        ("mixtures with the query, β = ½", world, {"s": 0, "s_prime": 8, "beta": 0.5}),
        ("all hard negatives false", broken, {"s": 8, "s_prime": 4}),
    ]
    figure, axes = _canvas(2.45 * len(panels), 3.3, columns=len(panels))
    for panel, (title, place, how) in zip(axes, panels, strict=True):
        state = _draw(panel, place, how)
        mass = state["mass"]["pairs"] + state["mass"]["queries"]
        false = f"{state['false_push']:.0%} of the repelling weight false"
        panel.set_title(f"{title}\nmixtures {mass:.0%} of the softmax,\n{false}", fontsize=8.5)
    return _png(figure, colours=200)


def mixing_still(world: World, how: Mapping[str, Any]) -> bytes:
    """The map and the softmax weights by kind, for one setting of the sliders."""
    figure, axes = _canvas(9.0, 4.4, columns=2)
    state = _draw(axes[0], world, how)
    _bars(axes[1], state["mass"])
    return _png(figure, colours=200)


def _draw(panel: Any, world: World, how: Mapping[str, Any]) -> dict[str, Any]:
    state = state_at(world, **how)
    for angle in (30, 60, 90):
        turn = np.linspace(0, 2 * np.pi, 120)
        panel.plot(angle * np.cos(turn), angle * np.sin(turn), color="0.6" if angle == 90 else "0.85", lw=0.7, zorder=0)
        panel.text(0, angle + 1, f"{angle}°", ha="center", va="bottom", fontsize=6, color="0.4")
    queue, hard = _clip(on_map(world, world.queue)), np.isin(np.arange(len(world.queue)), state["hard"])
    gone = world.same & bool(how.get("oracle", False))
    crowd = max(0.25, min(1.0, 60 / len(queue)))
    for kind, marker, colour in ((~world.same, "o", GREY), (world.same & ~gone, "s", BAD)):
        for outlined, size, edge in ((False, 14 * crowd, 0.0), (True, 26, 0.9)):
            rows = kind & (hard == outlined)
            look = {"color": colour, "marker": marker, "s": size, "lw": edge, "edgecolors": "0.1" if outlined else colour}
            panel.scatter(*queue[rows].T, alpha=0.95 if outlined else 0.55, zorder=2 + outlined, **look)
    panel.scatter(*queue[gone].T, marker="s", s=14 * crowd, facecolors="none", edgecolors=BAD, lw=0.7, zorder=2)
    for name, marker, colour in (("pairs", "^", PAIR), ("queries", "v", QUERY)):
        panel.scatter(*on_map(world, state[name]).T, color=colour, marker=marker, s=22, edgecolors="0.2", lw=0.4, zorder=4)
    panel.scatter(*on_map(world, world.k[None]).T, color=GOOD, s=48, zorder=5, edgecolors="0.1", lw=0.6)
    panel.scatter([0], [0], color=DOT, s=48, zorder=6, edgecolors="0.1", lw=0.6)
    axes = mixing._axes(world)
    for name, colour in (("pull", GOOD), ("push", BAD)):
        end = 80 * (axes @ state[name])
        if np.linalg.norm(end) > 1.5:
            panel.annotate("", xy=end, xytext=(0, 0), zorder=7, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6})
    panel.set(xlim=(-RIM, RIM), ylim=(-RIM, RIM), aspect="equal")
    panel.axis("off")
    return state


def _bars(panel: Any, mass: Mapping[str, float]) -> None:
    colours = {"positive": GOOD, "others": GREY, "own class": BAD, "pairs": PAIR, "queries": QUERY}
    names = {
        "others": "queue, other classes",
        "own class": "queue, own class",
        "pairs": "mixtures of two",
        "queries": "mixtures with query",
    }
    for place, (name, value) in enumerate(mass.items()):
        panel.barh(-place, value, color=colours[name])
        panel.text(value + 0.01, -place, f"{value:.0%}", va="center", fontsize=9)
    panel.set(yticks=[-k for k in range(len(mass))], yticklabels=[names.get(n, n) for n in mass], xlim=(0, 1.12))
    panel.set(title="softmax weight by kind")
    for side in ("top", "right", "bottom"):
        panel.spines[side].set_visible(False)
    panel.set_xticks([])


def _clip(points: Any) -> Any:
    """What lies beyond the rim is drawn on it."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return points * np.minimum(1, (RIM - 4) / np.maximum(length, 1e-9))
