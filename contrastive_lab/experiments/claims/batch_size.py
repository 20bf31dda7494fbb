"""DCL (Yeh et al. 2022): without the positive in the denominator, small batches cost less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Seeds, Sizes, Work, difference, per_seed
from contrastive_lab.experiments.trial import train_and_measure

BATCHES = (16, 32, 64, 128, 256, 512)
METHODS = {"simclr": "NT-Xent", "dcl": "DCL"}
TEMPERATURE = 0.1


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    """Largest batches last: the slow trials start first."""
    every: dict[str, tuple[Work, dict[str, Any]]] = {}
    for batch in BATCHES:
        for method in METHODS:
            settings = sizes.settings(method, "cifar10", seed, batch_size=batch, options={"temperature": TEMPERATURE})
            options = {"count": sizes.count // 2}
            every[f"{method} batch {batch}"] = (train_and_measure, {"settings": settings, "options": options})
    return every


def questions(rows: Rows) -> Iterator[Question]:
    knn = {method: {batch: rows.of(f"{method} batch {batch}", "knn") for batch in BATCHES} for method in METHODS}
    for batch in (32, 256):
        yield Question(f"kNN at batch {batch} is higher with DCL", "DCL - NT-Xent", knn["dcl"][batch], knn["simclr"][batch])
    gain = {batch: difference(knn["dcl"][batch], knn["simclr"][batch]) for batch in (32, 512)}
    yield Question("DCL's gain in kNN is larger at batch 32 than at 512", "gain at 32 - gain at 512", gain[32], gain[512])
    yield Question(
        "kNN varies less with the batch size under DCL", "range: DCL - NT-Xent", _range(knn["dcl"]), _range(knn["simclr"]), larger=False
    )


def _range(by_batch: Mapping[int, Seeds]) -> Seeds:
    """Best minus worst batch size, for seeds that have all of them."""
    return per_seed(lambda *values: max(values) - min(values), *by_batch.values())


CLAIM = Claim(
    "dcl",
    "DCL is less sensitive to the batch size than InfoNCE",
    arms,
    questions,
    ("knn", "linear", "npc multiplier"),
    "CIFAR-10, half of `count` images; temperature 0.1 in both arms, SGD with a rate proportional to the batch.",
)
