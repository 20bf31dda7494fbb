"""Close the gap by hand: two modalities on the sphere, pushed together or apart, and what retrieval makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables.gap_states import SHARES, GapRun, one_of, shipped, slide
from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.explorables.table import pack

LONGITUDES = (-20.0, 0.0, 20.0, 40.0, 60.0, 80.0)
LOWEST_SCALE, HIGHEST_SCALE, STEEPEST = 1.0, 100.0, 85.0

PREDICTION = Question(
    text="Two networks with random weights, one for images and one for captions, put 500 pairs on one unit sphere. How far apart are the "
    "two centroids (0 to 2)?",
    choices=("about 0.06: sampling noise, since nothing was learnt", "about 0.5", "above 1"),
    right=2,
    answer="Each untrained network maps everything into a narrow cone, and two cones know nothing of each other: their axes are nearly "
    "orthogonal, so the gap is about √(cone + cone), with the mean cosines of both modalities under the root. Now pull the epoch.",
)


def state_at(run: GapRun, *, temperature: float, epoch: int, share: float | int = 0.0) -> dict[str, Any]:
    """Everything the explorable shows: both clouds in the plane, the two halves of alignment, retrieval, cones.

    `share` of the gap is closed by hand: both modalities move by half of it along the gap's direction and go back to the sphere.
    `alignment` is `gap` squared plus `rest`, the pairs' spread about the mean offset. `floor` is the gap of two unrelated samples of one
    isotropic cloud; pairs that agree can lie below it, down to about the root of rest / N.
    """
    t, e = one_of("temperature", temperature, run.temperatures), one_of("epoch", epoch, run.epochs)
    s = one_of("share", share, SHARES)
    before, cone_x, cone_y, _, separability = run.numbers[t, e].tolist()
    gap, alignment, recall = run.sweep[t, e, :, s].tolist()
    x, y = run.plane[t, e]
    return {
        "x": slide(x, share * before / 2),
        "y": slide(y, -share * before / 2),
        "gap": gap,
        "gap as trained": before,
        "alignment": alignment,
        "rest": alignment - gap**2,
        "recall": recall,
        "cones": (cone_x, cone_y),
        "separability": separability,
        "floor": math.sqrt(2 / run.count),
    }


def toy_points(tilt: float | int, *, exchanged: bool = True) -> tuple[Float64[np.ndarray, "6 3"], Float64[np.ndarray, "6 3"]]:
    """Six images on the equator and their texts at the same longitudes on the parallel of latitude `tilt`, in degrees.

    `exchanged` swaps the first two texts: two pairs are wrong. Liang et al. 2022 (arXiv:2203.02053), section 4.3.
    """
    if not 0 <= tilt <= 90:
        raise ValueError(f"tilt is {tilt}, but is a latitude in degrees, between 0 and 90")
    theta = np.radians(LONGITUDES)
    order = [1, 0, 2, 3, 4, 5] if exchanged else range(6)
    phi = math.radians(tilt)
    equator = np.stack([np.cos(theta), np.sin(theta), np.zeros(6)], axis=1)
    return equator, np.stack([math.cos(phi) * np.cos(theta), math.cos(phi) * np.sin(theta), np.full(6, math.sin(phi))], axis=1)[order]


def toy_loss(tilt: float | int, scale: float | int, *, exchanged: bool = True) -> float:
    """Symmetric InfoNCE of the six pairs at this scale = 1 / temperature.

    The tilt multiplies every cosine by cos(tilt), so that toy_loss(tilt, scale) = toy_loss(0, scale * cos(tilt)).
    """
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale is {scale}, but must be finite and above 0")
    images, texts = toy_points(tilt, exchanged=exchanged)
    scores = scale * images @ texts.T
    return float(np.mean([_logsumexp(scores) - np.diag(scores), _logsumexp(scores.T) - np.diag(scores)]))


def best_tilt(scale: float | int, *, exchanged: bool = True) -> int:
    """The whole degree of tilt with the lowest loss."""
    return int(np.argmin([toy_loss(tilt, scale, exchanged=exchanged) for tilt in range(int(STEEPEST) + 1)]))


@dataclass(frozen=True)
class ModalityGap:
    """The explorable; by default the shipped runs. `own` adds encoders of yours (see `gap_states.gather_run`), shown first."""

    runs: Mapping[str, GapRun] = field(default_factory=shipped)
    own: GapRun | None = None
    alt: str = (
        "Left, two clouds of unit vectors, one for each modality, in the plane of the gap's direction and the widest direction across it, "
        "with a unit circle and lines between partners. Right, retrieval against the share of the gap closed by hand, the gap over "
        "time at each temperature above a grey band of sampling noise, and alignment as gap squared plus rest. Sliders set share, "
        "temperature and epoch. A second picture shows six image and six text points on a sphere and the loss against their tilt."
    )

    def every(self) -> dict[str, GapRun]:
        return ({"own": self.own} if self.own is not None else {}) | dict(self.runs)

    def html(self, identity: str = "clab-modality-gap") -> str:
        runs = self.every()
        first = next(iter(runs.values()))
        controls = slider(Slider("share", "gap closed by hand", 0, len(SHARES) - 1, 1))
        controls += slider(Slider("tau", "temperature τ", 0, len(first.temperatures) - 1, 1))
        controls += slider(Slider("epoch", "epoch", 0, len(first.epochs) - 1, 1))
        which = buttons(**{f"run-{name}": run.title for name, run in runs.items()})
        acts = buttons(play="Play training", close="Close the gap", reset="Start again", collapse="Break it: random weights")
        numbers = readouts(
            [
                ("gap", "gap", "gap-note"),
                ("partners found first (R@1)", "recall", "recall-note"),
                ("alignment", "alignment", "alignment-note"),
                ("mean cosine within each", "cones", "cones-note"),
            ]
        )
        charts = "".join(
            f'<svg data-part="{part}" viewBox="{box}" role="img" aria-label="{label}"></svg>'
            for part, box, label in (
                ("recall-chart", "0 0 1 0.40", "retrieval against the share of the gap closed by hand"),
                ("time-chart", "0 0 1 0.40", "gap over training, one line for each temperature"),
                ("bar", "0 0 1 0.15", "alignment as gap squared plus rest"),
            )
        )
        stage = (
            '<svg data-part="stage" viewBox="-1.12 -1.12 2.24 2.24" role="img" aria-label="both modalities in the plane of the gap"></svg>'
        )
        words = '<p class="words" data-part="words" aria-live="polite"></p>'
        body = f'{which}<div class="panels"><div>{stage}{numbers}</div><div>{charts}</div></div>{controls}{acts}{words}{self._toy()}'
        data = {"runs": {name: _packed(run) for name, run in runs.items()}, "shares": SHARES, "longitudes": LONGITUDES}
        return page(
            identity, alt=self.alt, body=body, script="modality_gap.js", mount="mountGap", data=data, question=PREDICTION, with_table=True
        )

    def _toy(self) -> str:
        controls = slider(Slider("tilt", "tilt of the texts", 0, int(STEEPEST), 1))
        controls += slider(Slider("scale", "scale 1/τ", round(math.log(LOWEST_SCALE), 3), round(math.log(HIGHEST_SCALE), 3), 0.005))
        pictures = (
            '<svg data-part="sphere" viewBox="-1.12 -1.12 2.24 2.24" role="img" aria-label="six images and six texts on a sphere"></svg>',
            '<svg data-part="toy-chart" viewBox="0 0 1 0.72" role="img" aria-label="loss against the tilt"></svg>',
        )
        return (
            '<div data-part="toy"><p><b>A toy: six points on a sphere.</b> Full discs: images on the equator. Rings: their texts, '
            "lifted by the tilt. The first two texts are exchanged: two false pairs.</p>"
            f'<div class="panels"><div>{pictures[0]}</div><div>{pictures[1]}</div></div>{controls}'
            f"{buttons(right='Put the exchanged texts right', best='Go to the best tilt')}"
            '<p class="words" data-part="toy-words" aria-live="polite"></p></div>'
        )

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_modality_gap import gap_poster

        run = self.runs.get("captions", next(iter(self.every().values())))
        tau, last = run.temperatures[0], run.epochs[-1]
        chosen = [
            (tau, run.epochs[0], 0.0),
            (tau, last, 0.0),
            (tau, last, 1.0),
            (run.temperatures[-1], last, 0.0),
        ]
        return gap_poster(run, chosen)

    def live(self) -> Any:
        """Sliders for temperature, epoch and share over a picture that the kernel repaints; your own encoders where `own` is given."""
        import ipywidgets as widgets

        from contrastive_lab.explorables.explorable import live
        from contrastive_lab.explorables.stills_modality_gap import gap_still

        run = next(iter(self.every().values()))

        def menu(label: str, values: tuple[Any, ...], value: Any) -> Any:
            return widgets.SelectionSlider(options=values, value=value, description=label, style={"description_width": "130px"})

        sliders = {
            "temperature": menu("temperature", run.temperatures, run.temperatures[0]),
            "epoch": menu("epoch", run.epochs, run.epochs[-1]),
            "share": menu("closed by hand", SHARES, 0.0),
        }
        return live(lambda **chosen: gap_still(run, **chosen), lambda **chosen: self.describe(run, **chosen), sliders)

    def describe(self, run: GapRun, *, temperature: float, epoch: int, share: float | int) -> str:
        """The state in words."""
        state = state_at(run, temperature=temperature, epoch=epoch, share=share)
        return (
            f"{run.title}, temperature {temperature:g}, epoch {epoch}, {share:.0%} of the gap closed: gap {state['gap']:.3f} "
            f"(noise floor {state['floor']:.3f}), alignment {state['alignment']:.3f} = gap² {state['gap'] ** 2:.3f} + {state['rest']:.3f}, "
            f"R@1 of {run.count} {state['recall']:.1%}."
        )


def _packed(run: GapRun) -> dict[str, Any]:
    """A run as the page reads it."""
    lists = {"title": run.title, "names": run.names, "count": run.count, "temperatures": run.temperatures, "epochs": run.epochs}
    return {**lists, "plane": pack(run.plane, -1, 1), "numbers": pack(run.numbers, -1, 4), "sweep": pack(run.sweep, -1, 4)}


def _logsumexp(scores: Float64[np.ndarray, "6 6"]) -> Float64[np.ndarray, "6"]:
    top = scores.max(axis=1)
    return top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
