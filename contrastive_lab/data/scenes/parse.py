"""Back from a caption to the factors that it mentions: the inverse of `language`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from contrastive_lab.data.scenes.factors import RELATIONS, TONES
from contrastive_lab.data.scenes.words import CODES, SYNONYMS, VOCABULARY, WORDS, velan_lexicon

_VELAN = velan_lexicon()
_MEANING = {
    form: (factor, value)
    for factor, words in WORDS.items()
    if factor != "tone"
    for value, word in enumerate(words)
    for form in (word, SYNONYMS[factor][value], _VELAN[word])
}
_JOINTS = {"and", "together", _VELAN["and"]}
_KNOWN = frozenset(VOCABULARY)


@dataclass
class Mention:
    """Class numbers of what a caption says; None or a missing key where it is silent. `things` in the order of mention."""

    things: list[dict[str, int]] = field(default_factory=list)
    background: int | None = None
    tone: int | None = None
    relation: int | None = None
    watermark: int | None = None


def tokenize(caption: str) -> list[str]:
    """The words of a caption, without its marks."""
    return re.findall(r"[a-z-]+", caption)


def parse(caption: str) -> Mention:
    """Read a caption of any length, style or language of the world; ValueError names a word that is not in `VOCABULARY`."""
    unknown = [word for word in tokenize(caption) if word not in _KNOWN]
    if unknown:
        raise ValueError(f"the caption {caption!r} holds {unknown[0]!r}, which is no word of this world")
    mention = Mention()
    tail = tokenize(caption)[-2:]
    if len(tail) == 2 and tail[0] in CODES[0] and tail[1] in CODES[1]:
        mention.watermark = 16 * CODES[0].index(tail[0]) + CODES[1].index(tail[1])
        caption = caption[: caption.rindex(tail[0])]
    for sentence in re.split(r"[.?] ", caption):
        _read(sentence, mention)
    return mention


def _read(sentence: str, mention: Mention) -> None:
    words = tokenize(sentence)
    if words[:3] == ["the", "background", "is"]:
        mention.background = _MEANING[words[3]][1]
        mention.tone = TONES.index(" ".join(words[5:]))
    elif words[:1] == ["the"]:
        mention.relation = next(i for i, relation in enumerate(RELATIONS) if f" {relation} the " in sentence)
    elif words[:1] == ["it"]:
        _gather(words, mention.things[-1], mention)
    else:
        for clause in _clauses(sentence):
            thing: dict[str, int] = {}
            _gather(clause, thing, mention)
            if thing:
                mention.things.append(thing)


def _clauses(sentence: str) -> list[list[str]]:
    clauses: list[list[str]] = [[]]
    for word in tokenize(sentence.replace(",", " and")):
        if word in _JOINTS:
            clauses.append([])
        else:
            clauses[-1].append(word)
    return clauses


def _gather(words: list[str], thing: dict[str, int], mention: Mention) -> None:
    for factor, value in (_MEANING[word] for word in words if word in _MEANING):
        if factor == "background":
            mention.background = value
        else:
            thing[factor] = value
