"""The NPC multiplier: what is left of InfoNCE's gradient in a batch of this size, at this temperature, with positives this easy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables import table
from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.host import on_host

LOWEST, HIGHEST = 0.05, 1.0
ASLEEP = 0.1
"""An anchor whose q is below this learns next to nothing from its batch."""
MOST = 512
Pair = Float64[np.ndarray, "2 N D"]

PREDICTION = Question(
    text="An anchor has one positive and 2N - 2 negatives. In which batch does InfoNCE give it the smallest gradient?",
    choices=("a large batch, easy positive", "a small batch, hard positive", "a small batch, easy positive"),
    right=2,
    answer="All of its gradient is multiplied by q, the negatives' share of the softmax. Few negatives and a near twin make that share "
    "small. Make the batch smaller, then the positives easier, and watch the dots fall.",
)


def state_at(pair: Pair, *, batch: int, temperature: float = 0.1, ease: float = 0.0) -> dict[str, Any]:
    """q of all anchors when the images are cut, in their order, into batches of `batch`.

    `pair` holds unit vectors of two views. `ease` moves each positive's cosine from its own value (0) to 1, as a milder augmentation
    would (1: both views alike); negatives stay. `gap` is InfoNCE minus DCL, the mean of -log q; `asleep` the share of anchors below 0.1.
    """
    _check(pair, batch, temperature, ease)
    positive, near = _potentials(pair, temperature)
    eased = positive + ease * (1 - positive)
    easy, q = np.exp((eased - 1) / temperature), np.empty(len(positive))
    count = pair.shape[1]
    for start in range(0, count, batch):
        rows = np.concatenate([np.arange(start, start + batch), count + np.arange(start, start + batch)])
        negatives = near[np.ix_(rows, rows)].sum(axis=1)
        q[rows] = negatives / (easy[rows] + negatives)
    return {
        "q": q,
        "positive": eased,
        "mean": float(q.mean()),
        "low": float(np.quantile(q, 0.1)),
        "high": float(np.quantile(q, 0.9)),
        "asleep": float((q < ASLEEP).mean()),
        "gap": float(-np.log(q).mean()),
    }


def batches(count: int) -> list[int]:
    """2, 4, 8, ... up to `count` images."""
    return [2**power for power in range(1, int(math.log2(count)) + 1)]


def unit_pair(z1: Any, z2: Any) -> Pair:
    """Two views as unit vectors: the first 2^k images, at most 512."""
    pair = np.stack([on_host(z) for z in (z1, z2)])
    if pair.ndim != 3 or pair.shape[1] < 2:
        raise ValueError(f"views have shape {pair.shape[1:]}, but must be (N, D) with at least 2 images")
    pair = pair[:, : batches(min(pair.shape[1], MOST))[-1]]
    return pair / np.linalg.norm(pair, axis=-1, keepdims=True)


def shipped() -> dict[str, Pair]:
    """The encoder of scripts/states/npc.py before, during and after training."""
    kept = table.read("npc")
    views = table.restore(kept["embeddings"], -1, 1)
    names = ["untrained" if epoch == 0 else f"epoch {epoch}" for epoch in kept["epochs"].tolist()]
    return {name: unit_pair(*pair) for name, pair in zip(names, views, strict=True)}


@dataclass(frozen=True)
class Npc:
    """The explorable over named encoders, each a pair of views; `Npc({"mine": (z1, z2)})` shows embeddings of your own."""

    encoders: Mapping[str, Any] = field(default_factory=shipped)
    batch: int = 32
    temperature: float = 0.1
    alt: str = (
        "Left: a dot for each anchor, its positive's cosine across and its multiplier q upwards, with a histogram of q on the right edge "
        "and DCL's line at 1. Right: the mean of q against the batch size, with a band for the middle 80 percent of the anchors. Sliders "
        "set batch size, temperature, how easy the positives are, and the encoder's epoch."
    )

    @property
    def pairs(self) -> dict[str, Pair]:
        return {name: unit_pair(*pair) for name, pair in self.encoders.items()}

    def html(self, identity: str = "clab-npc") -> str:
        pairs = self.pairs
        sizes = batches(next(iter(pairs.values())).shape[1])
        controls = slider(Slider("batch", "batch size N", 0, len(sizes) - 1, 1))
        controls += slider(Slider("tau", "temperature τ", round(math.log(LOWEST), 4), round(math.log(HIGHEST), 4), 0.01))
        controls += slider(Slider("ease", "positives made easier", 0, 100, 1))
        controls += slider(Slider("stage", "encoder", 0, len(pairs) - 1, 1))
        choices = buttons(reset="Start again", large="The largest batch", collapse="Break it: two images, identical views")
        numbers = readouts(
            [
                ("mean of q", "mean", "share"),
                ("anchors with q below 0.1", "asleep", "asleep-note"),
                ("InfoNCE minus DCL", "gap", "gap-note"),
                ("learning rate that makes up for q", "rate", "rate-note"),
            ]
        )
        body = (
            '<div class="panels"><svg data-part="stage-picture" viewBox="0 0 4.2 3.1" role="img" aria-label="q of each anchor"></svg>'
            '<svg data-part="curve" viewBox="0 0 4.2 3.1" role="img" aria-label="mean of q against the batch size"></svg></div>'
            f'{numbers}{controls}{choices}<p class="small">{self._source()}</p>'
        )
        data = {
            "stages": [{"name": name, "views": table.pack(pair, -1, 1, dtype="uint8")} for name, pair in pairs.items()],
            "sizes": sizes,
            "batch": sizes.index(self._fitting(self.batch)),
            "stage": len(pairs) - 1,
            "temperature": self.temperature,
        }
        return page(identity, alt=self.alt, body=body, script="npc.js", mount="mountNpc", data=data, question=PREDICTION, with_table=True)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_npc import npc_poster

        return npc_poster(list(self.pairs.values())[-1], [self._fitting(n) for n in (8, 64, 512)], (0.05, 0.1, 0.2, 0.5))

    def live(self) -> Any:
        """The same sliders over a picture that the kernel repaints; for an encoder of your own."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live, log_slider
        from contrastive_lab.explorables.stills_npc import npc_still

        pairs = self.pairs
        sizes = batches(next(iter(pairs.values())).shape[1])
        wide = {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px")}
        sliders = {
            "batch": widgets.SelectionSlider(options=sizes, value=self._fitting(self.batch), description="batch size", **wide),
            "temperature": log_slider("temperature", self.temperature, LOWEST, HIGHEST),
            "ease": widgets.FloatSlider(value=0.0, min=0.0, max=1.0, step=0.05, description="easier positives", **wide),
            "encoder": widgets.Dropdown(options=list(pairs), value=list(pairs)[-1], description="encoder", **wide),
        }

        def draw(encoder: str, **state: Any) -> bytes:
            return npc_still(pairs[encoder], **state)

        return live(draw, self.describe, sliders)

    def describe(self, *, batch: int, temperature: float, ease: float = 0.0, encoder: str | None = None) -> str:
        """The state in one sentence."""
        pair = unit_pair(*self.encoders[encoder or list(self.encoders)[-1]])
        state = state_at(pair, batch=batch, temperature=temperature, ease=ease)
        return (
            f"Batches of {batch}, temperature {temperature:.2f}: InfoNCE's gradients are {state['mean']:.0%} of DCL's on average "
            f"(q from {state['low']:.2f} to {state['high']:.2f} for the middle 80 % of the anchors); "
            f"{state['asleep']:.0%} are below {ASLEEP}."
        )

    def _fitting(self, batch: int) -> int:
        """`batch`, or the largest batch that these encoders' images allow."""
        return min(batch, batches(next(iter(self.pairs.values())).shape[1])[-1])

    def _source(self) -> str:
        if set(self.encoders) != set(shipped()):
            return "Embeddings of your own."
        about = table.read("npc").about
        count = next(iter(self.pairs.values())).shape[1]
        return (
            f"Two views of {count} test images of {about['data']}, embedded in {about['dim']} dimensions by "
            f"SimCLR (τ = {about['temperature']}, {about['images']:,} training images). "
            "q is computed here, from the formula, batch by batch."
        )


def _potentials(pair: Pair, temperature: float) -> tuple[Float64[np.ndarray, "A"], Float64[np.ndarray, "A A"]]:
    """Cosine of each anchor with its twin, and exp((cosine - 1) / temperature) to every view of another image (0 to its own two)."""
    stack, count = np.concatenate(pair), pair.shape[1]
    near = np.exp((stack @ stack.T - 1) / temperature)
    rows = np.arange(2 * count)
    near[rows, rows] = near[rows, (rows + count) % (2 * count)] = 0.0
    return np.tile((pair[0] * pair[1]).sum(axis=1), 2), near


def _check(pair: Pair, batch: int, temperature: float, ease: float) -> None:
    if pair.ndim != 3 or len(pair) != 2 or pair.shape[1] < 2:
        raise ValueError(f"pair has shape {pair.shape}, but must be (2, N, D): two views of at least 2 images")
    if batch < 2 or pair.shape[1] % batch:
        raise ValueError(f"batch is {batch}, but must be at least 2 and divide the {pair.shape[1]} images")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}, but must be finite and above 0")
    if not 0 <= ease <= 1:
        raise ValueError(f"ease is {ease}, but must lie between 0 (as measured) and 1 (both views alike)")
