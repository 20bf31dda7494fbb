"""Synthetic negatives on the sphere, seen from above the query: where they land and how much of the softmax they take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.host import on_host

Vectors = Float64[np.ndarray, "n D"]

PREDICTION = Question(
    text="A hard negative lies 60° from the query. The query's share β may be anything from 0 to ½. Where can their mixture land?",
    choices=("anywhere between the negative and the query", "between 60° and 30°", "between 60° and 90°"),
    right=1,
    answer="At β = ½ both have the same share, so the mixture lies half way, at 30°, and never nearer. On the map below it moves straight "
    "towards the centre. Pull β and watch.",
)


@dataclass(frozen=True)
class World:
    """Unit vectors of one query, its key and the queue; `same` marks the rows of the query's own class, which are false negatives."""

    q: Float64[np.ndarray, "D"]
    k: Float64[np.ndarray, "D"]
    queue: Vectors
    same: Bool[np.ndarray, "Q"]

    @classmethod
    def of(cls, q: Any, k: Any, queue: Any, same: Any) -> World:
        """A world from vectors of any length and kind (rows of a run's queue, for example)."""
        q, k, queue = (on_host(x) for x in (q, k, queue))
        if queue.ndim != 2 or q.shape != (queue.shape[1],) or k.shape != q.shape or len(same) != len(queue):
            raise ValueError(f"q, k and queue have shapes {q.shape}, {k.shape} and {queue.shape}, but must be (D,), (D,) and (Q, D)")
        return cls(_unit(q), _unit(k), _unit(queue), on_host(same).astype(bool))


def example(*, seed: int = 5, broken: bool = False) -> World:
    """A query at the pole, its key 24 degrees away, 40 rows of five classes in the queue, some of the query's own class among the nearest.

    broken: the ten nearest rows are of the query's class, as on a data set with very few classes.
    """
    draw = np.random.default_rng(seed)
    own = np.column_stack([draw.uniform(30, 70, 7), draw.uniform(0, 360, 7)])
    strangers = np.column_stack([np.degrees(np.arccos(draw.uniform(-0.9, 0.85, 33))), draw.uniform(0, 360, 33)])
    polar = np.round(np.concatenate([own, strangers]), 1)
    same = np.arange(40) < 7
    if broken:
        same = np.argsort(np.argsort(polar[:, 0])) < 10
        polar[same, 0] = np.round(polar[same, 0] * 0.7, 1)
    return World(_direction(np.array([[0.0, 0.0]]))[0], _direction(np.array([[24.0, 200.0]]))[0], _direction(polar), same)


