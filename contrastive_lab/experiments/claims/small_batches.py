"""SwAV (Caron et al. 2020): codes of a small batch stay meaningful if a queue joins the balancing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work, difference
from contrastive_lab.experiments.trial import train_and_measure

BATCH = 64
QUEUE = 15 * BATCH
"""15 batches, as in the paper (3,840 for batches of 256)."""
PROTOTYPES = (64, 512)


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    every: dict[str, tuple[Work, dict[str, Any]]] = {}
    for count in PROTOTYPES:
        for queue in (0, QUEUE):
            options = {"n_prototypes": count, "queue_length": queue, "queue_start": sizes.epochs / 4}
            every[_name(count, queue)] = _trial(sizes, seed, options=options)
    return {**every, "untrained": _trial(sizes, seed, epochs=0)}


def _trial(sizes: Sizes, seed: int, **changes: Any) -> tuple[Work, dict[str, Any]]:
    settings = sizes.settings("swav", "cifar10", seed, batch_size=BATCH, **changes)
    return train_and_measure, {"settings": settings, "options": {"count": sizes.count // 2}}


def _name(count: int, queue: int) -> str:
    return f"K {count}, {'queue' if queue else 'no queue'}"


def questions(rows: Rows) -> Iterator[Question]:
    knn = {name: rows.of(name, "knn") for name in (_name(count, queue) for count in PROTOTYPES for queue in (0, QUEUE))}
    few, many = PROTOTYPES
    for count in PROTOTYPES:
        text = f"With batches of {BATCH} and {count} prototypes the queue raises kNN"
        yield Question(text, "queue - no queue", knn[_name(count, QUEUE)], knn[_name(count, 0)])
    gain = {count: difference(knn[_name(count, QUEUE)], knn[_name(count, 0)]) for count in PROTOTYPES}
    yield Question("The queue matters more where prototypes outnumber the batch", f"gain at {many} - gain at {few}", gain[many], gain[few])
    text = f"Without comparing pairs, batches of {BATCH} and a queue beat the untrained network in kNN"
    yield Question(text, f"SwAV (K {many}, queue) - untrained", knn[_name(many, QUEUE)], rows.of("untrained", "knn"))


CLAIM = Claim(
    "swav",
    "SwAV works without pairwise comparisons, and with small batches through its queue",
    arms,
    questions,
    ("knn", "linear", "prototypes used", "code entropy", "loss below ln K"),
    "CIFAR-10, half of `count` images. The queue joins after a quarter of the epochs (epoch 15 in the paper).",
)
