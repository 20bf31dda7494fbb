"""MoCHi (Kalantidis et al. 2020): synthetic negatives make the proxy task harder and the embedding more uniform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work
from contrastive_lab.experiments.trial import train_and_measure

CHANCE = 0.1
VARIANTS: dict[str, dict[str, float]] = {
    "few hard": {"n_hard": 1 / 64},
    "many hard": {"n_hard": 1 / 4},
    "pairs alone": {"s_prime": 0},
    "query mixtures alone": {"s": 0, "s_prime": 1 / 16},
    "many mixtures": {"s": 1 / 4, "s_prime": 1 / 8},
}
"""N, s and s' as shares of the queue, where they differ from the recipe's 1/16, 1/16 and 1/128."""


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    """MoCo and MoCHi, each as it is and with an oracle that removes negatives of the query's own class; MoCHi with other N, s, s'."""
    queue = max(sizes.count // 5, 128)
    plain = {"queue_length": queue}
    # In the proportions of the CIFAR recipe; the paper warms up for 10 of 200 epochs, which would leave these few steps without any.
    hard = {"n_hard": queue // 16, "s": queue // 16, "s_prime": queue // 128, "warmup_epochs": sizes.epochs / 4}
    none = {"n_hard": 1, "s": 0, "s_prime": 0, "warmup_epochs": sizes.epochs / 4}
    learners: dict[str, tuple[str, dict[str, Any]]] = {
        "moco": ("moco", plain),
        "moco, oracle": ("mochi", {**plain, **none, "oracle": True}),
        "mochi": ("mochi", {**plain, **hard}),
        "mochi, oracle": ("mochi", {**plain, **hard, "oracle": True}),
    }
    for name, shares in VARIANTS.items():
        learners[f"mochi, {name}"] = "mochi", {**plain, **hard, **{option: int(share * queue) for option, share in shares.items()}}
    return {
        name: (
            train_and_measure,
            {"settings": sizes.settings(method, "cifar10", seed, options=options), "options": {"count": sizes.count}},
        )
        for name, (method, options) in learners.items()
    }


def questions(rows: Rows) -> Iterator[Question]:
    faced, plain = rows.of("mochi", "proxy accuracy with synthetics"), rows.of("moco", "proxy accuracy")
    yield Question("MoCHi's proxy task is harder (accuracy of finding the own key)", "MoCHi - MoCo", faced, plain, larger=False)
    spread = {name: rows.of(name, "uniformity") for name in ("mochi", "moco")}
    yield Question("MoCHi's embedding is more uniform", "uniformity: MoCHi - MoCo", spread["mochi"], spread["moco"], larger=False)
    knn = {name: rows.of(name, "knn") for name in rows.arms}
    yield Question("MoCHi's kNN is higher than MoCo's", "MoCHi - MoCo", knn.get("mochi", {}), knn.get("moco", {}))
    for name in VARIANTS:
        yield Question(
            f"MoCHi's kNN is higher than MoCo's: {name}", f"MoCHi, {name} - MoCo", knn.get(f"mochi, {name}", {}), knn.get("moco", {})
        )
    share = rows.of("moco", "false negatives among hardest")
    text = "On ten classes the hardest negatives hold more of the query's class than chance"
    yield Question(text, "share in MoCo's hardest 5 %, minus chance", share, dict.fromkeys(share, CHANCE))
    for name, title in (("moco", "MoCo"), ("mochi", "MoCHi")):
        text = f"False negatives cost {title} kNN"
        yield Question(text, f"oracle - {title}", knn.get(f"{name}, oracle", {}), knn.get(name, {}))


CLAIM = Claim(
    "mochi",
    "MoCHi raises proxy difficulty and uniformity",
    arms,
    questions,
    ("knn", "linear", "proxy accuracy", "proxy accuracy with synthetics", "synthetic mass", "uniformity", "false negatives among hardest"),
    "CIFAR-10; the queue holds a fifth of the images. Logs are means over the last steps. The oracle arms use labels and are no methods. "
    "Few hard: N is a 64th of the queue instead of a 16th; many hard: a quarter; many mixtures: s is a quarter, s' an eighth. "
    "More negatives can only lower the proxy accuracy of the same encoder; the question here compares the two trained ones.",
)
