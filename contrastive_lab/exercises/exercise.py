"""An exercise: statement, stub, three hints, known mistakes as code, a solution, and a check that recognises the mistakes by name."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

Answer = Callable[..., Any]


class NotYet(AssertionError):
    """The attempt is not right yet; the message says what is known about why. Notebooks show the message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer. `name` is what a teacher would call it, `hint` what a teacher would say."""

    name: str
    hint: str
    answer: Answer


@dataclass(frozen=True)
class Case:
    """One call that the check makes: positional tensors, keyword settings, and words for them."""

    title: str
    tensors: tuple[Tensor, ...]
    settings: Mapping[str, float | int]

    def ask(self, answer: Answer) -> Any:
        """The answer to copies of the tensors, so that nothing done in place spoils the next call."""
        return answer(*(tensor.clone() for tensor in self.tensors), **self.settings)


@dataclass(frozen=True)
class Exercise:
    """`difficulty` is 1 to 3, `minutes` what it takes a student who read the section; `hints` get more explicit.

    `gradient` says what the check asks of gradients: "same" that each input gets the one that the solution gives it (a loss, or a part of
    a network), "constant" that none reaches any input but random draws, "none" nothing (a number that is only looked at, codes, masks),
    "on paper" that a derivative wasn't taken by autograd.
    """

    name: str
    title: str
    statement: str
    minutes: int
    difficulty: int
    hints: tuple[str, str, str]
    solution: Answer
    mistakes: tuple[Mistake, ...]
    cases: Callable[[], Sequence[Case]]
    gradient: Literal["none", "constant", "same", "on paper"]
    tolerance: float = 1e-4
    starts_from: str = "import math\n\nimport torch\nimport torch.nn.functional as F"

    def check(self, attempt: Answer) -> None:
        """Print that the attempt is right, or raise `NotYet` with the mistake it recognised."""
        from contrastive_lab.exercises.diagnosis import diagnose

        complaint = diagnose(self, attempt)
        if complaint:
            raise NotYet(complaint)
        print(f"Right: {self.name} agrees with the definition in all {len(self.cases())} cases.")

    def passes(self, attempt: Answer) -> bool:
        from contrastive_lab.exercises.diagnosis import diagnose

        return diagnose(self, attempt) is None

    def or_solution(self, attempt: Answer) -> Answer:
        """The attempt if it is right, otherwise the lab's solution, so that the rest of a notebook runs either way."""
        if attempt is not self.solution and self.passes(attempt):
            print(f"going on with your {self.name}")
            return attempt
        print(f"going on with the lab's {self.name} until yours passes its check")
        return self.solution

    def hint(self, level: int = 1) -> None:
        """Print hint 1, 2 or 3."""
        if level not in (1, 2, 3):
            raise ValueError(f"level is {level!r}, but must be 1, 2 or 3")
        print(f"Hint {level} of 3: {self.hints[level - 1]}")

    @property
    def stub(self) -> str:
        """The solution's signature and docstring without its body: what the learner starts from."""
        return f"{self._head()}\n    ...  # yours: about {self.length} line{'s' * (self.length > 1)}"

    @property
    def solution_source(self) -> str:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(self.solution))).rstrip()

    @property
    def length(self) -> int:
        """Lines of the solution's body."""
        body = self.solution_source[len(self._head()) :]
        return sum(1 for line in body.splitlines() if line.strip() and not line.strip().startswith("#"))

    def _head(self) -> str:
        source = self.solution_source
        docstring = source.index('"""')
        return source[: source.index('"""', docstring + 3) + 3]


def seeded(*shape: int, seed: int = 0) -> Tensor:
    """Reproducible normal numbers for cases."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
