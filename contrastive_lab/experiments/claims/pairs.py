"""Hydra (Wu et al. 2024): a gate for each pair of classes makes arbitrary pairs useful; without it they should teach nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive_lab import data
from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work
from contrastive_lab.experiments.claims.fit import fit
from contrastive_lab.experiments.trial import measure_network
from contrastive_lab.methods import Hydra, class_relations

ANIMALS = (2, 3, 4, 5, 6, 7)
VEHICLES = (0, 1, 8, 9)
CAR, CAT, DOG, TRUCK = 1, 3, 5, 9


def train_and_relate(*, settings: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The usual measures and, where there is a trained gate, cosines between the centred gates of CIFAR-10's classes."""
    bank, queries = data.load("cifar10", count=count), data.load("cifar10", "test")
    method, row = fit(settings, bank)
    assert isinstance(method, Hydra)
    device = next(method.parameters()).device
    numbers = measure_network(method, bank.to(device), queries.to(device))
    gated = settings["epochs"] > 0 and not settings["options"].get("open_gate", False)
    return {**row, **numbers, **(summary(class_relations(method.gate.class_gates()).cpu()) if gated else {})}


def summary(relations: Float[Tensor, "C C"]) -> dict[str, float]:
    """Two named pairs, mean cosines within the animals and within the vehicles, across the two, and over all other pairs."""
    named = torch.zeros_like(relations, dtype=torch.bool)
    for one, two in ((CAT, DOG), (CAR, TRUCK)):
        named[one, two] = named[two, one] = True
    other = ~named & ~torch.eye(len(relations), dtype=torch.bool)
    inside = torch.cat([_pairs(relations, ANIMALS), _pairs(relations, VEHICLES)])
    return {
        "cat-dog": float(relations[CAT, DOG]),
        "car-truck": float(relations[CAR, TRUCK]),
        "within kinds": float(inside.mean()),
        "across kinds": float(relations[list(ANIMALS)][:, list(VEHICLES)].mean()),
        "other pairs": float(relations[other].mean()),
    }


def _pairs(relations: Float[Tensor, "C C"], kind: Sequence[int]) -> Float[Tensor, "p"]:
    block = relations[list(kind)][:, list(kind)]
    one, two = torch.triu_indices(len(kind), len(kind), offset=1)
    return block[one, two]


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    """A gate or an open one, on arbitrary pairs and on pairs of one class (with an open gate the authors' SupCon); a gate on others."""
    changes: dict[str, dict[str, Any]] = {
        "gate": {"options": {"pair_mode": "arbitrary"}},
        "open gate": {"options": {"pair_mode": "arbitrary", "open_gate": True}},
        "gate, identical pairs": {"options": {"pair_mode": "identical"}},
        "open gate, identical pairs": {"options": {"pair_mode": "identical", "open_gate": True}},
        "gate, distinct pairs": {"options": {"pair_mode": "distinct"}},
        "untrained": {"epochs": 0, "options": {}},
    }
    return {
        name: (train_and_relate, {"settings": sizes.settings("hydra", "cifar10", seed, **change), "count": sizes.count})
        for name, change in changes.items()
    }


def questions(rows: Rows) -> Iterator[Question]:
    supcon = "open gate, identical pairs"
    knn = {name: rows.of(name, "knn") for name in ("gate", "open gate", supcon, "untrained")}
    yield Question("From arbitrary pairs the gate learns more than an open gate (kNN)", "gate - open gate", knn["gate"], knn["open gate"])
    yield Question("From arbitrary pairs the gate learns (kNN)", "gate - untrained", knn["gate"], knn["untrained"])
    text = "With an open gate arbitrary pairs make kNN worse than no training"
    yield Question(text, "open gate - untrained", knn["open gate"], knn["untrained"], larger=False)
    text = "The gate learns as much from arbitrary pairs as an open gate from pairs of one class, or more (kNN)"
    yield Question(text, "gate - open gate, identical pairs", knn["gate"], knn[supcon])
    text = "Arbitrary pairs keep more directions alive than pairs of one class (RankMe of the representation)"
    ranks = {name: rows.of(name, "rankme_representation") for name in ("gate", supcon)}
    yield Question(text, "gate - open gate, identical pairs", ranks["gate"], ranks[supcon])
    for pair in ("cat-dog", "car-truck"):
        text = f"Centred gates relate {pair} more than other pairs of classes (cosine)"
        yield Question(text, f"{pair} - other pairs", rows.of("gate", pair), rows.of("gate", "other pairs"))
    text = "Centred gates relate classes within animals and within vehicles more than across (cosine)"
    yield Question(text, "within - across", rows.of("gate", "within kinds"), rows.of("gate", "across kinds"))


CLAIM = Claim(
    "hydra",
    "Hydra learns from arbitrary pairs where an open gate fails, and its gates relate classes",
    arms,
    questions,
    ("knn", "linear", "rankme_representation", "cat-dog", "car-truck", "within kinds", "across kinds", "other pairs", "gate opening"),
    "CIFAR-10 with labels, which choose the pairs.",
)
