"""Vital signs as a PNG: a column for each run, a row for each sign, the same axes everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contrastive_lab.diagnosis import SIGNS, Sign
from contrastive_lab.explorables.stills import _png
from contrastive_lab.figures import look

if TYPE_CHECKING:
    from contrastive_lab.explorables.vitals import Strip

LAMPS = {"good": ("o", "#127536"), "watch": ("^", "#cf7e00"), "ill": ("s", "#cf0912")}


def vitals_still(strips: Sequence[Strip], epoch: int) -> bytes:
    """The strips with a cursor at `epoch`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    signs = [sign for sign in SIGNS if any(value is not None for strip in strips for value in strip.values[sign.key])]
    width = 1.3 + max(1.15 * len(strips), 2.3)
    figure = Figure(figsize=(width, 0.5 + 0.66 * len(signs)), dpi=85, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(signs), len(strips), squeeze=False, sharex=True, sharey="row")
    for line, sign in zip(panels, signs, strict=True):
        for panel, strip in zip(line, strips, strict=True):
            _draw(panel, sign, strip, epoch)
        line[0].set_ylabel(sign.title, fontsize=8, rotation=0, ha="right", va="center")
    for panel, strip in zip(panels[0], strips, strict=True):
        panel.set_title(strip.label.replace(" ", "\n"), fontsize=8, pad=13, color=look(strip.label).colour)
    return _png(figure, colours=128)


def _draw(panel: Any, sign: Sign, strip: Strip, epoch: int) -> None:
    known = [(e, v) for e, v in zip(strip.epochs, strip.values[sign.key], strict=True) if v is not None]
    panel.set(ylim=(sign.low - 0.06 * (sign.high - sign.low), sign.high), xticks=[], yticks=[sign.low, sign.high])
    panel.tick_params(labelsize=6, length=2)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    if not known:
        panel.text(0.5, 0.5, "–", transform=panel.transAxes, ha="center", va="center", fontsize=8, color="0.5")
        return
    if sign.ideal is not None:
        panel.axhline(sign.ideal, color="0.6", lw=0.7, ls=(0, (3, 3)))
    panel.plot(*zip(*known, strict=True), color=look(strip.label).colour, lw=1.4)
    place = max((i for i, e in enumerate(strip.epochs) if e <= epoch), default=0)
    value, light = strip.values[sign.key][place], strip.lights[sign.key][place]
    if value is None:
        return
    # Above the curves, not on them.
    panel.annotate(
        f"{value:.{sign.digits}f}{sign.unit}", (0.86, 1.0), xycoords="axes fraction", ha="right", va="bottom", fontsize=6.5, color="0.25"
    )
    if light in LAMPS:
        marker, colour = LAMPS[light]
        panel.plot([0.94], [1.11], marker=marker, color=colour, ms=5, transform=panel.transAxes, clip_on=False)
