"""The geometry of a run while it trains: one picture, repainted in place, at a twentieth of the run's time."""

from __future__ import annotations

import base64
import html
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.figures.palette import look
from contrastive_lab.lab.kernel import in_notebook
from contrastive_lab.training import Moment
from contrastive_lab.training import folder as disk

SHARE = 0.04
PICTURE = "live picture"
"""Under this name the last picture of a notebook lies among the tensors that a run keeps."""


class Live:
    """An observer that shows embeddings, spectrum, the way in the plane of the two forces, and neighbours.

    The first three are those of the last batch. Given `images`, the fourth panel shows some of them with those that the network now finds
    most alike; without, how often a view's nearest one in the batch is its twin. In Jupyter the picture is repainted in place; with a
    `folder` it is written there as live.png and live.html, a page that reloads itself; otherwise it waits for `png()`.

    A look is taken only when the time since the last one is 20 times what that cost, and at the end. `spent` adds the costs up;
    `first_cost` is that of the first look, which loads the drawing library.
    """

    alt = (
        "Four panels: the embeddings of the training batch on their two strongest directions with twins joined, their spectrum, the path "
        "of the batch in the plane of alignment and uniformity, and neighbours: images with those found most alike, or the share of twins "
        "found."
    )

    def __init__(self, name: str = "simclr", images: Images | None = None, *, folder: str | Path | None = None) -> None:
        self.name, self.colour = name, look(name).colour
        self.images = None if images is None else images.take(slice(0, 200)).to("cpu")
        self.folder = None if folder is None else Path(folder)
        self.path: list[tuple[float, float, float]] = []
        self.cost, self.spent, self.seen_at, self.drawn = 0.0, 0.0, -1e9, 0
        self.first_cost = 0.0
        self.widget: Any = None
        self.embeddings: Tensor | None = None
        self.alike: Tensor | None = None

    def __call__(self, moment: Moment) -> dict[str, Tensor] | None:
        if moment.step is None:
            self._open()
            return None
        last = moment.progress.step == moment.progress.steps
        began = time.monotonic()
        if last or (began - self.seen_at) * SHARE > self.cost:
            self._look(moment)
            self._show(moment, last=last)
            self.seen_at = time.monotonic()
            self.cost = self.seen_at - began
            self.first_cost = self.first_cost or self.cost
            self.spent += self.cost
        if last and self.widget is not None:
            return {PICTURE: torch.frombuffer(bytearray(self.widget.value), dtype=torch.uint8)}
        return None

    def png(self) -> bytes:
        """The current picture."""
        from contrastive_lab.lab.live_picture import draw

        if self.embeddings is None:
            raise ValueError("nothing was seen yet; pass this object to train among the observers first")
        return draw(self.embeddings, self.path, self.colour, self.images, self.alike)

    def _look(self, moment: Moment) -> None:
        from contrastive_lab.methods import alignment_loss, uniformity_loss

        assert moment.step is not None
        self.embeddings = moment.step.embeddings[:2, :256].float().cpu()
        one, two = self.embeddings
        spread = float(uniformity_loss(one) + uniformity_loss(two)) / 2
        found = float(((one @ two.T).argmax(dim=1) == torch.arange(len(one))).float().mean())
        self.path.append((float(alignment_loss(one, two)), spread, found))
        if self.images is not None:
            self.alike = _neighbours(moment, self.images)

    def _show(self, moment: Moment, *, last: bool) -> None:
        if self.widget is None and self.folder is None:
            return
        picture = self.png()
        self.drawn += 1
        if self.widget is not None:
            self.widget.value = picture
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            page = self._page(picture, moment, last=last).encode("utf-8")
            disk.write_whole(self.folder / "live.png", lambda file: file.write(picture))
            disk.write_whole(self.folder / "live.html", lambda file: file.write(page))

    def _page(self, picture: bytes, moment: Moment, *, last: bool) -> str:
        """One file that reloads itself until the run has ended; the picture is inside."""
        align, uniform, found = self.path[-1]
        at = f"{self.name}, step {moment.progress.step:,} of {moment.progress.steps:,}, epoch {moment.progress.epoch:.1f}"
        words = f"{at}. Alignment {align:.3f}, uniformity {uniform:.3f}, twins found in the batch {found:.0%}."
        again = "" if last else '<meta http-equiv="refresh" content="2">'
        source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">{again}<title>{html.escape(at)}</title>'
            "<style>:root{color-scheme:light dark}body{font:15px system-ui,sans-serif;margin:24px}img{max-width:100%}</style></head>"
            f'<body><p>{html.escape(words)}</p><img src="{source}" alt="{html.escape(self.alt)}"></body></html>'
        )

    def _open(self) -> None:
        if self.widget is not None or not in_notebook():
            return
        try:
            import ipywidgets as widgets
        except ImportError:
            print("live picture: ipywidgets is not installed, so the picture comes after training")
            return
        from IPython.display import display  # type: ignore[attr-defined,unused-ignore]

        self.widget = widgets.Image(format="png", value=BLANK, layout=widgets.Layout(max_width="100%"))
        display(self.widget)  # type: ignore[no-untyped-call,unused-ignore]


def last_picture(folder: Path) -> bytes | None:
    """The picture with which a run in this folder ended, where it was trained in a notebook under the eyes of `Live`."""
    frames = sorted((folder / disk.SNAPSHOTS).glob("*.safetensors"))
    kept = disk.read_tensors(frames[-1]).get(PICTURE) if frames else None
    return None if kept is None else kept.numpy().tobytes()


def _neighbours(moment: Moment, images: Images, queries: int = 5, count: int = 5) -> Tensor:
    """(queries, 1 + count): some images, and for each the others whose embeddings are nearest."""
    from contrastive_lab.training.observe import at_rest, embed

    with at_rest(moment.method):
        cloud = embed(moment.method, images).float().cpu()
    asked = torch.linspace(0, len(images) - 1, min(queries, len(images))).long()
    likeness = cloud[asked] @ cloud.T
    likeness[torch.arange(len(asked)), asked] = -2
    return torch.cat([asked[:, None], likeness.topk(min(count, len(images) - 1), dim=1).indices], dim=1)


BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
"""A transparent picture of one pixel, until the first batch was seen."""
