"""One finding about a run, and where each kind of finding is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PAGES: dict[str, tuple[str, str]] = {
    "diverged": ("01", "temperature"),
    "guessing": ("01", "InfoNCE"),
    "cold": ("01", "temperature"),
    "hot": ("01", "temperature"),
    "idle": ("01", "Train it"),
    "restless": ("01", "Train it"),
    "torn": ("01", "Break it"),
    "collapse": ("09", "three lamps"),
    "dimensions": ("09", "rank"),
    "unlearnt": ("12", "kNN"),
    "lone": ("03", "negatives"),
    "false": ("04", "false negatives"),
    "leak": ("04", "batch"),
    "codes": ("05", "Sinkhorn"),
    "prototypes": ("05", "prototypes"),
    "apart": ("06", "overlap"),
    "flat": ("06", "cells"),
    "noise": ("07", "background"),
    "shared": ("07", "leak"),
    "open": ("08", "gate"),
    "shut": ("08", "gate"),
    "gap": ("10", "gap"),
}
"""For every illness the number of the notebook that explains it, and a word of the heading or text to look for there."""


@dataclass(frozen=True)
class Illness:
    """`name` is a key of `PAGES`; `sentence` says what is seen with its numbers, `remedy` what to try.

    A "note" is no fault of the run: something to know before its numbers are read.
    """

    name: str
    sentence: str
    remedy: str
    kind: Literal["ill", "note"] = "ill"

    def __post_init__(self) -> None:
        if self.name not in PAGES:
            raise ValueError(f"name is {self.name!r}, but must be one of {', '.join(map(repr, PAGES))}")

    @property
    def page(self) -> str:
        """Where to read on: 'notebook 09, three lamps'."""
        number, words = PAGES[self.name]
        return f"notebook {number}, {words}"

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy} See {self.page}."
