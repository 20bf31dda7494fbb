"""MoCo's own demo: a loss in both directions is better than in one. And what else sets other libraries' MoCo apart from the recipe here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work
from contrastive_lab.experiments.trial import train_and_measure
from contrastive_lab.methods import METHODS

BOTH = {"symmetric": True}
SHARP = {"temperature": 0.1}
CHANGES: dict[str, str] = {
    "both directions": "Both directions beat one",
    "temperature 0.1": "A temperature of 0.1 beats 0.2",
    "twice the rate": "Twice the learning rate is better",
    "all three": "All three changes together are better",
    "twice as long": "Training twice as long in one direction is better",
}


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    """The CIFAR-10 recipe, each change alone, all three, and the recipe for as many passes of images as both directions take."""
    queue = {"queue_length": max(sizes.count // 5, 128)}
    twice = {"lr": 2 * METHODS["moco"].recipe("cifar10").lr}
    changed: dict[str, dict[str, Any]] = {
        "one direction": {},
        "both directions": {"options": BOTH},
        "temperature 0.1": {"options": SHARP},
        "twice the rate": twice,
        "all three": {"options": BOTH | SHARP, **twice},
        "twice as long": {"epochs": 2},
    }
    rows = {}
    for name, own in changed.items():
        settings = sizes.settings("moco", "cifar10", seed, **{**own, "options": queue | own.get("options", {})})
        rows[name] = train_and_measure, {"settings": settings, "options": {"count": sizes.count}}
    return rows


def questions(rows: Rows) -> Iterator[Question]:
    knn = {name: rows.of(name, "knn") for name in rows.arms}
    plain = knn.get("one direction", {})
    for name, text in CHANGES.items():
        yield Question(f"{text} (kNN)", f"{name} - one direction", knn.get(name, {}), plain)
    text = "Both directions beat one that is trained twice as long (kNN)"
    yield Question(text, "both directions - twice as long", knn.get("both directions", {}), knn.get("twice as long", {}))


CLAIM = Claim(
    "moco",
    "MoCo in both directions",
    arms,
    questions,
    ("knn", "linear", "alignment", "uniformity", "proxy accuracy"),
    "CIFAR-10; the queue holds a fifth of the images. A loss in both directions passes every image through both networks, twice the work "
    "of one direction, so one that is trained twice as long stands beside it. lightly's MoCo has all three changes. Runs are short: what "
    "they say about 200 epochs is a guess.",
)
