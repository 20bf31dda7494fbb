"""The vital signs of runs: one strip for each, small multiples with identical axes, every value with its lamp."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from contrastive_lab.diagnosis import SIGNS, Course, Sign
from contrastive_lab.explorables.page import Question, Slider, buttons, page, slider
from contrastive_lab.figures import look

LONGEST = 60
"""Epochs kept of a run; longer histories are thinned."""

PREDICTION = Question(
    text="One run pulls twins together and never pushes strangers apart. Which of its lamps will warn?",
    choices=("alignment", "spread and uniformity", "directions (participation ratio)"),
    right=1,
    answer="Its alignment is the best of all, and directions are counted around the mean, however small the cloud is. Spread and "
    "uniformity know its size. (RankMe warns too: it counts from the origin, where such a cloud is one direction.) Press “Break it” and "
    "compare.",
)


@dataclass(frozen=True)
class Strip:
    """One run as it is shown: at each of `epochs` the value of every sign (None where it wasn't measured) and its lamp."""

    label: str
    epochs: tuple[int, ...]
    values: Mapping[str, tuple[float | None, ...]]
    lights: Mapping[str, tuple[str, ...]]
    illnesses: tuple[str, ...] = ()


def strip_of(label: str, run: Any) -> Strip:
    """The strip of a `Course`, or of anything that has `history` and `settings` (a `Run`, a report's record)."""
    from contrastive_lab.diagnosis import examine

    course = _course(run)
    rows = _thinned([row for row in course.history if abs(row["epoch"] - round(row["epoch"])) < 1e-6])
    if not rows:
        raise ValueError(f"the run {label!r} has no row at the end of an epoch; train it with Evaluate among the observers")
    values = {sign.key: _values(sign, rows, course) for sign in SIGNS}
    lights = {sign.key: _lights(sign, values[sign.key]) for sign in SIGNS}
    found = examine(course.history, course.settings, state=course.state, evaluation=course.evaluation)
    return Strip(label, tuple(round(row["epoch"]) for row in rows), values, lights, tuple(ill.sentence for ill in found))


def state_at(strips: Sequence[Strip], *, epoch: int) -> dict[str, dict[str, Any]]:
    """What is shown at `epoch`: for each run the epoch it has reached, and value and lamp of each sign at its last row until then."""
    shown = {}
    for strip in strips:
        place = max((i for i, e in enumerate(strip.epochs) if e <= epoch), default=0)
        signs = {key: {"value": column[place], "light": strip.lights[key][place]} for key, column in strip.values.items()}
        shown[strip.label] = {"epoch": strip.epochs[place], **signs}
    return shown


@dataclass(frozen=True)
class VitalSigns:
    """Strips of `runs` (label -> Course, Run or record). `broken` names a run that hides until "Break it" is pressed.

    Moving its epoch tells the whole page: it dispatches `clab:epoch` on the document (detail: epoch, last, source) and moves every
    unlocked range input with data-part="epoch" of other explorables to the same epoch (attribute data-epochs="0,1,2,5" where the slider
    counts places instead of epochs; without it, to the same fraction of its range).
    """

    runs: Mapping[str, Any]
    broken: str = ""
    question: Question | None = None
    strips: tuple[Strip, ...] = field(init=False)
    alt: str = field(init=False)

    def __post_init__(self) -> None:
        if not self.runs:
            raise ValueError("runs is empty; give at least one run")
        if self.broken and self.broken not in self.runs:
            raise ValueError(f"broken is {self.broken!r}, but must be one of {', '.join(map(repr, self.runs))}")
        object.__setattr__(self, "strips", tuple(strip_of(label, run) for label, run in self.runs.items()))
        names = ", ".join(sign.title for sign in SIGNS)
        ends = " ".join(self.describe_run(strip, strip.epochs[-1]) for strip in self.strips)
        words = f"A strip of small curves over the epochs for each run, all with the same axes: {names}; a lamp beside each value. {ends}"
        object.__setattr__(self, "alt", words)

    @classmethod
    def shipped(cls) -> VitalSigns:
        """Finished runs of the methods on the embedded world, and one without any push (scripts/states/vitals.py)."""
        content = json.loads(files("contrastive_lab.explorables").joinpath("states", "vitals.json").read_text("utf-8"))
        runs = {label: Course(run["history"], run["settings"]) for label, run in content["runs"].items()}
        return cls(runs, broken=content["broken"], question=PREDICTION)

    @property
    def last(self) -> int:
        return max(strip.epochs[-1] for strip in self.strips)

    def html(self, identity: str = "clab-vitals") -> str:
        control = slider(Slider("epoch", "epoch", 0, max(self.last, 1), 1))
        choices = {"reset": "Start again"} | ({"collapse": f"Break it: {self.broken}"} if self.broken else {})
        legend = (
            '<p class="small">Lamps: <b class="good">●</b> good, <b class="watch">▲</b> watch, <b class="ill">■</b> ill; no lamp: the '
            "number means nothing alone. Hover over a curve or move the slider: other pictures on this page follow. Dashed: the ideal.</p>"
        )
        body = f'{control}{buttons(**choices)}<div class="strips" data-part="strips"></div>{legend}'
        return page(
            identity,
            alt=self.alt,
            body=body,
            script="vitals.js",
            mount="mountVitals",
            data=self.data(),
            question=self.question,
        )

    def data(self) -> dict[str, Any]:
        """What the page's script draws, rounded."""
        keys = [sign.key for sign in SIGNS if any(value is not None for strip in self.strips for value in strip.values[sign.key])]
        signs = [
            {
                "key": s.key,
                "title": s.title,
                "meaning": s.meaning,
                "low": s.low,
                "high": s.high,
                "digits": s.digits,
                "unit": s.unit,
                "ideal": s.ideal,
            }
            for s in SIGNS
            if s.key in keys
        ]
        runs = [
            {
                "label": strip.label,
                "colour": look(strip.label).colour,
                "epochs": strip.epochs,
                "values": {key: [None if v is None else round(v, 3) for v in strip.values[key]] for key in keys},
                "lights": {key: strip.lights[key] for key in keys},
                "ill": strip.illnesses,
                "broken": strip.label == self.broken,
            }
            for strip in self.strips
        ]
        return {"signs": signs, "runs": runs, "last": max(self.last, 1)}

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_vitals import vitals_still

        return vitals_still(self.strips, self.last)

    def live(self) -> Any:
        """An epoch slider over strips that the kernel repaints."""
        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_vitals import vitals_still

        sliders = {"epoch": whole_slider("epoch", self.last, 0, max(self.last, 1))}
        return live(lambda epoch: vitals_still(self.strips, epoch), self.describe, sliders)

    def describe(self, *, epoch: int) -> str:
        return " ".join(self.describe_run(strip, epoch) for strip in self.strips)

    @staticmethod
    def describe_run(strip: Strip, epoch: int) -> str:
        """One run in one sentence: which lamps warn."""
        shown = state_at([strip], epoch=epoch)[strip.label]
        bad = [sign.title for sign in SIGNS if shown[sign.key]["light"] == "ill"]
        return f"{strip.label} at epoch {shown['epoch']}: {', '.join(bad) + ' ill' if bad else 'no lamp is red'}."


def _course(run: Any) -> Course:
    if isinstance(run, Course):
        return run
    settings = run.settings if isinstance(run.settings, Mapping) else dict(vars(run.settings))
    evaluation = dict(getattr(run, "evaluation", {}))
    if getattr(run, "embeddings", None) is not None:  # a report's record knows the size from what it kept
        evaluation.setdefault("embedding_dim", run.embeddings.shape[-1])
    return Course(run.history, settings, getattr(run, "state", "finished"), evaluation)


def _thinned(rows: Sequence[Mapping[str, float | int]]) -> list[Mapping[str, float | int]]:
    rows = [row for row in rows if any(sign.key in row for sign in SIGNS)]
    if len(rows) <= LONGEST:
        return rows
    return [rows[round(i * (len(rows) - 1) / (LONGEST - 1))] for i in range(LONGEST)]


def _values(sign: Sign, rows: Sequence[Mapping[str, float | int]], course: Course) -> tuple[float | None, ...]:
    return tuple(sign.scale(float(row[sign.key]), course) if sign.key in row else None for row in rows)


def _lights(sign: Sign, values: Sequence[float | None]) -> tuple[str, ...]:
    first = next((value for value in values if value is not None), 0.0)
    return tuple("none" if value is None else sign.light(value, first) for value in values)
