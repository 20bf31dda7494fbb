"""What is said about a scene: short and long captions, five styles, rewrites, and captions in the invented language Velan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from contrastive_lab.data.scenes.factors import RELATIONS, Scenes
from contrastive_lab.data.scenes.words import SLOTS, Say, Scene, Thing, code_of, each_scene, plainly, velan_lexicon, with_synonyms

STYLES = ("caption", "note", "question", "narrative", "held out")
"""Names of the styles; rewrites never draw the last one, so that it can test what language has taught."""

_REWRITES = 5  # the fields of a sixth would be those of the typos


def captions(scenes: Scenes) -> tuple[tuple[str, str], ...]:
    """(short, long) for each scene.

    The short caption names size, colour and shape of the objects, and the background in one of four templates. Position, tone and
    relation are in the long one only. The knobs mismatch, synonyms and watermark act here.
    """
    described = _described(scenes)
    chance = scenes.world.knobs.synonyms
    switched = np.stack([described.draws.uniform(60 + slot) < chance for slot in range(len(SLOTS))], axis=1)
    pairs = zip(each_scene(described), _says(switched), _codes(described), strict=True)
    return tuple((short_caption(scene, say) + code, long_caption(scene, say) + (code and "." + code)) for scene, say, code in pairs)


def short_caption(scene: Scene, say: Say = plainly) -> str:
    phrase = _phrases(scene, say)
    match scene.template:
        case 0:
            return phrase
        case 1:
            return f"there is {phrase}"
        case 2:
            return f"a picture of {phrase}"
        case _:
            return f"{phrase} on a {say('background', scene.background, 0)} background"


def long_caption(scene: Scene, say: Say = plainly) -> str:
    """At most 46 words in sentences separated by ". "."""
    sentences = [f"the background is {say('background', scene.background, 0)} and {say('tone', scene.tone, 0)}"]
    for which, (k, thing) in zip(("one", "another"), scene.things, strict=False):
        sentences.append(f"{which} object is a {say('size', thing.size, k)} {say('shape', thing.shape, k)}")
        sentences.append(f"it is {say('colour', thing.colour, k)}")
        sentences.append(f"it sits at the {say('row', thing.row, k)} {say('column', thing.column, k)}")
    if scene.relation >= 0:
        first, second = (f"the {say('colour', thing.colour, k)} {say('shape', thing.shape, k)}" for k, thing in scene.things)
        sentences.append(f"{first} is {RELATIONS[scene.relation]} {second}")
    return ". ".join(sentences)


def styled(scene: Scene, style: int, say: Say = plainly) -> str:
    """The short caption in another style (`STYLES`); a note tells the column as well."""
    match STYLES[style]:
        case "caption":
            return short_caption(scene, say)
        case "note":
            return ", ".join(_note(k, thing, say) for k, thing in scene.things)
        case "question":
            return f"what is there? {_phrases(scene, say)}"
        case "narrative":
            return f"we can see {_phrases(scene, say, ' together with ')}"
        case _:
            return f"observe {' and '.join(_typed(k, thing, say) for k, thing in scene.things)}"


def styled_captions(scenes: Scenes, style: int | None = None) -> tuple[str, ...]:
    """One caption for each scene in the given style, or in a style of its own drawn among the first four (field 70)."""
    if style is not None and not 0 <= style < len(STYLES):
        raise ValueError(f"style is {style}, but must be None or a position in scenes.STYLES, 0 to {len(STYLES) - 1}")
    described = _described(scenes)
    drawn = described.draws.below(4, 70).tolist() if style is None else [style] * len(scenes)
    return tuple(styled(scene, s) for scene, s in zip(each_scene(described), drawn, strict=True))


def rewrites(scenes: Scenes, r: int) -> tuple[str, ...]:
    """Rewrite r (0 to 4) of each caption: style, synonyms and order of the objects drawn anew, the facts unchanged."""
    if not 0 <= r < _REWRITES:
        raise ValueError(f"r is {r}, but rewrites are numbered 0 to {_REWRITES - 1}")
    described, field = _described(scenes), 100 + 20 * r
    draws = described.draws
    switched = np.stack([draws.uniform(field + 2 + slot) < 0.5 for slot in range(len(SLOTS))], axis=1)
    columns = draws.below(4, field).tolist(), (draws.uniform(field + 1) < 0.5).tolist(), draws.below(4, field + 11).tolist()
    written = []
    for scene, say, style, turned, template in zip(each_scene(described), _says(switched), *columns, strict=True):
        things = scene.things[::-1] if turned else scene.things
        written.append(styled(scene._replace(things=things, template=template), style, say))
    return tuple(written)


def velan_captions(scenes: Scenes, shared: float = 0.0) -> tuple[str, ...]:
    """Noun, colour, size of each object in Velan; `shared` is the fraction of the lexicon that keeps its English form."""
    lexicon = velan_lexicon(shared)

    def phrase(thing: Thing) -> str:
        return " ".join(lexicon[plainly(factor, getattr(thing, factor), 0)] for factor in ("shape", "colour", "size"))

    joint = f" {lexicon['and']} "
    return tuple(joint.join(phrase(thing) for _, thing in scene.things) for scene in each_scene(_described(scenes)))


def _described(scenes: Scenes) -> Scenes:
    same = np.array_equal(scenes.caption_of, scenes.draws.index)
    return scenes if same else scenes.world.draw(scenes.caption_of)


def _says(switched: Bool[np.ndarray, "N S"]) -> Iterator[Say]:
    for row in switched.tolist():
        yield with_synonyms(row) if any(row) else plainly


def _codes(scenes: Scenes) -> list[str]:
    return [f" {code_of(number)}" if number >= 0 else "" for number in scenes.watermark.tolist()]


def _phrases(scene: Scene, say: Say, joint: str = " and ") -> str:
    return joint.join(_noun_phrase(k, thing, say) for k, thing in scene.things)


def _noun_phrase(k: int, thing: Thing, say: Say) -> str:
    return f"a {say('size', thing.size, k)} {say('colour', thing.colour, k)} {say('shape', thing.shape, k)}"


def _note(k: int, thing: Thing, say: Say) -> str:
    return " ".join(say(factor, getattr(thing, factor), k) for factor in ("shape", "colour", "size", "column"))


def _typed(k: int, thing: Thing, say: Say) -> str:
    return f"a {say('size', thing.size, k)} {say('colour', thing.colour, k)} object of type {say('shape', thing.shape, k)}"
