"""Several small runs side by side, each measured at chosen epochs: what uniformity.py and collapse.py have in common."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from contrastive_lab import data, measures
from contrastive_lab.methods import Method, SimCLR, alignment_loss, uniformity_loss
from contrastive_lab.training import Moment, Settings, prepare, train
from contrastive_lab.training.observe import at_rest, represent
from contrastive_lab.training.prepare import augmentation_for

Numbers = dict[str, np.ndarray]


@dataclass(frozen=True)
class Arm:
    """One run. `loss` is "nt_xent" (at `temperature`), "alignment" or "uniformity"; `dim` is that of the embedding."""

    name: str
    loss: str = "nt_xent"
    temperature: float = 0.2
    dim: int = 64


@dataclass(frozen=True)
class Sizes:
    """What all arms of a table share; `probe` images are measured, the first of the test set after its shuffle by `seed`."""

    data: str
    count: int
    probe: int
    epochs: int
    batch_size: int
    width: int
    lr: float
    seed: int
    device: str


class Watch:
    """Measures at each of `epochs` and keeps the numbers."""

    def __init__(self, epochs: Sequence[int], measure: Callable[[Method, int], Numbers]) -> None:
        self.epochs, self.measure = epochs, measure
        self.seen: list[Numbers] = []

    def __call__(self, moment: Moment) -> None:
        if moment.epoch_end and moment.epoch in self.epochs:
            with at_rest(moment.method):
                self.seen.append(self.measure(moment.method, moment.epoch))

    def stacked(self) -> Numbers:
        """Each number with the epochs along its first axis; what was measured once keeps its shape."""
        last = self.seen[-1]
        steady = [name for name in last if name in self.seen[0]]
        return {name: np.stack([row[name] for row in self.seen]) if name in steady else last[name] for name in last}


@cache
def load(sizes: Sizes) -> tuple[data.Images, data.Images]:
    """Training images and the probe, with ten classes (CIFAR-10) or the eight colours of the scenes as labels."""
    options: dict[str, Any] = {"label": "colour", "two": 0.0} if sizes.data == "scenes" else {}
    return tuple(
        data.load(sizes.data, split, count=count, seed=sizes.seed, **options)
        for split, count in (("train", sizes.count), ("test", sizes.probe))
    )  # type: ignore[return-value]


def settings_for(arm: Arm, sizes: Sizes) -> Settings:
    hidden = max(128, 8 * sizes.width)
    return Settings.recommended(
        "simclr",
        sizes.data,
        epochs=sizes.epochs,
        batch_size=sizes.batch_size,
        width=sizes.width,
        optimizer="adamw",
        lr=sizes.lr,
        weight_decay=1e-4,
        warmup_epochs=min(1, sizes.epochs),
        seed=sizes.seed,
        device=sizes.device,
        options={"temperature": arm.temperature, "out_dim": arm.dim, "hidden_dim": hidden},
    )


def run_arm(arm: Arm, sizes: Sizes, epochs: Sequence[int], make_measure: Callable[..., Callable[[Method, int], Numbers]]) -> Numbers:
    """Train one arm and return what `make_measure(arm, sizes, images, probe, views)` measured at `epochs`."""
    began = time.monotonic()
    images, probe = load(sizes)
    settings = settings_for(arm, sizes)
    method = prepare(settings, images)
    assert isinstance(method, SimCLR)
    if arm.loss != "nt_xent":
        method.loss = LOSSES[arm.loss]  # type: ignore[method-assign]
    pair = method.make_views(augmentation_for(settings, probe))(probe.pixels, generator=torch.Generator().manual_seed(sizes.seed))
    watch = Watch(epochs, make_measure(arm, sizes, images, probe, pair.views))
    train(method, images, settings, [watch])
    print(f"{arm.name} ({arm.dim} dimensions): {time.monotonic() - began:.0f} s", flush=True)
    return watch.stacked()


def run_all(arms: Iterable[Arm], sizes: Sizes, epochs: Sequence[int], make_measure: Callable[..., Any], *, processes: int) -> list[Numbers]:
    """All arms, `processes` at a time: one small network can't fill a GPU."""
    threads = max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) // processes))
    work = partial(_quiet_arm, sizes=sizes, epochs=epochs, make_measure=make_measure, threads=threads)
    if processes == 1:
        return [work(arm) for arm in arms]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return pool.map(work, list(arms), chunksize=1)


def _quiet_arm(arm: Arm, *, threads: int, **rest: Any) -> Numbers:
    torch.set_num_threads(threads)
    return run_arm(arm, **rest)


def pull_only(z1: torch.Tensor, z2: torch.Tensor, **_: Any) -> torch.Tensor:
    return alignment_loss(z1, z2)


def push_only(z1: torch.Tensor, z2: torch.Tensor, **_: Any) -> torch.Tensor:
    return (uniformity_loss(z1) + uniformity_loss(z2)) / 2


LOSSES = {"alignment": pull_only, "uniformity": push_only}


def knn(method: Method, images: data.Images, probe: data.Images) -> float:
    """Share of the probe whose label the nearest training images guess, on the representation of clean images."""
    bank, queries = represent(method, images), represent(method, probe)
    k = 200 if len(images) >= 5000 else 50
    guess = measures.weighted_knn(bank, images.labels.to(bank.device), queries, k=min(k, len(images)))
    return float((guess == probe.labels.to(bank.device)).float().mean())


def spaced(epochs: int, count: int = 12) -> list[int]:
    """About `count` epochs from 0 to `epochs`, dense at the beginning, where most happens."""
    raw = np.concatenate([[0], np.geomspace(1, max(epochs, 1), count - 1)])
    return sorted({round(float(e)) for e in raw} | set(range(min(4, epochs + 1))))[: count + 4]


def parser(words: str, home: Path, **defaults: Any) -> argparse.ArgumentParser:
    """Options of both scripts; the defaults are those of the committed table."""
    made = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, default=home)
    made.add_argument("--device", default="auto")
    made.add_argument("--data", choices=("cifar10", "scenes"), default="cifar10")
    made.add_argument("--processes", type=int, default=1, help="runs at the same time; 8 on a GPU with 16 cores")
    for name, value in {
        "count": 10_000,
        "probe": 2000,
        "epochs": 50,
        "batch_size": 256,
        "width": 32,
        "lr": 1e-3,
        "seed": 0,
        **defaults,
    }.items():
        made.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return made


def sizes_from(args: argparse.Namespace) -> Sizes:
    return Sizes(**{name: getattr(args, name) for name in Sizes.__dataclass_fields__})


def about(command: str, sizes: Sizes, epochs: Sequence[int], probe: data.Images, **more: Any) -> dict[str, Any]:
    """What a reader of the table has to know."""
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() and sizes.device != "cpu" else "CPU"
    return {
        "command": command,
        "seed": sizes.seed,
        "sizes": {**asdict(sizes), "device": device},
        "network": "convnet",
        "epochs": list(epochs),
        "classes": list(probe.classes),
        **more,
    }
