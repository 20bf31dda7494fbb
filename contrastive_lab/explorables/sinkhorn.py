"""Sinkhorn step by step: a matrix of 16 images by 8 prototypes becomes codes that use all prototypes equally."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.host import Values, on_host

SHARPEST, SOFTEST = 0.01, 1.0
STEPS = 12
TEMPERATURE = 0.1
COUNT = 100
NETWORKS = {"untrained": "untrained network", "balanced": "trained by SwAV", "softmax": "trained without balance"}

PREDICTION = Question(
    text="The network trained by SwAV has seen no label. All 16 scenes choose among 8 prototypes, with epsilon at 0.05. "
    "How many scenes' worth of mass does each prototype hold after three sweeps?",
    choices=("as many as prefer it: some none, some five", "about two each", "about two each, but every scene is smeared over all eight"),
    right=1,
    answer="Sinkhorn asks for B / K = 16 / 8 = 2; three sweeps come near it, six nearer. Most scenes still keep "
    "one or two prototypes. Now look at the untrained network: there equal masses come from smearing.",
)

Matrix = Float[np.ndarray, "B K"]


def state_at(
    scores1: Matrix, scores2: Matrix, *, epsilon: float = 0.05, steps: int = 6, balance: bool = True, temperature: float = TEMPERATURE
) -> dict[str, Any]:
    """Everything the explorable shows for two views' scores (B, K).

    `steps` counts half sweeps: an odd one scales the prototypes (columns) to B / K each, an even one the images (rows) to 1; 0 is
    exp(scores / epsilon) scaled to B in all. Without `balance` the codes are the softmax of each row. `loss` is the swapped prediction
    of codes whose rows were scaled to 1; its value for scores without information is `log_k`.
    """
    _check(scores1, scores2, epsilon, steps)
    one, two = (_codes(np.asarray(s, dtype=np.float64), epsilon, steps, balance) for s in (scores1, scores2))
    count, prototypes = one.shape
    masses = one.sum(axis=0)
    rows = one / one.sum(axis=1, keepdims=True)
    return {
        "codes": one,
        "masses": masses,
        "sums": one.sum(axis=1),
        "imbalance": float(np.abs(masses * prototypes / count - 1).max()),
        "entropy": float(_entropy(rows).mean() / math.log(prototypes)),
        "used": len(set(rows.argmax(axis=1).tolist())),
        "prediction": _softmax(np.asarray(scores2, dtype=np.float64) / temperature),
        "loss": _swapped(scores1, scores2, rows, two / two.sum(axis=1, keepdims=True), temperature),
        "log_k": math.log(prototypes),
    }


@cache
def scene_numbers() -> tuple[int, ...]:
    """Numbers of the first four test scenes of each background; by background, dark before light."""
    from contrastive_lab.data import scenes

    labels = scenes.World(seed=0, split="test", two=0.0).draw(range(COUNT)).labels()
    chosen = [np.flatnonzero(labels["background"] == kind)[:4] for kind in range(4)]
    return tuple(int(n) for rows in chosen for n in sorted(rows, key=lambda n: int(labels["tone"][n])))


@cache
def table() -> Mapping[str, Any]:
    """What scripts/states/sinkhorn.py measured: scores (2, 16, 8) for each of `NETWORKS`, losses of both runs, and `about`."""
    raw = files("contrastive_lab.explorables").joinpath("states", "sinkhorn.npz").read_bytes()
    with np.load(io.BytesIO(raw)) as kept:
        return {name: json.loads(str(kept[name])) if name == "about" else kept[name].astype(np.float64) for name in kept.files}


@dataclass(frozen=True)
class Sinkhorn:
    """The explorable for the networks of the table, or for `scores` (2, B, K) of your own: two views of up to 24 images.

    `steps` is where the live version begins; the page begins before the first half sweep.
    """

    scores: Values | None = None
    epsilon: float = 0.05
    steps: int = 6
    alt: str = (
        "A matrix of 16 scenes (rows) by 8 prototypes (columns): the area of each square is the mass that a scene puts on a prototype. "
        "Bars above show the mass of each prototype beside the line B / K, bars on the right the sum of each row. Sliders set epsilon, the "
        "number of half sweeps, and the scene whose code is compared with the prediction from its other view."
    )

    def html(self, identity: str = "clab-sinkhorn") -> str:
        networks = self._networks()
        controls = slider(Slider("epsilon", "epsilon ε", math.log(SHARPEST), math.log(SOFTEST), 0.01))
        controls += slider(Slider("steps", "half sweeps", 0, STEPS, 1))
        controls += slider(Slider("image", "scene", 1, len(next(iter(networks.values()))[0]), 1))
        picks = {f"net-{name}": NETWORKS.get(name, name) for name in networks}
        choices = buttons(step="Next half sweep", reset="Start again", collapse="Break it: no Sinkhorn")
        networks_row = buttons(**picks)
        numbers = readouts(
            [
                ("prototype masses", "masses", "masses-note"),
                ("favourites of some scene", "used", "used-note"),
                ("entropy of the codes", "entropy", "entropy-note"),
                ("swapped loss", "loss", "loss-note"),
            ]
        )
        legend = (
            '<p class="small">Full bars: the code of the chosen scene, from view 1. Outlined: what view 2 predicts (softmax at τ = 0.1). '
            "Their cross-entropy is this scene's loss.</p>"
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" role="img" aria-label="masses of scenes on prototypes"></svg></div>'
            f'<div>{numbers}<svg data-part="swap" viewBox="0 0 1.3 0.62" role="img" aria-label="code and prediction of one scene"></svg>'
            f"{legend}{networks_row}</div></div>{controls}{choices}"
        )
        data = {
            "networks": {name: np.round(values, 3).tolist() for name, values in networks.items()},
            "names": {name: NETWORKS.get(name, name) for name in networks},
            "start": "balanced" if "balanced" in networks else next(iter(networks)),
            "epsilon": self.epsilon,
            "steps": 0,  # what three sweeps do is the question
            "tau": TEMPERATURE,
            "sheet": self._sheet(),
        }
        return page(identity, alt=self.alt, body=body, script="sinkhorn.js", mount="mountSinkhorn", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_sinkhorn import sinkhorn_poster

        return sinkhorn_poster(self._networks())

    def live(self) -> Any:
        """Sliders over a picture that the kernel repaints, for the table or for scores of your own."""
        from contrastive_lab.explorables.explorable import live, log_slider, whole_slider
        from contrastive_lab.explorables.stills_sinkhorn import sinkhorn_still

        one, two = self._networks()["balanced" if self.scores is None else "your own"]
        sliders = {
            "epsilon": log_slider("epsilon", self.epsilon, SHARPEST, SOFTEST),
            "steps": whole_slider("half sweeps", self.steps, 0, STEPS),
        }
        return live(lambda epsilon, steps: sinkhorn_still(one, two, epsilon, steps), self.describe, sliders)

    def describe(self, *, epsilon: float, steps: int) -> str:
        """The state in one sentence."""
        one, two = self._networks()["balanced" if self.scores is None else "your own"]
        state = state_at(one, two, epsilon=epsilon, steps=steps)
        return (
            f"ε = {epsilon:.3f}, {steps / 2:g} sweeps: prototypes hold {state['masses'].min():.2f} to {state['masses'].max():.2f}, "
            f"code entropy {state['entropy']:.2f} of ln K, loss {state['loss']:.3f} (ln K = {state['log_k']:.3f})."
        )

    def _networks(self) -> dict[str, Float64[np.ndarray, "2 B K"]]:
        if self.scores is None:
            return {name: table()[name] for name in NETWORKS}
        own = on_host(self.scores)
        if own.ndim != 3 or len(own) != 2 or own.shape[1] > 24:
            raise ValueError(f"scores has shape {own.shape}, but must be (2, B, K): two views of at most 24 images")
        return {"your own": own}

    def _sheet(self) -> str | None:
        """The scenes of the table in one column, as a data URI."""
        if self.scores is not None:
            return None
        from contrastive_lab.data import scenes
        from contrastive_lab.figures import data_uri, sheet

        pixels = scenes.load("test", count=COUNT, two=0.0).pixels.numpy()[list(scene_numbers())]
        return data_uri(sheet(pixels, columns=1))


def _codes(scores: Float64[np.ndarray, "B K"], epsilon: float, steps: int, balance: bool) -> Float64[np.ndarray, "B K"]:
    count, prototypes = scores.shape
    logs = scores / epsilon
    if not balance:
        return _softmax(logs)
    logs = logs - _logsum(logs.ravel(), 0) + math.log(count)
    for step in range(1, steps + 1):
        logs = logs - _logsum(logs, 0) + math.log(count / prototypes) if step % 2 else logs - _logsum(logs, 1)
    return np.exp(logs)


def _logsum(values: Float64[np.ndarray, "..."], axis: int) -> Float64[np.ndarray, "..."]:
    top = values.max(axis=axis, keepdims=True)
    return np.asarray(top + np.log(np.exp(values - top).sum(axis=axis, keepdims=True)))


def _softmax(values: Float64[np.ndarray, "B K"]) -> Float64[np.ndarray, "B K"]:
    return np.exp(values - _logsum(values, 1))


def _entropy(rows: Float64[np.ndarray, "B K"]) -> Float64[np.ndarray, "B"]:
    return -(rows * np.log(np.where(rows > 0, rows, 1.0))).sum(axis=1)


def _swapped(scores1: Matrix, scores2: Matrix, codes1: Matrix, codes2: Matrix, temperature: float) -> float:
    one, two = (np.asarray(s, dtype=np.float64) / temperature for s in (scores1, scores2))
    terms = codes1 * (two - _logsum(two, 1)) + codes2 * (one - _logsum(one, 1))
    return float(-terms.sum(axis=1).mean() / 2)


def _check(scores1: Matrix, scores2: Matrix, epsilon: float, steps: int) -> None:
    if scores1.ndim != 2 or scores1.shape != scores2.shape or scores1.shape[1] < 2:
        raise ValueError(f"scores have shapes {scores1.shape} and {scores2.shape}, but both must be (B, K) with at least two prototypes")
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon is {epsilon}, but must be finite and above 0")
    if steps < 0:
        raise ValueError(f"steps is {steps}, but must be 0 or more half sweeps")
