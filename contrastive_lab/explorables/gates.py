"""Arbitrary pairs and gates, small enough to see: four classes, four coordinates, one gate for each pair of classes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.host import Values, on_host

Table = Float64[np.ndarray, "_ _"]

TEMPERATURE = 0.5
CLASSES = ("A", "B", "C", "D")
COORDINATES = ("colour", "shape", "size", "light")
VECTORS = ((1.0, 1.0, 1.0, 0.6), (1.0, -1.0, -1.0, 0.6), (-1.0, 1.0, -1.0, 0.6), (-1.0, -1.0, 1.0, 0.6))
"""A red big circle, a red small square, a blue small circle, a blue big square; the light falls on all from the same side."""
BEST = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 1, 0), (0, 1, 0, 0), (1, 0, 0, 0))
"""For each pair the one coordinate in which its two classes agree and differ from the other two."""

PREDICTION = Question(
    text="Each of four classes shall find every other class more similar than the remaining two, each in its turn. All similarities are "
    "plain cosines, there is no gate. What does training lead to?",
    choices=("each pair takes two classes together", "all similarities become equal", "the loss falls to zero"),
    right=1,
    answer="A must prefer B to C and D, then C to B and D, then D to B and C. The wishes contradict one another, and the best "
    "compromise is that all three are equally near: the loss stops at log 3. A gate for each pair lets A agree with B in colour, "
    "with C in shape, with D in size.",
)


def pairs_of(count: int) -> list[tuple[int, int]]:
    """All pairs of different classes, in the order of the pair slider."""
    return list(itertools.combinations(range(count), 2))


def state_at(vectors: Values, gate: Values, *, pair: int = 0, temperature: float | int = TEMPERATURE) -> dict[str, Any]:
    """Cosines of all classes under one pair's gate, and what the pair's loss is.

    `loss` is the mean of both directions: each class of the pair must prefer the other to all third classes. `guess` is its value when
    all are equally similar, `floor` when the pair agrees fully and everything else is opposite. `agreement` are the parts of the pair's
    cosine that each coordinate contributes.
    """
    x = _table(vectors)
    g = on_host(gate)
    _check(x, g, pair, temperature)
    a, b = pairs_of(len(x))[pair]
    filtered = _unit(g * x)
    cosines = filtered @ filtered.T
    others = [c for c in range(len(x)) if c not in (a, b)]
    forth, back = (np.logaddexp.reduce(np.append((cosines[i, others] - cosines[a, b]) / temperature, 0.0)) for i in (a, b))
    return {
        "pair": (a, b),
        "cosines": cosines,
        "loss": float(forth + back) / 2,
        "guess": math.log(len(x) - 1),
        "floor": math.log1p((len(x) - 2) * math.exp(-2 / temperature)),
        "agreement": filtered[a] * filtered[b],
    }


def mean_loss(vectors: Values, gates: Values, *, temperature: float | int = TEMPERATURE) -> float:
    """Mean loss over all pairs of different classes, each under its own gate."""
    x, g = _table(vectors), _table(gates)
    one, two = np.array(pairs_of(len(x))).T
    every = np.arange(len(one))
    filtered = g[:, None] * x
    filtered = filtered / np.maximum(np.linalg.norm(filtered, axis=2, keepdims=True), 1e-12)
    powers = np.exp((filtered @ filtered.transpose(0, 2, 1) - 1) / temperature)
    wanted = powers[every, one, two]
    # Below the line of either direction: the whole row without the class itself, its partner's term being the wanted one.
    lines = [powers[every, row].sum(axis=1) - powers[every, row, row] for row in (one, two)]
    return float(np.mean([np.log(line / wanted) for line in lines]))


def train(vectors: Values, *, gated: bool, steps: int = 300, rate: float | int = 0.5) -> dict[str, Any]:
    """Gradient descent on the mean loss, on the class vectors and, if `gated`, on a gate for each pair (half open at the start).

    Gradients are central differences: there are 40 numbers in all. Returns vectors, gates and the loss before each step and after the last.
    """
    if steps < 0:
        raise ValueError(f"steps is {steps}, but must be 0 or more")
    x = _table(vectors)
    count = len(pairs_of(len(x)))
    logits = np.zeros((count, x.shape[1]))
    numbers = np.concatenate([x.ravel(), logits.ravel()]) if gated else x.ravel().copy()

    def split(values: Float64[np.ndarray, "n"]) -> tuple[Table, Table]:
        gates = 1 / (1 + np.exp(-values[x.size :].reshape(count, -1))) if gated else np.ones((count, x.shape[1]))
        return values[: x.size].reshape(x.shape), gates

    losses = [mean_loss(*split(numbers))]
    for _ in range(steps):
        numbers = numbers - rate * len(x) * _differences(lambda values: mean_loss(*split(values)), numbers)
        losses.append(mean_loss(*split(numbers)))
    trained, gates = split(numbers)
    return {"vectors": trained, "gates": gates, "losses": losses}


def random_vectors(*, seed: int = 3) -> Table:
    """Where training starts: four random vectors in four dimensions."""
    return np.round(np.random.default_rng(seed).normal(0, 1, (4, 4)), 3)


@dataclass(frozen=True)
class Gates:
    """The explorable; by default four made-up classes. The live version takes class vectors (C, D) and pair gates (pairs, D) of a run."""

    vectors: Values = VECTORS
    gates: Values | None = None
    classes: Sequence[str] = CLASSES
    alt: str = (
        "Left, four columns for the coordinates colour, shape, size and light, each with four glyphs A to D at the height of their value "
        "and a band as strong as the gate is open. Right, the four by four matrix of cosines under this gate with the chosen pair "
        "outlined, and the loss while training. Sliders choose the pair and open or close each coordinate of its gate."
    )

    def html(self, identity: str = "clab-gates") -> str:
        if np.shape(self.vectors) != (4, 4):
            raise ValueError(f"the page draws 4 classes with 4 coordinates, but vectors has shape {np.shape(self.vectors)}; use live()")
        controls = slider(Slider("pair", "pair of classes", 0, 5, 1))
        controls += "".join(slider(Slider(f"gate{d}", f"gate {d + 1}: {name}", 0, 1, 0.05)) for d, name in enumerate(COORDINATES))
        choices = buttons(
            reset="Start again",
            best="Open the right coordinates",
            train="Train with a gate for each pair",
            collapse="Break it: train with an open gate",
        )
        numbers = readouts(
            [
                ("cosine of the pair", "cosine", "third"),
                ("loss of this pair", "loss", "guess"),
                ("mean loss, six pairs", "mean", "floor"),
                ("training steps", "steps", "steps-note"),
            ]
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="0 0 220 190" role="img" '
            'aria-label="coordinates and gates"></svg></div>'
            f'<div>{numbers}<svg data-part="matrix" viewBox="0 0 220 104" role="img" aria-label="cosines under this gate"></svg></div>'
            f"</div>{controls}{choices}"
        )
        data = {
            "vectors": on_host(self.vectors).round(4).tolist(),
            "random": random_vectors().tolist(),
            "best": BEST,
            "classes": list(self.classes),
            "coordinates": list(COORDINATES),
            "temperature": TEMPERATURE,
        }
        return page(identity, alt=self.alt, body=body, script="gates.js", mount="mountGates", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_gates import gates_poster

        return gates_poster(on_host(self.vectors), self.classes)

    def live(self) -> Any:
        """A slider for the pair and, for few coordinates, one for each coordinate of its gate; else a box that opens the gate."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live, named_slider
        from contrastive_lab.explorables.stills_gates import gate_still

        x = _table(self.vectors)
        names = [f"{self.classes[a]} and {self.classes[b]}" for a, b in pairs_of(len(x))]
        style = {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px")}
        sliders: dict[str, Any] = {"pair": named_slider("pair", names)}
        if x.shape[1] <= 6:
            for d in range(x.shape[1]):
                sliders[f"g{d}"] = widgets.FloatSlider(value=1, min=0, max=1, step=0.05, description=f"gate {d + 1}", **style)
        else:
            sliders["opened"] = widgets.Checkbox(value=False, description="open the gate", **style)
        return live(lambda **values: gate_still(x, self.gate(**values), values["pair"], self.classes), self.describe, sliders)

    def gate(self, *, pair: int, opened: bool = False, **parts: float | int) -> Float64[np.ndarray, "D"]:
        """The gate that the live sliders ask for."""
        if parts:
            return np.array([parts[f"g{d}"] for d in range(len(parts))])
        return np.ones(_table(self.vectors).shape[1]) if opened else self._gates()[pair]

    def describe(self, *, pair: int, **values: Any) -> str:
        """The state in one sentence."""
        state = state_at(self.vectors, self.gate(pair=pair, **values).tolist(), pair=pair)
        a, b = state["pair"]
        return (
            f"{self.classes[a]} and {self.classes[b]}: cosine {state['cosines'][a, b]:.2f} under this gate; loss {state['loss']:.3f} "
            f"(all equal: {state['guess']:.3f}, floor {state['floor']:.3f})."
        )

    def _gates(self) -> Table:
        shape = _table(self.vectors).shape
        return np.ones((len(pairs_of(shape[0])), shape[1])) if self.gates is None else _table(self.gates)


def _differences(function: Any, point: Float64[np.ndarray, "n"], width: float | int = 1e-4) -> Float64[np.ndarray, "n"]:
    steps = width * np.eye(len(point))
    return np.array([(function(point + step) - function(point - step)) / (2 * width) for step in steps])


def _table(rows: Values) -> Table:
    table = on_host(rows)
    if table.ndim != 2:
        raise ValueError(f"vectors has shape {table.shape}, but must have one row for each class")
    return table


def _unit(x: Table) -> Table:
    # A fully closed gate leaves zero vectors: their cosine is 0.
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))


def _check(x: Table, gate: Float64[np.ndarray, "D"], pair: int, temperature: float | int) -> None:
    if len(x) < 3:
        raise ValueError(f"vectors has {len(x)} classes, but without a third class there are no negatives; give at least 3")
    if gate.shape != (x.shape[1],) or not ((gate >= 0) & np.isfinite(gate)).all():
        raise ValueError(f"gate is {gate.tolist()}, but must be {x.shape[1]} finite numbers of at least 0")
    if not 0 <= pair < len(pairs_of(len(x))):
        raise ValueError(f"pair is {pair}, but must be one of 0 to {len(pairs_of(len(x))) - 1}")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}, but must be finite and above 0")
