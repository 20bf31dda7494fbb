"""The live picture of a run: four panels by matplotlib, readable on a light and on a dark page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.figures.palette import GOOD
from contrastive_lab.figures.theme import INK


def draw(
    embeddings: Tensor, path: Sequence[tuple[float, float, float]], colour: str, images: Images | None = None, alike: Tensor | None = None
) -> bytes:
    """A PNG of two views' `embeddings`, the `path` of (alignment, uniformity, twins found), and the rows of `alike` as thumbnails."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.4, 3.0), dpi=80, layout="constrained", facecolor="none")
    FigureCanvasAgg(figure)
    cloud, spectrum, plane, neighbours = figure.subplots(1, 4)
    _draw_cloud(cloud, embeddings, colour)
    values = torch.linalg.svdvals(embeddings[0] - embeddings[0].mean(dim=0)).square().numpy() / len(embeddings[0])
    spectrum.semilogy(range(1, len(values) + 1), values.clip(1e-8), color=colour)
    spectrum.set(xlabel="direction", title="variance along each direction", ylim=(1e-8, 1))
    align, uniform, found = zip(*path, strict=True)
    plane.plot(align, uniform, color=colour, lw=1, marker=".", ms=3)
    plane.plot(align[-1:], uniform[-1:], color=colour, marker="o", ms=9)
    plane.set(xlabel="alignment", title="uniformity against alignment", xlim=(0, 1.04 * max(1.0, *align)), ylim=(-4.1, 0.1))
    if images is not None and alike is not None:
        _draw_neighbours(neighbours, images, alike)
    else:
        neighbours.plot(found, color=colour, marker=".", ms=4)
        neighbours.set(ylim=(-0.03, 1.03), title=f"nearest is the twin: {found[-1]:.0%}", xlabel="look", xticks=[])
    for panel in (cloud, spectrum, plane, neighbours):
        _neutral(panel)
    page = io.BytesIO()
    figure.savefig(page, format="png", transparent=True)
    return page.getvalue()


def _draw_cloud(panel: Any, embeddings: Tensor, colour: str) -> None:
    """Both views on the two directions in which the first spreads most; the unit circle to scale."""
    from matplotlib.collections import LineCollection

    one, two = embeddings[:, :128]
    centre = one.mean(dim=0)
    axes = torch.linalg.svd(one - centre, full_matrices=False).Vh[:2]
    a, b = (one @ axes.T).numpy(), (two @ axes.T).numpy()
    turn = torch.linspace(0, 2 * torch.pi, 100)
    panel.plot(turn.cos().numpy(), turn.sin().numpy(), color=INK, lw=0.8)
    panel.add_collection(LineCollection(list(zip(a, b, strict=True)), colors=INK, linewidths=0.5, alpha=0.5))
    panel.scatter(*a.T, s=9, color=colour)
    panel.scatter(*b.T, s=9, facecolors="none", edgecolors=colour, lw=0.8)
    panel.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal", xticks=[], yticks=[], title="the batch, twins joined")


def _draw_neighbours(panel: Any, images: Images, alike: Tensor) -> None:
    """A row for each query, apart from its neighbours; where labels are known, a bar below those that share the query's."""
    size, gap = images.size, max(2, images.size // 10)
    for row, places in enumerate(alike.tolist()):
        for column, index in enumerate(places):
            left, top = column * (size + gap) + (gap * 2 if column else 0), row * (size + 2 * gap)
            picture = images.pixels[index].permute(1, 2, 0).numpy()
            panel.imshow(picture, extent=(left, left + size, top + size, top), interpolation="nearest")
            if column and images.labels is not None and bool(images.labels[index] == images.labels[places[0]]):
                panel.plot([left, left + size], [top + size + gap] * 2, color=GOOD, lw=2.5, solid_capstyle="butt")
    width, height = alike.shape[1] * (size + gap) + 2 * gap, len(alike) * (size + 2 * gap)
    title = "nearest neighbours" + (", bar: same class" if images.labels is not None else "")
    panel.set(xlim=(-gap, width), ylim=(height, -gap), xticks=[], yticks=[], title=title)
    for spine in panel.spines.values():
        spine.set_visible(False)


def _neutral(panel: Any) -> None:
    """Ink that reads on a light and on a dark page."""
    panel.set_facecolor("none")
    panel.title.set_color(INK)
    panel.title.set_fontsize(10)
    panel.xaxis.label.set_color(INK)
    panel.tick_params(colors=INK, which="both", labelsize=8)
    for spine in panel.spines.values():
        spine.set_color(INK)