def pair_ranks(count: int, n_hard: int) -> Int64[np.ndarray, "s 2"]:
    """Which two of the hard negatives each of `count` mixtures takes: first each rank with its successor, then with the next but one."""
    m = np.arange(count)
    first = m % n_hard
    return np.stack([first, (first + 1 + (m // n_hard) % max(n_hard - 1, 1)) % n_hard], axis=1)


def state_at(
    world: World,
    *,
    n_hard: int = 8,
    s: int = 8,
    s_prime: int = 4,
    alpha: float | int = 0.5,
    beta: float | int = 0.25,
    temperature: float | int = 0.2,
    oracle: bool = False,
) -> dict[str, Any]:
    """Everything the explorable shows. In training alpha and beta are drawn anew for each mixture; here one value serves all.

    `hard` are rows of the queue, hardest first; `pairs` and `queries` the synthetic points; `weights` the softmax over [positive, queue
    rows, pairs, queries], 0 where the oracle excludes; `mass` its parts by name; `pull` and `push` the forces on the query in its tangent
    space, times the temperature; `false_push` the share of the negatives' weight that belongs to the query's own class, mixtures with
    such a row included.
    """
    _check(world, n_hard, s, s_prime, alpha, beta, temperature, oracle)
    cosine = world.queue @ world.q
    allowed = ~world.same if oracle else np.ones_like(world.same)
    hard = np.argsort(np.where(allowed, -cosine, np.inf), kind="stable")[:n_hard]
    ranks = pair_ranks(s, n_hard)
    single = np.arange(s_prime) % n_hard
    rows = world.queue[hard]
    pairs = _unit(alpha * rows[ranks[:, 0]] + (1 - alpha) * rows[ranks[:, 1]])
    queries = _unit(beta * world.q + (1 - beta) * rows[single])
    own = world.same[hard]
    false = np.concatenate([world.same, own[ranks].any(axis=1), own[single]])
    points = np.concatenate([world.queue, pairs, queries])
    scores = np.concatenate([[world.k @ world.q], points @ world.q]) / temperature
    there = np.concatenate([[True], allowed, np.ones(s + s_prime, dtype=bool)])
    weights = _softmax(np.where(there, scores, -np.inf))
    plain = _softmax(np.where(there, scores, -np.inf)[: 1 + len(cosine)])
    negatives = weights[1:]
    parts = np.split(negatives, [len(cosine), len(cosine) + s])
    return {
        "hard": hard,
        "ranks": ranks,
        "single": single,
        "pairs": pairs,
        "queries": queries,
        "cosines": {"positive": float(world.k @ world.q), "queue": cosine, "pairs": pairs @ world.q, "queries": queries @ world.q},
        "weights": weights,
        "mass": {
            "positive": float(weights[0]),
            "others": float(parts[0][~world.same].sum()),
            "own class": float(parts[0][world.same].sum()),
            "pairs": float(parts[1].sum()),
            "queries": float(parts[2].sum()),
        },
        "loss": float(-np.log(weights[0])),
        "plain loss": float(-np.log(plain[0])),
        "pull": _tangent(world.q, (1 - weights[0]) * world.k),
        "push": _tangent(world.q, -negatives @ points),
        "false_push": float(negatives[false].sum() / max(negatives.sum(), 1e-300)),
        "false_hard": float(own.mean()),
        "chance": float(world.same.mean()),
    }


def on_map(world: World, points: Vectors) -> Float64[np.ndarray, "n 2"]:
    """Points as the explorable draws them: the query in the centre, degrees from it as radius.

    In three dimensions this is a map of the sphere. In more, the angle to the query is still exact; around it lie the two directions in
    which the nearest rows of the queue differ most.
    """
    around = points - (points @ world.q)[:, None] * world.q
    flat = around @ _axes(world).T
    angle = np.degrees(np.arccos(np.clip(points @ world.q, -1, 1)))
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12) * angle[:, None])


@dataclass(frozen=True)
class Mixing:
    """The explorable for one query; by default a made-up one on the sphere. The live version takes queries of any dimension."""

    world: World = field(default_factory=example)
    alt: str = (
        "A map of the unit sphere with the query in the centre; rings mark the angle to it. A green disc is the query's key, grey discs "
        "are rows of the queue, squares those of the query's own class; the hardest are outlined. Violet triangles are mixtures of two "
        "hard negatives, orange ones mixtures with the query. A bar shows which share of the softmax each kind takes. Sliders set the "
        "number of hard negatives, of both kinds of mixtures, alpha and beta."
    )

    def html(self, identity: str = "clab-mixing") -> str:
        if len(self.world.q) != 3:
            raise ValueError(f"the page draws a sphere, but the query has {len(self.world.q)} dimensions; use live() for these vectors")
        controls = "".join(
            slider(Slider(*row))
            for row in (
                ("hard", "hard negatives N", 2, 16, 1),
                ("s", "mixtures of two: s", 0, 24, 1),
                ("t", "mixtures with query: s′", 0, 16, 1),
                ("alpha", "α, share of the first", 0, 1, 0.01),
                ("beta", "β, share of the query", 0, 0.5, 0.01),
            )
        )
        choices = buttons(
            reset="Start again", oracle="Leave out the query's own class (oracle)", collapse="Break it: all hard negatives are false"
        )
        numbers = readouts(
            [
                ("loss", "loss", "plain"),
                ("hardest mixture, cosine", "hardest", "nearest"),
                ("weight of mixtures", "mass", "mass-note"),
                ("own class among the N hardest", "false", "chance"),
                ("repelling weight that is false", "falsepush", "falsepush-note"),
            ]
        )
        legend = (
            '<p class="small">Centre: the query. ● its key (positive). ○ queue, other classes; □ queue, the query\'s own class: '
            "false negatives. Outlined: the N hardest. ▲ mixtures of two, ▼ mixtures with the query. "
            "Distance from the centre is the angle to the query. Temperature 0.2.</p>"
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="-112 -112 224 224" role="img" '
            'aria-label="map of the sphere around the query"></svg></div>'
            f'<div>{numbers}<svg data-part="bars" viewBox="0 0 124 46" role="img" aria-label="softmax weight by kind"></svg>{legend}</div>'
            f"</div>{controls}{choices}"
        )
        data = {"worlds": [_plain(self.world), _plain(example(broken=True))], "start": {"n": 8, "s": 8, "t": 4, "alpha": 0.5, "beta": 0.25}}
        return page(identity, alt=self.alt, body=body, script="mixing.js", mount="mountMixing", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_mixing import mixing_poster

        return mixing_poster(self.world, example(broken=True))

    def live(self) -> Any:
        """The same sliders and a box for the oracle, over a picture that the kernel repaints: for your own query, key and queue."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_mixing import mixing_still

        most = min(64, int((~self.world.same).sum()))
        style = {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px")}
        sliders = {
            "n_hard": whole_slider("hard negatives N", min(16, most), 2, most),
            "s": whole_slider("mixtures of two", 16, 0, 64),
            "s_prime": whole_slider("with the query", 8, 0, 64),
            "alpha": widgets.FloatSlider(value=0.5, min=0, max=1, step=0.01, description="alpha", **style),
            "beta": widgets.FloatSlider(value=0.25, min=0, max=0.5, step=0.01, description="beta", **style),
            "oracle": widgets.Checkbox(value=False, description="leave out the query's own class", **style),
        }
        return live(lambda **values: mixing_still(self.world, values), self.describe, sliders)

    def describe(self, **values: Any) -> str:
        """The state in one sentence."""
        state = state_at(self.world, **values)
        mass = state["mass"]
        return (
            f"Loss {state['loss']:.3f} ({state['plain loss']:.3f} without mixtures); mixtures take "
            f"{mass['pairs'] + mass['queries']:.0%} of the softmax, the positive {mass['positive']:.0%}; "
            f"{state['false_hard']:.0%} of the hardest are of the query's class "
            f"(chance {state['chance']:.0%}), and {state['false_push']:.0%} of the repelling weight belongs to it."
        )


def _plain(world: World) -> dict[str, Any]:
    """The world as JSON: degrees from the query and around it, and the class marks."""
    around = on_map(world, np.concatenate([world.k[None], world.queue]))
    polar = np.column_stack([np.linalg.norm(around, axis=1), np.degrees(np.arctan2(around[:, 1], around[:, 0]))])
    return {"key": polar[0].round(2).tolist(), "queue": polar[1:].round(2).tolist(), "same": world.same.astype(int).tolist()}


def _axes(world: World) -> Float64[np.ndarray, "2 D"]:
    if len(world.q) == 3 and world.q[2] == 1:
        return np.eye(3)[:2]
    near = world.queue[np.argsort(-(world.queue @ world.q))[:64]]
    flat = near - (near @ world.q)[:, None] * world.q
    return np.asarray(np.linalg.svd(flat, full_matrices=False)[2][:2])


def _direction(polar: Sequence[Sequence[float]] | Float64[np.ndarray, "n 2"]) -> Vectors:
    """Unit vectors from degrees from the pole and around it."""
    theta, phi = np.radians(np.asarray(polar, dtype=np.float64)).T
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=1)


def _unit(x: Float64[np.ndarray, "*n D"]) -> Float64[np.ndarray, "*n D"]:
    # An antipodal pair mixed half and half is the zero vector: it stays zero, and its score is 0.
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12))


def _tangent(q: Float64[np.ndarray, "D"], force: Float64[np.ndarray, "D"]) -> Float64[np.ndarray, "D"]:
    return np.asarray(force - (force @ q) * q)


def _softmax(scores: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    exponentials = np.exp(scores - scores.max())
    return np.asarray(exponentials / exponentials.sum())


def _check(
    world: World, n_hard: int, s: int, s_prime: int, alpha: float | int, beta: float | int, temperature: float | int, oracle: bool
) -> None:
    most = int((~world.same).sum()) if oracle else len(world.same)
    if not 1 <= n_hard <= most:
        raise ValueError(f"n_hard is {n_hard}, but must lie between 1 and {most}, the number of negatives")
    if s < 0 or s_prime < 0 or (s > 0 and n_hard < 2):
        raise ValueError(f"s is {s} and s_prime is {s_prime}, but both must be at least 0, and pairs need n_hard of at least 2")
    limits: Mapping[str, tuple[float | int, float | int]] = {"alpha": (alpha, 1), "beta": (beta, 0.5)}
    for name, (value, top) in limits.items():
        if not 0 <= value <= top:
            raise ValueError(f"{name} is {value}, but must lie in [0, {top:g}]")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}, but must be finite and above 0")
