"""One method, trained and watched on one data set, and measured at the end: what `train`, `evaluate` and the demo share."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.methods import METHODS
from contrastive_lab.training import Evaluate, Locality, Moment, Observer, Run, Settings, Snapshot, prepare, train
from contrastive_lab.training.folder import write_text

DATA_FILE, EVALUATION = "data.json", "evaluation.json"
PROBE, BANK, QUERIES = 512, 10_000, 2_000


@dataclass(frozen=True)
class Sets:
    """Training and test images of one data set, and how they were asked for."""

    train: Images
    test: Images
    request: Mapping[str, Any]


def load_sets(name: str, method: str, *, count: int | None = None, download: bool = False, **options: Any) -> Sets:
    """Train and test images; `count` training images, all by default. `options` are passed on to `data.load`.

    Where `method` needs groups or captions that the set lacks, they are made (`data.suited`).
    """
    from contrastive_lab import data

    needs = METHODS[method].needs
    one = data.load(name, split="train", count=count, download=download, **options)
    other = data.load(name, split="test", download=download, **options)
    return Sets(data.suited(one, needs), data.suited(other, needs), {"data": one.name, "count": count, "options": options})


def spread(images: Images, count: int) -> Images:
    """At most `count` images, taken evenly over the whole set."""
    if len(images) <= count:
        return images
    return images.take(torch.linspace(0, len(images) - 1, count).round().long().to(images.device))


def run_trial(settings: Settings, sets: Sets, folder: str | Path, more: Sequence[Observer] = ()) -> Run:
    """Train with everything a report needs being kept in `folder`; goes on where an earlier try stopped."""
    method = prepare(settings, sets.train)
    probe = spread(sets.test, PROBE)
    observers: list[Observer] = [Evaluate(spread(sets.train, BANK), spread(sets.test, QUERIES)), Snapshot(probe, representation=True)]
    if sets.test.masks is not None and settings.data == "scenes":
        observers.append(Locality(sets.test))
    return train(method, sets.train, settings, [Sources(Path(folder), sets, probe), *observers, *more], folder=folder)


class Sources:
    """Writes at the first moment, when the folder is known to be this run's, what its images are: a killed run is measured on them too."""

    def __init__(self, folder: Path, sets: Sets, probe: Images) -> None:
        self.folder, self.sets, self.probe = folder, sets, probe
        self.written = False

    def __call__(self, moment: Moment) -> None:
        from contrastive_lab.report import save_probe

        if not self.written:
            write_text(self.folder / DATA_FILE, json.dumps(dict(self.sets.request)))
            save_probe(self.folder, self.probe)
            self.written = True


def speaks() -> bool:
    """Whether this process reports and writes for all that train together: the first one, or the only one."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


def sets_of(folder: str | Path, settings: Settings, *, download: bool = False) -> Sets:
    """The images that the run in `folder` was trained on."""
    path = Path(folder) / DATA_FILE
    request = json.loads(path.read_text("utf-8")) if path.exists() else {"data": settings.data, "count": None, "options": {}}
    if request["data"] == "own":
        raise ValueError(
            f"run {str(folder)!r} saw images of your own, which only your script can load; measure it there, with training.Evaluate"
        )
    return load_sets(request["data"], settings.method, count=request["count"], download=download, **request["options"])


def evaluate_run(run: Run, sets: Sets, *, device: str = "cpu") -> dict[str, Any]:
    """The headline numbers of a finished run on the whole test set, also written to its folder."""
    from contrastive_lab import measures
    from contrastive_lab.doctor import machine
    from contrastive_lab.training.observe import represent

    method = run.method.to(device).eval()
    with torch.no_grad():
        numbers: dict[str, Any] = dict(Evaluate(spread(sets.train, BANK), spread(sets.test, QUERIES)).measure(method))
        bank, queries = represent(method, sets.train).float(), represent(method, sets.test).float()
        numbers["embedding_dim"] = int(method.embed(sets.test.take(slice(0, 2)).to(device).as_float()).shape[1])
    if sets.train.labels is not None and sets.test.labels is not None:
        labels, truth = sets.train.labels.to(device), sets.test.labels.to(device)
        usual = 200 if len(bank) >= 5000 else 50
        for name, k in (("knn", usual), ("knn_1", 1), ("knn_20", 20)):
            guess = measures.weighted_knn(bank, labels, queries, k=min(k, len(bank)))
            numbers[name] = (guess == truth).float().mean().item()
        numbers["knn_k"] = min(usual, len(bank))
        numbers["linear"] = measures.linear_probe(bank, labels, queries, truth).top1
    numbers["needs"] = sorted(method.needs)
    numbers["machine"] = machine(device)
    if run.folder is not None:
        write_text(run.folder / EVALUATION, json.dumps(numbers, indent=2))
    return numbers
