"""A run as the rules see it: settings and rows of history, with what follows from both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Course:
    """`history` has the rows that training wrote, `settings` the run's settings as a dictionary, `state` how it ended."""

    history: Sequence[Mapping[str, float | int]]
    settings: Mapping[str, Any]
    state: str = "finished"
    evaluation: Mapping[str, Any] = field(default_factory=dict)

    def values(self, name: str) -> list[float]:
        return [float(row[name]) for row in self.history if name in row]

    def first(self, name: str) -> float | None:
        return next(iter(self.values(name)), None)

    def last(self, name: str) -> float | None:
        return next(iter(reversed(self.values(name))), None)

    @property
    def method(self) -> str:
        return str(self.settings["method"])

    @property
    def steps(self) -> int:
        return int(self.history[-1]["step"]) if self.history else 0

    @property
    def batch(self) -> int:
        return int(self.settings["batch_size"])

    @property
    def trained(self) -> bool:
        """Whether enough steps were taken to judge: before that every network is as it was drawn."""
        return self.steps >= LEAST_STEPS

    @property
    def dim(self) -> int | None:
        """Size of the embedding, where the history or the evaluation says it."""
        found = self.last("dim") or self.evaluation.get("embedding_dim")
        return int(found) if found else None

    @property
    def spread(self) -> float | None:
        """std of the embeddings times √D: 1 for an isotropic cloud, 0 for a point."""
        std = self.last("std")
        return None if std is None or self.dim is None else std * self.dim**0.5

    @property
    def directions(self) -> float | None:
        """How many directions a rank could find: D, or a quarter of the probe where that is less."""
        probe = self.last("probe")
        return None if self.dim is None else float(min(self.dim, probe / 4 if probe else self.dim))

    @property
    def share(self) -> float | None:
        """Uniformity as a fraction of what points spread evenly in D dimensions reach."""
        value = self.last("uniformity")
        if value is None or self.dim is None:
            return None
        from contrastive_lab.measures import uniformity_floor

        return value / uniformity_floor(self.dim)

    @property
    def temperature(self) -> float | None:
        """The learnt temperature's last value, else that of the settings, else the method's usual one."""
        found = self.last("temperature")
        if found is None:
            found = self.settings.get("options", {}).get("temperature", USUAL_TEMPERATURE.get(self.method))
        return None if found is None else float(found)

    @property
    def rivals(self) -> int | None:
        """How many candidates besides the right one a query is compared with; None where the loss is no choice among candidates."""
        options = self.settings.get("options", {})
        if self.method == "simclr":
            return 2 * self.batch - 2
        if self.method == "hydra":  # about: the keys of the other view that are of a third class
            classes = int(options.get("num_classes", 10))
            return max(self.batch * (classes - 2) // classes, 1)
        if self.method in ("moco", "mochi"):
            return int(options.get("queue_length", 4096))
        if self.method.startswith("clip"):
            return self.batch - 1
        if self.method == "swav":
            return int(options.get("n_prototypes", 256)) - 1
        return None

    @property
    def guess(self) -> float | None:
        """The loss of a network that knows nothing: the logarithm of the number of candidates."""
        if self.method == "dcl":  # its denominator has the negatives alone
            return math.log(2 * self.batch - 2)
        # Mixed negatives are harder than guessing; how many third classes there are only the batch knows.
        if self.method in ("mochi", "hydra"):
            return None
        return None if self.rivals is None else math.log(1 + self.rivals)


LEAST_STEPS = 8

USUAL_TEMPERATURE = {"simclr": 0.5, "dcl": 0.1, "dclw": 0.1, "moco": 0.2, "mochi": 0.2, "swav": 0.1, "hydra": 0.1}
"""Defaults of the methods' constructors, for runs whose settings don't name a temperature."""
