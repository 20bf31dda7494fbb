"""CACR (Zheng et al. 2023): contrasting by distance suffers less when classes are imbalanced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from contrastive_lab import data, measures
from contrastive_lab.data.subset import chosen
from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work, difference
from contrastive_lab.experiments.claims.fit import fit
from contrastive_lab.experiments.trial import measure_network
from contrastive_lab.training.observe import at_rest, represent

RARE = 3
LEARNERS = {"simclr": ("simclr", 1.0), "simclr, equal views": ("simclr", 2.0), "cacr": ("cacr", 1.0)}


def linear_tail(labels: Int64[Tensor, "N"], *, seed: int = 0) -> Int64[Tensor, "n"]:
    """Rows of an imbalanced subset, ascending: class c of C keeps the share (c + 1) / C of its images, rounded down; `seed` picks them."""
    classes = int(labels.max()) + 1
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).to(labels.device)
    members = [order[labels[order] == c] for c in range(classes)]
    return torch.cat([rows[: len(rows) * (c + 1) // classes] for c, rows in enumerate(members)]).sort().values


def train_on_part(*, settings: Mapping[str, Any], count: int, balanced: bool) -> dict[str, Any]:
    """Pre-train on the tail or on equally many balanced images; neighbours and probe always see the whole balanced set of `count`."""
    bank, queries = data.load("cifar10", count=count), data.load("cifar10", "test")
    assert bank.labels is not None
    tail = linear_tail(bank.labels)
    part = chosen(len(bank), bank.labels, len(tail), 0) if balanced else tail
    method, row = fit(settings, bank.take(part))
    device = next(method.parameters()).device
    bank, queries = bank.to(device), queries.to(device)
    with at_rest(method):
        known, asked = represent(method, bank).float(), represent(method, queries).float()
    assert bank.labels is not None
    assert queries.labels is not None
    of_class = measures.linear_probe(known, bank.labels, asked, queries.labels).per_class
    rare = {"linear_rare": sum(of_class[c] for c in range(RARE)) / RARE}
    return {**row, **measure_network(method, bank, queries), **rare}


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    every: dict[str, tuple[Work, dict[str, Any]]] = {}
    for name, (method, epochs) in LEARNERS.items():
        settings = sizes.settings(method, "cifar10", seed, epochs=epochs, batch_size=128)
        for kind in ("balanced", "tail"):
            arguments = {"settings": settings, "count": sizes.count, "balanced": kind == "balanced"}
            every[f"{name}, {kind}"] = (train_on_part, arguments)
    return every


def questions(rows: Rows) -> Iterator[Question]:
    for column, title in (
        ("knn", "kNN"),
        ("linear", "the linear probe"),
        ("linear_rare", f"the linear probe on the {RARE} rarest classes"),
    ):
        drop = {name: difference(rows.of(f"{name}, balanced", column), rows.of(f"{name}, tail", column)) for name in LEARNERS}
        for rival, budget in (("simclr", "equal epochs"), ("simclr, equal views", "equal views")):
            text = f"The tail costs CACR less in {title} ({budget})"
            yield Question(text, "drop: CACR - SimCLR", drop["cacr"], drop[rival], larger=False)


CLAIM = Claim(
    "cacr",
    "CACR is more robust on a long-tailed set",
    arms,
    questions,
    ("knn", "linear", "linear_rare"),
    "CIFAR-10 with (c + 1) / 10 of class c (the authors' linear rate; their exponential one leaves no image of the rare classes here) "
    "against equally many balanced images. CACR sees four views of an image where SimCLR sees two, so SimCLR runs for one and for two "
    "budgets of epochs.",
)
