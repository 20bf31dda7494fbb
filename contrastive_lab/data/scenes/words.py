"""Words of the world: English, their synonyms, the invented language Velan, pseudo-words, and the vocabulary that holds them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from contrastive_lab.data.scenes.factors import BACKGROUNDS, COLOURS, COLUMNS, ROWS, SHAPES, SIZES, TONES, Scenes
from contrastive_lab.data.scenes.randomness import mix

WORDS: Mapping[str, tuple[str, ...]] = {
    "size": SIZES,
    "colour": COLOURS,
    "shape": SHAPES,
    "row": ROWS,
    "column": COLUMNS,
    "background": BACKGROUNDS,
    "tone": TONES,
}
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "size": ("tiny", "mid", "big"),
    "colour": ("crimson", "emerald", "azure", "golden", "violet", "amber", "teal", "ivory"),
    "shape": ("disc", "box", "wedge", "plus", "hoop", "strip"),
    "row": ("upper", "mid-row", "lower"),
    "column": ("west", "midway", "east"),
    "background": ("blank", "lined", "tiled", "spotted"),
}
SLOTS = ("background", *(f"{factor} {k}" for k in (0, 1) for factor in ("shape", "colour", "size", "place")))
"""Where a synonym can stand: slot i reads field 60 + i; row and column of an object share the slot of its place."""

_FUNCTION_WORDS = "a and there is picture of on the background one object it sits at another above below".split()  # noqa: SIM905
_STYLE_WORDS = "what we can see together with observe type".split()  # noqa: SIM905
_SYLLABLES = "ba ko mi tu re sa no li pe du ga vo zi hu fe ja wo ni te lu".split()  # noqa: SIM905
_TRANSLATED = ("size", "colour", "shape", "row", "column", "background")
_LEXICON = (*(word for factor in _TRANSLATED for word in WORDS[factor]), "and", "background")

Say = Callable[[str, int, int], str]
"""Chooses the word for (factor, value, object)."""


class Thing(NamedTuple):
    """One object, as class numbers."""

    shape: int
    colour: int
    size: int
    cell: int

    @property
    def row(self) -> int:
        return self.cell // 3

    @property
    def column(self) -> int:
        return self.cell % 3


class Scene(NamedTuple):
    """What language can say about one scene, as class numbers; `things` pairs each object with its number in the scene."""

    background: int
    tone: int
    template: int
    relation: int
    things: tuple[tuple[int, Thing], ...]


def each_scene(scenes: Scenes) -> Iterator[Scene]:
    """The scenes one by one, as plain integers."""
    columns = (scenes.shape, scenes.colour, scenes.size, scenes.cell)
    first, second = (map(Thing, *(column[:, k].tolist() for column in columns)) for k in (0, 1))
    scene = (column.tolist() for column in (scenes.background, scenes.tone, scenes.template, scenes.relation, scenes.two))
    for one, other, background, tone, template, relation, two in zip(first, second, *scene, strict=True):
        yield Scene(background, tone, template, relation, ((0, one), (1, other)) if two else ((0, one),))


def plainly(factor: str, value: int, k: int) -> str:
    """The usual English word."""
    return WORDS[factor][value]


def with_synonyms(switched: Sequence[bool]) -> Say:
    """English with the other word in the switched slots (`SLOTS`); tone has no other word."""

    def say(factor: str, value: int, k: int) -> str:
        place = {"background": 0, "tone": -1, "shape": 1, "colour": 2, "size": 3, "row": 4, "column": 4}[factor]
        other = place >= 0 and switched[place + (4 * k if place else 0)]
        return (SYNONYMS if other else WORDS)[factor][value]

    return say


def velan_lexicon(shared: float = 0.0) -> dict[str, str]:
    """English word -> Velan word for the 29 translated words; a fraction `shared` of them keeps its English form."""
    if not 0 <= shared <= 1:
        raise ValueError(f"shared is {shared}, but is the fraction of words common to both languages, between 0 and 1")
    kept = sorted(range(len(_LEXICON)), key=mix)[: int(shared * len(_LEXICON) + 0.5)]
    return {word: word if i in kept else _velan_word(i) for i, word in enumerate(_LEXICON)}


def _velan_word(i: int) -> str:
    return _SYLLABLES[i % 20] + _SYLLABLES[(i // 20 + 3 * (i % 20) + 5) % 20]


def pseudo_word(w: int) -> str:
    """Word number w of 8,000 distinct invented words of three syllables (topics, entities)."""
    if not 0 <= w < 8000:
        raise ValueError(f"w is {w}, but there are 8000 pseudo-words, numbered from 0")
    a, b, c = w % 20, w // 20 % 20, w // 400
    return _SYLLABLES[a] + _SYLLABLES[(w // 20 + 7 * a + 3) % 20] + _SYLLABLES[(c + 11 * a + 5 * b + 1) % 20]


CODES = tuple(tuple(pseudo_word(7968 + 16 * half + i) for i in range(16)) for half in (0, 1))
"""The code words of a watermark: one for its upper four bits, one for its lower four."""


def code_of(watermark: int) -> str:
    return f"{CODES[0][watermark // 16]} {CODES[1][watermark % 16]}"


def _vocabulary() -> tuple[str, ...]:
    factors = [word for values in WORDS.values() for phrase in values for word in phrase.split()]
    others = [word for values in SYNONYMS.values() for word in values]
    every = [*_FUNCTION_WORDS, *factors, *velan_lexicon().values(), *_STYLE_WORDS, *others, *CODES[0], *CODES[1]]
    return tuple(dict.fromkeys(every))


VOCABULARY = _vocabulary()
"""Every word that a caption can hold, in a fixed order: plain English first, then Velan, styles, synonyms, code words."""
