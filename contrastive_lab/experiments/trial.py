"""One trial: a method trained with given settings and measured on everything that a table needs."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import torch

from contrastive_lab import data, measures
from contrastive_lab.data import Images
from contrastive_lab.methods import METHODS, Method
from contrastive_lab.training import Evaluate, Settings, prepare, train
from contrastive_lab.training.locality import map_locality
from contrastive_lab.training.observe import at_rest, represent

SCENES: Mapping[str, Any] = {"two": 0, "label": "colour"}
"""One object in each scene, so that its factors are well-defined labels."""


def load_pair(name: str, needs: Collection[str] = (), **options: Any) -> tuple[Images, Images]:
    """Training and test images; `count` limits the training images only. `needs` are a method's, see `data.suited`."""
    count = options.pop("count", None)
    usual = dict(SCENES) if name == "scenes" else {}
    bank, queries = data.load(name, "train", count=count, **{**usual, **options}), data.load(name, "test", **{**usual, **options})
    return data.suited(bank, needs), data.suited(queries, needs)


def train_and_measure(
    *, settings: Mapping[str, Any], options: Mapping[str, Any] | None = None, threads: int | None = None
) -> dict[str, Any]:
    """Train with `Settings.recommended(**settings)` on `data.load(..., **options)`, then measure.

    Returns the settings, the last loss and logs, `measure_network`'s numbers, training seconds, images per second (an image counts once)
    and the peak memory in MiB: what CUDA allocated, or the largest resident size of this process.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    chosen = Settings.recommended(**settings)
    bank, queries = load_pair(chosen.data, METHODS[chosen.method].needs, **(options or {}))
    cuda = chosen.device == "cuda" or (chosen.device == "auto" and torch.cuda.is_available())
    device = "cuda" if cuda else "cpu"
    bank, queries = bank.to(device), queries.to(device)
    method = prepare(chosen, bank)
    start = time.perf_counter()
    run = train(method, bank, chosen)
    if cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    peak = torch.cuda.max_memory_allocated() / 2**20 if cuda else _resident_peak()
    last = {name: value for name, value in (run.history[-1] if run.history else {}).items() if isinstance(value, int | float)}
    return {
        "settings": asdict(chosen),
        "data": {"name": bank.name, "train": len(bank), "test": len(queries), "options": dict(options or {})},
        "last": last,
        **measure_network(method.to(device), bank, queries),
        "train_seconds": round(seconds, 2),
        "images_per_second": round(chosen.epochs * (len(bank) // chosen.batch_size) * chosen.batch_size / seconds, 1),
        "peak_memory_mib": round(peak, 1),
    }


def measure_network(method: Method, bank: Images, queries: Images) -> dict[str, float]:
    """Shares in 0 ... 1 for knn (k = 200, or 50 for a bank below 5,000; temperature 0.07) and linear; the rest as in `Evaluate`.

    Embedding measures use two fixed views of 1,024 query images. `rankme_representation` and `locality_auroc` (where there are masks:
    cosine maps of object cells on images of doubled side, so that each map has at least 8 x 8 cells) look at the backbone.
    """
    device = next(method.parameters()).device
    with at_rest(method):
        numbers = Evaluate(bank, queries, probe=1024).measure(method)
        known, asked = represent(method, bank).float(), represent(method, queries).float()
        dim = method.embed(queries.take(slice(0, 2)).to(device).as_float()).shape[1]
        numbers["uniformity_of_floor"] = numbers["uniformity"] / measures.uniformity_floor(dim)
        numbers["rankme_representation"] = measures.rankme(asked)
        if bank.labels is not None and queries.labels is not None:
            numbers["linear"] = measures.linear_probe(known, bank.labels.to(device), asked, queries.labels.to(device)).top1
        for factor in ("shape", "size", "cell", "background") if bank.name == "scenes" else ():
            labels, truth = bank.factors[factor].to(device), queries.factors[factor].to(device)
            numbers[f"linear_{factor}"] = measures.linear_probe(known, labels, asked, truth).top1
        if queries.masks is not None:
            numbers["locality_auroc"] = map_locality(method, queries.take(slice(0, 200)))
    return numbers


def _resident_peak() -> float:
    if sys.platform == "win32":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
