"""What a claim is: arms that are trained, and questions that are put to what they gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from contrastive_lab.experiments.schedule import Trial
from contrastive_lab.experiments.verdict import Verdict, compare

Work = Callable[..., dict[str, Any]]
Seeds = dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large all trials of a session are. `count` limits the training images, `epochs` is the unit in which claims count theirs."""

    count: int = 10_000
    epochs: int = 15
    network: str = "convnet"
    width: int = 32
    precision: str = "32-true"

    def settings(self, method: str, data: str, seed: int, *, epochs: float | int = 1, **changes: Any) -> dict[str, Any]:
        """Arguments for `Settings.recommended`; `epochs` is a multiple of the unit."""
        usual = {"network": self.network, "width": self.width, "precision": self.precision}
        return {"method": method, "data": data, "seed": seed, "epochs": round(epochs * self.epochs), **usual, **changes}


@dataclass(frozen=True)
class Question:
    """`treatment` against `control`, seed by seed; the paper expects `treatment` to be larger (or smaller). `arms` says what they are."""

    text: str
    arms: str
    treatment: Seeds
    control: Seeds
    larger: bool = True


class Rows:
    """The finished rows of one claim, asked for by arm."""

    def __init__(self, results: Mapping[str, Mapping[str, Any]], claim: str) -> None:
        self.arms: dict[str, dict[int, Mapping[str, Any]]] = {}
        for key, row in results.items():
            owner, *middle, seed = key.split("/")
            if owner == claim and middle and "error" not in row:
                self.arms.setdefault("/".join(middle), {})[int(seed)] = row

    def of(self, arm: str, column: str) -> Seeds:
        """One number for each seed of an arm: a column of its row, or else one of the last logs of its training."""
        found = {}
        for seed, row in self.arms.get(arm, {}).items():
            value = row.get(column, row.get("last", {}).get(column))
            if value is not None:
                found[seed] = float(value)
        return found


@dataclass(frozen=True)
class Claim:
    """`arms(sizes, seed)` names what to run, `questions(rows)` what to ask; `shown` are the columns of the table of raw numbers.

    `note` says where the miniature departs from the paper's experiment and what else a reader must know.
    """

    name: str
    title: str
    arms: Callable[[Sizes, int], Mapping[str, tuple[Work, Mapping[str, Any]]]]
    questions: Callable[[Rows], Iterable[Question]]
    shown: tuple[str, ...]
    note: str = ""

    def trials(self, sizes: Sizes, seed: int, *, device: str = "auto", threads: int | None = None) -> list[Trial]:
        place = {"sizes": asdict(sizes), "device": device, "threads": threads}
        arms = self.arms(sizes, seed).items()
        return [
            Trial(f"{self.name}/{arm}/{seed}", run_arm, {"work": work, "arguments": arguments, **place}) for arm, (work, arguments) in arms
        ]

    def verdicts(self, results: Mapping[str, Mapping[str, Any]]) -> list[tuple[Question, Verdict]]:
        """An answer to each question that has at least one seed in both arms."""
        asked = [q for q in self.questions(Rows(results, self.name)) if q.treatment.keys() & q.control.keys()]
        return [(q, compare(q.text, q.treatment, q.control, larger=q.larger)) for q in asked]


def run_arm(
    *, work: Work, arguments: Mapping[str, Any], sizes: Mapping[str, Any], device: str = "auto", threads: int | None = None
) -> dict[str, Any]:
    """`work` with the settings among its arguments moved to `device`; the row remembers how large the session was."""
    if threads is not None:
        torch.set_num_threads(threads)
    given = dict(arguments)
    given["settings"] = {**given["settings"], "device": device}
    return {**work(**given), "sizes": dict(sizes)}


def per_seed(function: Callable[..., float], *columns: Seeds) -> Seeds:
    """`function` of the columns' values, for each seed that all of them have."""
    common = set(columns[0]).intersection(*columns[1:])
    return {seed: function(*(column[seed] for column in columns)) for seed in sorted(common)}


def difference(one: Seeds, two: Seeds) -> Seeds:
    return per_seed(lambda a, b: a - b, one, two)
