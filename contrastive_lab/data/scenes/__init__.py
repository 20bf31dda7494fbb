"""The embedded world (TinyWorld): scenes of one or two objects with every factor known, as pictures, masks and words.

A renderer is a function of `Scenes`. A new one reads the factors that it shows and draws fields of its own from `scenes.draws`.
"""

from contrastive_lab.data.scenes.factors import CLASSES, SPLITS, Scenes, World
from contrastive_lab.data.scenes.image import Rendered, boxes, render
from contrastive_lab.data.scenes.knobs import OFF, Knobs
from contrastive_lab.data.scenes.language import STYLES, captions, rewrites, styled_captions, velan_captions
from contrastive_lab.data.scenes.load import PRESETS, load
from contrastive_lab.data.scenes.parse import Mention, parse, tokenize
from contrastive_lab.data.scenes.randomness import Draws, below, mix, noise, splitmix64, uniform
from contrastive_lab.data.scenes.words import VOCABULARY, pseudo_word, velan_lexicon

__all__ = [
    "CLASSES",
    "OFF",
    "PRESETS",
    "SPLITS",
    "STYLES",
    "VOCABULARY",
    "Draws",
    "Knobs",
    "Mention",
    "Rendered",
    "Scenes",
    "World",
    "below",
    "boxes",
    "captions",
    "load",
    "mix",
    "noise",
    "parse",
    "pseudo_word",
    "render",
    "rewrites",
    "splitmix64",
    "styled_captions",
    "tokenize",
    "uniform",
    "velan_captions",
    "velan_lexicon",
]
