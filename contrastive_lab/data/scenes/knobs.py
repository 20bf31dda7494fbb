"""Corruptions of the world, each with fields of its own, so that paired comparisons differ in the corruption alone."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """How strongly the world is corrupted; zero is off and changes nothing, bit for bit.

    mismatch: share of scenes whose captions describe another scene (fields 50, 51).
    synonyms: chance of each word slot to use its other word (60-68).
    watermark: share of scenes with one of 256 glyphs in the top-left corner of the image and two code words in the captions (84).
    long_tail: exponent of a power law on the 48 shape-colour pairs of object 0 (89): pair of rank r has weight (r + 1) ** -long_tail.
    """

    mismatch: float = 0.0
    synonyms: float = 0.0
    watermark: float = 0.0
    long_tail: float = 0.0

    def __post_init__(self) -> None:
        for knob in fields(self):
            value, top = getattr(self, knob.name), 10 if knob.name == "long_tail" else 1
            if not 0 <= value <= top:
                raise ValueError(f"knob {knob.name} is {value}, but must lie between 0 (off) and {top}")


OFF = Knobs()
