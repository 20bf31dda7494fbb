"""What paired runs say about a claim: confirmed, refuted, or undecided at this scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["confirmed", "refuted", "undecided"]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Verdict:
    """Mean and standard error of the paired differences (same seed in both arms), and what follows.

    `margin` is the half-width of Student's 95 % interval around the mean: 4.3 standard errors with three seeds, 2.8 with five.
    Confirmed: the mean has the claimed sign and exceeds the margin. Refuted: the opposite sign, beyond the margin. Where nothing differs,
    one verdict in twenty is one of the two by luck; the limit of one standard error, often seen, would make it eight in twenty.
    """

    claim: str
    outcome: Outcome
    difference: float
    standard_error: float
    margin: float
    seeds: tuple[int, ...]

    def __str__(self) -> str:
        where = " at this scale" if self.outcome == "undecided" else ""
        return f"{self.claim}: {self.outcome}{where} ({self.difference:+.3f} ± {self.margin:.3f} over {len(self.seeds)} seeds)"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def compare(claim: str, treatment: Mapping[int, float], control: Mapping[int, float], *, larger: bool = True) -> Verdict:
    """Hold `treatment` against `control`, each a value for every seed; `larger` says which sign the claim predicts.

    Seeds that only one arm has are left out. Fewer than three pairs leave everything undecided.
    """
    from scipy.special import stdtrit

    seeds = tuple(sorted(treatment.keys() & control.keys()))
    if not seeds:
        raise ValueError(f"treatment has the seeds {sorted(treatment)} and control {sorted(control)}; paired differences need common seeds")
    differences = [treatment[seed] - control[seed] for seed in seeds]
    mean, error = spread(differences)
    error = error / math.sqrt(len(seeds))
    margin = error * float(stdtrit(max(len(seeds) - 1, 1), 0.5 + CONFIDENCE / 2))
    sign = mean if larger else -mean
    decided = len(seeds) >= 3 and abs(mean) > margin
    outcome: Outcome = "undecided" if not decided else "confirmed" if sign > 0 else "refuted"
    return Verdict(claim, outcome, mean, error, margin, seeds)


def spread(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (ddof 1; 0 for a single value)."""
    if not values:
        raise ValueError("values is empty; at least one is needed")
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else 0.0
