"""The geometry of a run while it trains: one picture, repainted in place, at a twentieth of the run's time."""

from __future__ import annotations

import io
import time
from typing import Any

import torch
from torch import Tensor

from contrastive_lab.figures.palette import look
from contrastive_lab.figures.theme import INK
from contrastive_lab.training import Moment

SHARE = 0.05


class Live:
    """An observer that shows the last batch on its two strongest directions, its spectrum, and the way in the plane of the two forces.

    A picture is drawn only when the time since the last one is 20 times what drawing took. Without Jupyter it draws nothing until
    `png()` is asked. `alt` says what it shows.
    """

    alt = (
        "Three panels of the training batch: its embeddings on their two strongest directions with twins joined, the spectrum of the "
        "embeddings, and the path of the batch in the plane of alignment and uniformity."
    )

    def __init__(self, name: str = "simclr") -> None:
        self.colour = look(name).colour
        self.path: list[tuple[float, float]] = []
        self.cost, self.drawn_at = 0.0, -1e9
        self.widget: Any = None
        self.embeddings: Tensor | None = None

    def __call__(self, moment: Moment) -> None:
        if moment.step is None:
            self._open()
            return
        last = moment.progress.step == moment.progress.steps
        if last or time.monotonic() - self.drawn_at > self.cost / SHARE:
            self._look(moment.step.embeddings)
            if self.widget is not None:
                self.widget.value = self.png()

    def png(self) -> bytes:
        """The current picture."""
        if self.embeddings is None:
            raise ValueError("nothing was seen yet; pass this object to train among the observers first")
        began = time.monotonic()
        picture = _draw(self.embeddings, self.path, self.colour)
        self.drawn_at = time.monotonic()
        self.cost = self.drawn_at - began
        return picture

    def _look(self, embeddings: Tensor) -> None:
        from contrastive_lab.methods import alignment_loss, uniformity_loss

        self.embeddings = embeddings[:2, :256].float().cpu()
        one, two = self.embeddings
        self.path.append((float(alignment_loss(one, two)), float(uniformity_loss(one) + uniformity_loss(two)) / 2))

    def _open(self) -> None:
        if self.widget is not None or not _in_notebook():
            return
        try:
            import ipywidgets as widgets
        except ImportError:
            print("live picture: ipywidgets is not installed, so the picture comes after training")
            return
        from IPython.display import display  # type: ignore[attr-defined,unused-ignore]

        self.widget = widgets.Image(format="png", value=BLANK, layout=widgets.Layout(max_width="100%"))
        display(self.widget)  # type: ignore[no-untyped-call,unused-ignore]


BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
"""A transparent picture of one pixel, until the first batch was seen."""


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        return False
    shell = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    return shell is not None and getattr(shell, "kernel", None) is not None


def _draw(embeddings: Tensor, path: list[tuple[float, float]], colour: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.1), dpi=80, layout="constrained", facecolor="none")
    FigureCanvasAgg(figure)
    cloud, spectrum, plane = figure.subplots(1, 3)
    _draw_cloud(cloud, embeddings, colour)
    values = torch.linalg.svdvals(embeddings[0] - embeddings[0].mean(dim=0)).square().numpy() / len(embeddings[0])
    spectrum.semilogy(range(1, len(values) + 1), values.clip(1e-8), color=colour)
    spectrum.set(xlabel="direction", title="variance along each direction", ylim=(1e-8, 1))
    align, uniform = zip(*path, strict=True)
    plane.plot(align, uniform, color=colour, lw=1, marker=".", ms=3)
    plane.plot(align[-1:], uniform[-1:], color=colour, marker="o", ms=9)
    plane.set(xlabel="alignment", title="uniformity against alignment", xlim=(0, max(1.0, *align)), ylim=(-4.1, 0.1))
    for panel in (cloud, spectrum, plane):
        _neutral(panel)
    page = io.BytesIO()
    figure.savefig(page, format="png", transparent=True)
    return page.getvalue()


def _draw_cloud(panel: Any, embeddings: Tensor, colour: str) -> None:
    """Both views on the two directions in which the first spreads most; the unit circle to scale."""
    one, two = embeddings[:, :128]
    centre = one.mean(dim=0)
    axes = torch.linalg.svd(one - centre, full_matrices=False).Vh[:2]
    a, b = (one @ axes.T).numpy(), (two @ axes.T).numpy()
    turn = torch.linspace(0, 2 * torch.pi, 100)
    panel.plot(turn.cos().numpy(), turn.sin().numpy(), color=INK, lw=0.8)
    for p, q in zip(a, b, strict=True):
        panel.plot(*zip(p, q, strict=True), color=INK, lw=0.5, alpha=0.5)
    panel.scatter(*a.T, s=9, color=colour)
    panel.scatter(*b.T, s=9, facecolors="none", edgecolors=colour, lw=0.8)
    panel.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal", xticks=[], yticks=[], title="the batch, twins joined")


def _neutral(panel: Any) -> None:
    """Ink that reads on a light and on a dark page."""
    panel.set_facecolor("none")
    panel.title.set_color(INK)
    panel.title.set_fontsize(10)
    panel.xaxis.label.set_color(INK)
    panel.tick_params(colors=INK, which="both", labelsize=8)
    for spine in panel.spines.values():
        spine.set_color(INK)
