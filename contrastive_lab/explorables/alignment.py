"""Can you still tell they are the same picture? Twins under stronger and stronger augmentation, and how encoders place them."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int, UInt8
from numpy.typing import NDArray

from contrastive_lab.data import Images
from contrastive_lab.explorables import pairs, table
from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.methods import Method

POWERS = (1, 2, 3)
BINS = 40
PICTURES = 24

PREDICTION = Question(
    text="Alignment is the mean squared distance between the two views of an image; 0 is best. Which encoder has the best alignment?",
    choices=("SimCLR at the end of its training", "SimCLR after one epoch", "a network that puts everything in one place"),
    right=2,
    answer="Alignment rewards collapse: a network trained by alignment alone, and nearly so an untrained one, puts everything in one "
    "place. Twins are near each other, and so are strangers: on the right the points lie on the diagonal. Alignment is necessary, means "
    "nothing alone, and is defined by the augmentation.",
)


@dataclass(frozen=True)
class Alignment:
    """The explorable for a table: `distances[strength, encoder]` hold, for every image, that to its twin and that to the nearest stranger.

    `shown` are the images whose two views `pixels[strength, view]` can be shown.
    """

    encoders: tuple[str, ...]
    distances: Float64[np.ndarray, "S E 2 N"]
    shown: Int[np.ndarray, "S T"]
    pixels: UInt8[np.ndarray, "S 2 T 3 H W"]
    encoder: int | None = None
    strength: int = 2
    question: Question | None = PREDICTION
    alt: str = (
        "Left, six pairs of views of one image each, joined by lines as long as their distance on the sphere. Middle, a histogram of the "
        "distances of all pairs with their mean and the root of the alignment. Right, for every image, the cosine with its twin against "
        "that with the nearest stranger, with the diagonal: below it the twin is found. Sliders set the strength of the augmentation, the "
        "encoder and the power of the distance."
    )

    @classmethod
    def shipped(cls) -> Alignment:
        """The encoders of scripts/states/alignment.py."""
        kept = table.read("alignment")
        names = tuple(kept.about["encoders"])
        last = max(n for n, name in enumerate(names) if name.startswith("SimCLR"))
        return cls(names, table.restore(kept["distances"], 0, 2), kept["shown"].astype(np.int64), kept["pixels"], last)

    @classmethod
    def of(cls, methods: Method | Mapping[str, Method], images: Images, *, count: int = 300) -> Alignment:
        """The same for encoders of your own on the first `count` of your images, beside the raw pixels and fresh weights."""
        from contrastive_lab.explorables.cells import untrained

        chosen = {"your network": methods} if isinstance(methods, Method) else dict(methods)
        if not chosen:
            raise ValueError("methods is empty; give one method, or several by name")
        if len(images) < 2:
            raise ValueError(f"images has {len(images)} images, but a stranger needs at least 2")
        images = images.take(slice(0, count)).to("cpu")
        fresh = untrained(next(iter(chosen.values())))
        embed = {"raw pixels": pairs.raw_pixels, "untrained network": pairs.embedder(fresh)}
        embed |= {name: pairs.embedder(method) for name, method in chosen.items()}
        distances, shown, pixels = [], [], []
        for strength in pairs.STRENGTHS:
            one, two = pairs.twins(images, strength)
            distances.append(np.stack([pairs.measure(each, one, two) for each in embed.values()]))
            picked = pairs.spread(distances[-1][-1, 0], PICTURES)
            shown.append(picked)
            pixels.append(np.stack([pairs.picture(view[picked], images) for view in (one, two)]))
        table_of = np.stack(distances).astype(np.float64)
        return cls(tuple(embed), table_of, np.array(shown), np.stack(pixels), encoder=len(embed) - 1, question=None)

    @property
    def start(self) -> int:
        return len(self.encoders) - 1 if self.encoder is None else self.encoder

    def state(self, *, strength: int, encoder: int, alpha: int = 2, at: float | None = None) -> dict[str, Any]:
        """`state_at` for one strength and encoder; `pairs`: the six shown images whose distances are nearest to `at`, or spread."""
        own, stranger = self.distances[strength, encoder]
        state = state_at(own, stranger, alpha=alpha)
        reach = own[self.shown[strength]]
        if at is None:
            order = np.argsort(reach, kind="stable")
            state["pairs"] = [int(n) for n in order[np.linspace(0, len(order) - 1, min(6, len(order))).round().astype(int)]]
        else:
            state["pairs"] = sorted(np.argsort(np.abs(reach - at), kind="stable")[:6].tolist(), key=lambda n: reach[n])
        return state

    def html(self, identity: str | None = None) -> str:
        identity = identity or f"clab-alignment-{zlib.crc32(self.pixels.tobytes() + repr(self.encoders).encode()):08x}"
        controls = slider(Slider("strength", "augmentation strength", 0, len(self.distances) - 1, 1))
        controls += slider(Slider("encoder", "encoder", 0, len(self.encoders) - 1, 1))
        controls += slider(Slider("alpha", "power α of the distance", POWERS[0], POWERS[-1], 1))
        choices = buttons(reset="Start again", collapse="Break it: everything in one place")
        numbers = readouts(
            [
                ("alignment", "alignment", "relation"),
                ("twins nearer than every stranger", "found", "chance"),
                ("median margin", "margin", "margin-note"),
            ]
        )
        panels = "".join(
            f'<div style="flex:1 1 240px"><svg data-part="{part}" viewBox="0 0 300 318" role="{role}" aria-label="{label}"></svg></div>'
            for part, role, label in (
                ("twins", "img", "six pairs of views"),
                ("bars", "group", "histogram of distances; a bar chooses its pairs"),
                ("dots", "img", "cosine with the twin against cosine with the nearest stranger"),
            )
        )
        body = (
            f'<p data-part="name" style="font-weight:600;margin:4px 0"></p>{numbers}<div class="panels">{panels}</div>{controls}{choices}'
        )
        strengths, _, count = self.pixels.shape[:3]
        data = {
            "encoders": list(self.encoders),
            "distances": table.pack(self.distances, 0, 2),
            "shown": self.shown.tolist(),
            "sprite": self._sprite(),
            "side": int(self.pixels.shape[-1]),
            "columns": 2 * count,
            "rows": strengths,
            "encoder": self.start,
            "strength": self.strength,
            "bins": BINS,
        }
        return page(
            identity,
            alt=self.alt,
            body=body,
            script="alignment.js",
            mount="mountAlignment",
            data=data,
            question=self.question,
            with_table=True,
        )

    def _sprite(self) -> str:
        """All views on one sheet, a row for each strength, first views before second ones; WebP, whose losses touch no number."""
        from PIL import Image

        strengths, views, count, _, height, width = self.pixels.shape
        sheet = self.pixels.transpose(0, 4, 1, 2, 5, 3).reshape(strengths * height, views * count * width, 3)
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(sheet)).save(file, format="webp", quality=70, method=6)
        return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_alignment import alignment_poster

        names = ("untrained network", "alignment only")
        chosen = [*(self.encoders.index(name) for name in names if name in self.encoders), self.start]
        return alignment_poster(self, encoders=chosen, strength=self.strength)

    def live(self) -> Any:
        """Sliders over a picture that the kernel repaints, for encoders of your own."""
        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_alignment import alignment_poster

        sliders = {
            "strength": whole_slider("strength", self.strength, 0, len(self.distances) - 1),
            "encoder": whole_slider("encoder", self.start, 0, len(self.encoders) - 1),
            "alpha": whole_slider("power of the distance", 2, POWERS[0], POWERS[-1]),
        }
        return live(lambda strength, encoder, alpha: alignment_poster(self, encoders=[encoder], strength=strength), self.describe, sliders)

    def describe(self, *, strength: int, encoder: int, alpha: int) -> str:
        """The state in one sentence."""
        state = self.state(strength=strength, encoder=encoder, alpha=alpha)
        return (
            f"{self.encoders[encoder]} at strength {strength}: alignment (α = {alpha}) {state['alignment']:.4f}, mean distance "
            f"{state['mean']:.3f}; {state['found']:.0%} of {state['count']} images find their twin."
        )


def state_at(own: NDArray[Any], stranger: NDArray[Any], *, alpha: int = 2) -> dict[str, Any]:
    """Everything shown about N pairs whose distances on the unit sphere to twin and nearest stranger are given.

    alignment: mean of own ** alpha. mean: mean distance; root: alignment ** (1 / alpha). margin: cosine with the twin less that with the
    stranger, one for each image, `found` the share above 0. `bars`: how many distances fall in each of 40 equal parts of 0 ... 2.
    """
    if alpha not in POWERS:
        raise ValueError(f"alpha is {alpha!r}, but must be one of {', '.join(map(str, POWERS))}")
    own, stranger = (np.asarray(values, dtype=np.float64) for values in (own, stranger))
    if own.shape != stranger.shape or own.ndim != 1 or not len(own):
        raise ValueError(f"own has shape {own.shape} and stranger {stranger.shape}, but both must list one distance for each image")
    x, y = 1 - own**2 / 2, 1 - stranger**2 / 2
    value = float((own**alpha).mean())
    return {
        "alignment": value,
        "mean": float(own.mean()),
        "root": value ** (1 / alpha),
        "cosine": x,
        "rival": y,
        "margin": x - y,
        # Distances, not cosines, decide: they keep their digits when everything lies in one place.
        "found": float((own < stranger).mean()),
        "bars": np.histogram(own, bins=BINS, range=(0, 2))[0],
        "count": len(own),
    }
