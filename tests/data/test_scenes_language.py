import numpy as np
import pytest

from contrastive_lab.data import scenes
from contrastive_lab.data.scenes.words import _LEXICON, CODES, SYNONYMS, WORDS

WORLDS = [
    scenes.World(),
    scenes.World(knobs=scenes.Knobs(synonyms=0.5, watermark=0.5)),
    scenes.World(seed=2, split="ood", knobs=scenes.Knobs(synonyms=1.0)),
]


def facts(s, n, factors):
    """The objects of scene n as the parser would report them."""
    names = {"row": s.cell // 3, "column": s.cell % 3}
    return [{f: int(names.get(f, getattr(s, f, None))[n, k]) for f in factors} for k in range(1 + int(s.two[n]))]


@pytest.mark.parametrize("world", WORLDS)
def test_parsing_inverts_every_short_and_long_caption(world):
    s = world.draw(range(300))
    for n, (short, long) in enumerate(scenes.captions(s)):
        told = scenes.parse(short)
        assert told.things == facts(s, n, ("size", "colour", "shape"))
        assert told.background == (s.background[n] if s.template[n] == 3 else None)
        assert (told.tone, told.relation) == (None, None)
        everything = scenes.parse(long)
        assert everything.things == facts(s, n, ("size", "shape", "colour", "row", "column"))
        assert (everything.background, everything.tone) == (s.background[n], s.tone[n])
        assert everything.relation == (s.relation[n] if s.two[n] else None)
        assert told.watermark == everything.watermark == (s.watermark[n] if s.watermark[n] >= 0 else None)


@pytest.mark.parametrize("style", range(5))
def test_parsing_inverts_every_style(style):
    s = scenes.World().draw(range(300))
    factors = ("shape", "colour", "size", "column") if scenes.STYLES[style] == "note" else ("size", "colour", "shape")
    for n, caption in enumerate(scenes.styled_captions(s, style)):
        assert scenes.parse(caption).things == facts(s, n, factors)


@pytest.mark.parametrize("r", range(5))
def test_rewrites_keep_the_facts(r):
    s = scenes.World().draw(range(300))
    for n, caption in enumerate(scenes.rewrites(s, r)):
        told = [{f: thing[f] for f in ("size", "colour", "shape")} for thing in scenes.parse(caption).things]
        expected = facts(s, n, ("size", "colour", "shape"))
        assert told in (expected, expected[::-1])
        assert "observe" not in caption


def test_rewrites_differ_in_style_words_and_order():
    s = scenes.World(two=1.0).draw(range(400))
    first, second = scenes.rewrites(s, 0), scenes.rewrites(s, 1)
    assert np.mean([a == b for a, b in zip(first, second, strict=True)]) < 0.02
    starts = {caption.split()[0] for caption in first}
    assert {"what", "we", "a", "there"} <= starts
    assert any(word in caption for caption in first for word in ("crimson", "azure"))
    turned = [scenes.parse(c).things[0]["shape"] != s.shape[n, 0] for n, c in enumerate(first)]
    assert 0.3 < np.mean(turned) < 0.55


@pytest.mark.parametrize("shared", [0.0, 0.2, 1.0])
def test_parsing_inverts_velan(shared):
    s = scenes.World().draw(range(300))
    for n, caption in enumerate(scenes.velan_captions(s, shared)):
        assert scenes.parse(caption).things == facts(s, n, ("shape", "colour", "size"))
        assert [len(part) for part in caption.split()] == [4] * len(caption.split()) or shared


def test_captions_by_hand():
    s = scenes.World().draw(range(4))
    short, long = scenes.captions(s)[3]
    assert short == "a large orange ring and a small white circle"
    assert long == (
        "the background is dotted and light. one object is a large ring. it is orange. it sits at the top right. "
        "another object is a small circle. it is white. it sits at the top centre. the orange ring is right of the white circle"
    )
    assert scenes.styled_captions(s, 1)[3] == "ring orange large right, circle white small centre"
    assert scenes.styled_captions(s, 2)[3] == f"what is there? {short}"
    assert scenes.styled_captions(s, 3)[3] == "we can see a large orange ring together with a small white circle"
    assert scenes.styled_captions(s, 4)[3] == "observe a large orange object of type ring and a small white object of type circle"


def test_word_counts_of_the_specification():
    s = scenes.World().draw(range(1000))
    english = {word for pair in scenes.captions(s) for caption in pair for word in scenes.tokenize(caption)}
    velan = {word for caption in scenes.velan_captions(s) for word in scenes.tokenize(caption)}
    assert (len(english), len(velan), len(english | velan)) == (49, 18, 67)
    assert max(len(scenes.tokenize(long)) for _, long in scenes.captions(s)) == 46


def test_every_word_is_in_the_vocabulary_and_every_word_of_the_vocabulary_once():
    s = scenes.World(knobs=scenes.Knobs(synonyms=0.5, watermark=0.5)).draw(range(500))
    spoken = [caption for pair in scenes.captions(s) for caption in pair]
    spoken += [c for r in range(5) for c in scenes.rewrites(s, r)] + [*scenes.styled_captions(s, 4), *scenes.velan_captions(s)]
    words = {word for caption in spoken for word in scenes.tokenize(caption)}
    assert words <= set(scenes.VOCABULARY)
    unspoken = {word for factor in ("row", "column", "background") for word in map(scenes.velan_lexicon().get, WORDS[factor])}
    assert set(scenes.VOCABULARY) - words == unspoken | {scenes.velan_lexicon()["background"]}
    assert len(set(scenes.VOCABULARY)) == len(scenes.VOCABULARY) == 145


def test_invented_words_are_distinct_from_each_other_and_from_english():
    pseudo = [scenes.pseudo_word(w) for w in range(8000)]
    velan = list(scenes.velan_lexicon().values())
    plain = set(scenes.VOCABULARY) - set(velan) - set(CODES[0]) - set(CODES[1])
    assert len(set(pseudo)) == 8000
    assert len(set(velan)) == len(velan) == 29
    assert len(plain) == 145 - 29 - 32
    assert not set(pseudo) & (plain | set(velan))
    assert (velan[0], velan[1], velan[20], pseudo[0], pseudo[1]) == ("basa", "kope", "bano", "batuko", "kogazi")


def test_shared_words_keep_their_english_form_and_grow_with_the_fraction():
    none, some, every = (scenes.velan_lexicon(shared) for shared in (0.0, 0.2, 1.0))
    kept = {word for word in some if some[word] == word}
    assert len(kept) == round(0.2 * 29)
    assert {word for word in _LEXICON if none[word] == word} == set()
    assert kept == set(sorted(_LEXICON, key=lambda word: scenes.mix(_LEXICON.index(word)))[:6])
    assert all(every[word] == word for word in _LEXICON)


def test_a_mismatched_caption_is_the_caption_of_the_scene_it_names():
    plain, mixed = (scenes.World(knobs=scenes.Knobs(mismatch=m)).draw(range(512)) for m in (0.0, 0.4))
    truth, told = scenes.captions(plain), scenes.captions(mixed)
    assert mixed.caption_of.max() < 512
    assert all(told[n] == truth[source] for n, source in enumerate(mixed.caption_of))
    assert sum(a != b for a, b in zip(truth, told, strict=True)) > 100


def test_synonyms_reach_every_factor_word_and_only_at_their_rate():
    s = scenes.World(knobs=scenes.Knobs(synonyms=0.25)).draw(range(1000))
    colours = [scenes.tokenize(long) for _, long in scenes.captions(s)]
    switched = [bool(set(words) & set(SYNONYMS["background"])) for words in colours]
    assert np.mean(switched) == pytest.approx(0.25, abs=0.04)
    always = " ".join(long for _, long in scenes.captions(WORLDS[2].draw(range(100))))
    assert not set(always.replace(". ", " ").split()) & {w for f in SYNONYMS for w in WORDS[f] if w not in ("left", "right")}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scenes.parse("a small red zebra"), "zebra"),
        (lambda: scenes.rewrites(scenes.World().draw(range(1)), 5), "r is 5"),
        (lambda: scenes.styled_captions(scenes.World().draw(range(1)), 7), "style is 7"),
        (lambda: scenes.pseudo_word(8000), "w is 8000"),
        (lambda: scenes.velan_lexicon(1.2), "shared is 1.2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
