"""One query on the circle under CACR: which positives attract it, which negatives repel it, and where a push turns into a pull."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.theme import Numbers

SHARPEST_PULL, SHARPEST_PUSH = 6.0, 12.0
QUERY = 0.5
POSITIVES = (0.72, 0.22, 1.45, 0.95, -0.25)
NEGATIVES = (-0.6, 1.85, -1.3, 2.4, -2.0, 2.9, -2.6, -3.0)
"""Angles in radians; the third positive lies far from the query, the first negative nearest to it."""

PREDICTION = Question(
    text="The query (blue) has two near positives and a far one. Which of them does CACR pull hardest?",
    choices=("all three alike", "the nearest", "the farthest"),
    right=2,
    answer="Positives compete with positives, and a far one gets more weight: exp(+t c). InfoNCE (the marks on the bars) does this only "
    "through the negatives, and never lets one positive look at another. Raise t⁺ and watch the green bars.",
)


def state_at(
    query: float, positives: Numbers, negatives: Numbers, *, t_pos: float = 1.0, t_neg: float = 2.0, attached: bool = True
) -> dict[str, Any]:
    """Costs, weights and forces of one query; angles in radians.

    `pull_slopes` and `push_slopes` are the derivatives of the loss by each cost (attached: the weights' own change included), `pulls`
    and `pushes` what each point adds to the force on the query along the circle (anticlockwise positive). `infonce_pull` and
    `infonce_push` are the same slopes under InfoNCE at the temperature 1 / (2 t_neg), averaged over the positives, times twice that
    temperature.
    """
    near, far = _angles("positives", positives), _angles("negatives", negatives)
    _check(query, t_pos=t_pos, t_neg=t_neg)
    to_near, to_far = near - query, far - query
    c_pos, c_neg = 2 - 2 * np.cos(to_near), 2 - 2 * np.cos(to_far)
    pi_pos, pi_neg = _softmax(t_pos * c_pos), _softmax(-t_neg * c_neg)
    mean_pos, mean_neg = float(pi_pos @ c_pos), float(pi_neg @ c_neg)
    pull_slopes = pi_pos * (1 + attached * t_pos * (c_pos - mean_pos))
    push_slopes = -pi_neg * (1 - attached * t_neg * (c_neg - mean_neg))
    pulls, pushes = 2 * pull_slopes * np.sin(to_near), 2 * push_slopes * np.sin(to_far)
    share = np.stack([_softmax(-t_neg * np.concatenate([[own], c_neg])) for own in c_pos])
    return {
        "pi_pos": pi_pos,
        "pi_neg": pi_neg,
        "c_pos": c_pos,
        "c_neg": c_neg,
        "attraction": mean_pos,
        "repulsion": -mean_neg,
        "pull_slopes": pull_slopes,
        "push_slopes": push_slopes,
        "pulls": pulls,
        "pushes": pushes,
        "net": float(pulls.sum() + pushes.sum()),
        "effective_positives": _effective(pi_pos),
        "effective_negatives": _effective(pi_neg),
        "turned": int((pull_slopes < -1e-12).sum() + (push_slopes > 1e-12).sum()),
        "infonce_pull": (1 - share[:, 0]) / len(near),
        "infonce_push": -share[:, 1:].mean(axis=0),
    }


@dataclass(frozen=True)
class ForceField:
    """The explorable for these angles; by default five positives (three shown) and eight negatives."""

    query: float = QUERY
    positives: Sequence[float] = POSITIVES
    negatives: Sequence[float] = NEGATIVES
    shown: int = 3
    t_pos: float = 1.0
    t_neg: float = 2.0
    alt: str = (
        "A unit circle with a blue query, up to five positives (green rounds) and eight negatives (red squares), each as large as its "
        "weight. Lines to the query are green where a point pulls it and red where it pushes it, dashed where a negative pulls or a "
        "positive pushes. Bars show the weights among positives and among negatives, marks those of InfoNCE. Sliders set both sharpnesses, "
        "the number of positives and the query's angle; points can be dragged or moved with the arrow keys."
    )

    def html(self, identity: str = "clab-force-field") -> str:
        controls = slider(Slider("tpos", "sharpness t⁺", 0, SHARPEST_PULL, 0.1))
        controls += slider(Slider("tneg", "sharpness t⁻", 0, SHARPEST_PUSH, 0.1))
        controls += slider(Slider("count", "number of positives", 1, len(self.positives), 1))
        controls += slider(Slider("angle", "angle of the query", -180, 180, 1))
        choices = buttons(
            reset="Start again",
            outlier="An outlier positive",
            false="A false negative",
            attached="Gradient through the weights: on",
            flat="Break it: t = 0",
            collapse="Break it: all in one point",
        )
        numbers = readouts(
            [
                ("attraction", "attraction", "attraction-note"),
                ("repulsion", "repulsion", "repulsion-note"),
                ("positives that count", "effpos", "effpos-note"),
                ("negatives that count", "effneg", "effneg-note"),
                ("force on the query", "net", "net-note"),
            ]
        )
        legend = (
            '<p class="small">Green: pulls the query, red: pushes it; dashed: against its nature. Size of a point: its weight π. '
            "Mark on a bar: InfoNCE with the same negatives, at τ = 1/(2t⁻). Pale red arc: negatives there pull.</p>"
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="-1.5 -1.5 3 3" role="group" aria-label="the circle"></svg></div>'
            f'<div>{numbers}<svg data-part="bars" viewBox="0 0 1.5 0.86" role="img" aria-label="weights of positives and negatives"></svg>'
            f"{legend}</div></div>{controls}{choices}"
        )
        data = {
            "query": round(self.query, 4),
            "positives": [round(a, 4) for a in self.positives],
            "negatives": [round(a, 4) for a in self.negatives],
            "shown": self.shown,
            "tPos": self.t_pos,
            "tNeg": self.t_neg,
        }
        return page(identity, alt=self.alt, body=body, script="force_field.js", mount="mountForceField", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_force_field import force_field_poster

        return force_field_poster(self.query, self.positives[: self.shown], self.negatives, ((0.0, 0.0), (1.0, 2.0), (4.0, 8.0)))

    def live(self) -> Any:
        """Sliders for both sharpnesses and the number of positives over a picture that the kernel repaints, for angles of your own."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_force_field import force_field_still

        def sharpness(label: str, value: float, most: float) -> Any:
            wide = {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px")}
            return widgets.FloatSlider(value=value, min=0.0, max=most, step=0.1, description=label, **wide)

        sliders = {
            "t_pos": sharpness("t+", self.t_pos, SHARPEST_PULL),
            "t_neg": sharpness("t-", self.t_neg, SHARPEST_PUSH),
            "shown": whole_slider("positives", self.shown, 1, len(self.positives)),
        }

        def draw(t_pos: float, t_neg: float, shown: int) -> bytes:
            return force_field_still(self.query, self.positives[:shown], self.negatives, t_pos=t_pos, t_neg=t_neg)

        return live(draw, self.describe, sliders)

    def describe(self, *, t_pos: float, t_neg: float, shown: int) -> str:
        """The state in one sentence."""
        state = state_at(self.query, self.positives[:shown], self.negatives, t_pos=t_pos, t_neg=t_neg)
        return (
            f"t+ {t_pos:.1f}, t- {t_neg:.1f}: attraction {state['attraction']:.3f}, repulsion {state['repulsion']:.3f}; "
            f"{state['effective_positives']:.1f} of {shown} positives and {state['effective_negatives']:.1f} of {len(self.negatives)} "
            f"negatives count, {state['turned']} points act against their nature."
        )


def turning_cost(state: dict[str, Any], t_neg: float) -> float:
    """The cost beyond which an attached negative pulls; infinite at t = 0."""
    return math.inf if t_neg == 0 else -state["repulsion"] + 1 / t_neg


def _softmax(scores: Float64[np.ndarray, "K"]) -> Float64[np.ndarray, "K"]:
    terms = np.exp(scores - scores.max())
    return terms / terms.sum()  # type: ignore[no-any-return,unused-ignore]


def _effective(weights: Float64[np.ndarray, "K"]) -> float:
    """Exponential of the entropy: between 1 and the number of weights."""
    some = weights[weights > 0]
    return float(np.exp(-(some * np.log(some)).sum()))


def _angles(name: str, values: Numbers) -> Float64[np.ndarray, "K"]:
    angles = np.asarray(values, dtype=np.float64)
    if angles.ndim != 1 or len(angles) == 0 or not np.isfinite(angles).all():
        raise ValueError(f"{name} is {values!r}, but must list at least one finite angle in radians")
    return angles


def _check(query: float, **sharpness: float) -> None:
    if not math.isfinite(query):
        raise ValueError(f"query is {query}, but must be a finite angle in radians")
    for name, value in sharpness.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value}, but must be finite and at least 0; 0 weighs all alike")
