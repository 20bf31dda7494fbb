"""The reference runs: every method trained on real images for many epochs, recorded in results/, and shipped small.

    python benchmarks/runs.py cifar10 --width 16 --jobs 6 --gpus 2 --minutes 9 --keep checkpoints    small twins, whose weights ship
    python benchmarks/runs.py cifar10 --width 64 --only simclr dcl --seeds 0 1 2 --jobs 2 --gpus 2   the sizes of published tables
    python benchmarks/runs.py stl10 --width 16 --only simclr dcl swav pixpro pixcontrast    there SwAV's own recipe has small crops
    python benchmarks/runs.py cifar10 --minutes 0                                                    only print the table

One protocol for all: equal epochs, the last epoch counts (never the best), kNN with the whole training set as bank (k 200), a linear probe
on frozen features, no choice by test accuracy. A run that is not finished after `--minutes` leaves a checkpoint below `--keep`, and the
same command goes on from there. Several small runs share one card best under CUDA MPS (`nvidia-cuda-mps-control -d`), and not beside one
of width 64, which takes the card. Runs of width 32 and below are written to contrastive_lab/runs/finished_runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from contrastive_lab import measures
from contrastive_lab.data import Images
from contrastive_lab.experiments import Trial, environment, run_trials, spread
from contrastive_lab.experiments.claims.separation import probe_codes
from contrastive_lab.experiments.trial import load_pair, measure_network
from contrastive_lab.methods import METHODS, SepCLR
from contrastive_lab.runs import FOLDER, ship
from contrastive_lab.training import Evaluate, Moment, Run, Settings, Snapshot, prepare, train
from contrastive_lab.training.machine import usable_device
from contrastive_lab.training.observe import at_rest, represent

RESULTS = Path(__file__).parent.parent / "results"
SHIPPED_WIDTH, SHOWN_IMAGES, BANK = 32, 500, 200
RECORDED = ("loss", "knn", "alignment", "uniformity", "rankme", "participation_ratio", "std")
CROPS = {"small_crops": 4, "small_size": 18, "small_scale": (0.05, 0.14)}
SUPCON = {"pair_mode": "identical", "open_gate": True}
RUNS: Mapping[str, Mapping[str, Any]] = {
    "simclr": {"method": "simclr"},
    "simclr-t0.1": {"method": "simclr", "options": {"temperature": 0.1}},
    "simclr-t0.2": {"method": "simclr", "options": {"temperature": 0.2}},
    "dcl": {"method": "dcl"},
    "dclw": {"method": "dclw"},
    "cacr": {"method": "cacr"},
    "moco": {"method": "moco"},
    "moco-symmetric": {"method": "moco", "lr": 0.12, "options": {"symmetric": True, "temperature": 0.1}},
    "mochi": {"method": "mochi"},
    "swav": {"method": "swav"},
    "swav-b512": {"method": "swav", "batch_size": 512},
    "swav-multicrop": {"method": "swav", "options": CROPS},
    "pixpro": {"method": "pixpro"},
    "pixcontrast": {"method": "pixcontrast"},
    "hydra": {"method": "hydra"},
    "hydra-e50": {"method": "hydra", "epochs": 50},
    "supcon": {"method": "hydra", "options": SUPCON},
    "supcon-e50": {"method": "hydra", "options": SUPCON, "epochs": 50},
    "clip": {"method": "clip", "options": {"buckets": 2304, "length": 16}},
    "sepclr": {"method": "sepclr"},
    "untrained": {"method": "simclr", "epochs": 0},
}
"""What each run changes from the recommended settings of its method.

simclr-t0.1 and -t0.2: the temperatures of DCL and of solo-learn's SimCLR. moco-symmetric: the choices behind lightly's published MoCo.
swav-b512: the larger of lightly's batch sizes. supcon: Hydra's program with pairs of one class and an open gate, which Hydra's authors call
SupCon (in Khosla's the positives of an anchor also compete with each other). hydra-e50 and supcon-e50: as long as Hydra's authors train.
"""
ASIDE = ("simclr-t0.1", "simclr-t0.2", "moco-symmetric", "swav-b512", "hydra-e50", "supcon-e50")
"""Runs that stand beside one published number: made only when they are named, so that no twin of theirs ships."""

COLUMNS = {
    "knn": ("kNN %", 100),
    "linear": ("linear %", 100),
    "alignment": ("alignment", 1),
    "uniformity_of_floor": ("uniformity, % of floor", 100),
}
COLUMNS |= {
    "rankme": ("RankMe", 1),
    "train_minutes": ("minutes", 1),
    "images_per_second": ("images/s", 1),
    "peak_memory_mib": ("peak MiB", 1),
}


class OutOfTime:
    """An observer that interrupts training in the first epoch that begins after `deadline` (of `time.time`), when the last one is saved."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def __call__(self, moment: Moment) -> None:
        begins = moment.iteration % moment.progress.steps_per_epoch == 1
        if begins and time.time() > self.deadline:
            raise KeyboardInterrupt


def make_run(
    *,
    name: str,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    command: str,
    deadline: float,
    keep: str | None,
    threads: int | None,
) -> dict[str, Any]:
    """Train, measure, ship; raises TimeoutError if the deadline came first."""
    if threads is not None:
        torch.set_num_threads(threads)
    chosen = Settings.recommended(**settings)
    bank, queries = load_pair(chosen.data, METHODS[chosen.method].needs, **options)
    device = usable_device(chosen.device)
    bank, queries = bank.to(device), queries.to(device)
    every = max(1, chosen.epochs // 20)
    watch = Evaluate(bank, queries, every=every, probe=1024)
    shown = queries.take(torch.arange(min(SHOWN_IMAGES, len(queries)), device=queries.device))
    observers = [watch, Snapshot(shown, every=every), OutOfTime(deadline)]
    run = train(prepare(chosen, bank), bank, chosen, observers, folder=None if keep is None else Path(keep) / name)
    if run.state != "finished":
        raise TimeoutError(
            f"stopped after epoch {run.history[-1]['epoch']:.0f} of {chosen.epochs}" + ("" if keep else "; nothing was kept")
        )
    row = _row(run, bank, queries, options)
    if chosen.width <= SHIPPED_WIDTH:
        keys = ("settings", "data", "measured", "train_seconds")
        card = {"name": name, **{key: row[key] for key in keys}, "environment": environment(), "command": command}
        ship(run, FOLDER / name, card, labels=shown.labels)
    return row


def _row(run: Run, bank: Images, queries: Images, options: Mapping[str, Any]) -> dict[str, Any]:
    settings, method = run.settings, run.method.to(bank.device)
    measured = measure_network(method, bank, queries)
    measured["knn_t10"] = _knn(run, bank, queries, temperature=0.1)
    if isinstance(method, SepCLR):
        measured |= probe_codes(method, bank, queries, common="photograph")
    seconds = float(run.history[-1]["seconds"]) if run.history else 0.0
    cuda = bank.device.type == "cuda"
    return {
        "settings": asdict(settings),
        "data": {"name": bank.name, "train": len(bank), "test": len(queries), "options": dict(options)},
        "measured": measured,
        "history": {name: run.column(name) for name in RECORDED if run.history and name in run.history[-1]},
        "train_seconds": round(seconds, 1),
        "images_per_second": round(settings.epochs * len(bank) / max(seconds, 1e-9), 1),
        "peak_memory_mib": round(torch.cuda.max_memory_allocated() / 2**20, 1) if cuda else None,
    }


def _knn(run: Run, bank: Images, queries: Images, *, temperature: float) -> float:
    assert bank.labels is not None
    assert queries.labels is not None
    with at_rest(run.method):
        known, asked = represent(run.method, bank), represent(run.method, queries)
    guess = measures.weighted_knn(known, bank.labels, asked, k=min(BANK, len(bank)), temperature=temperature)
    return (guess == queries.labels).float().mean().item()


def trials(args: argparse.Namespace) -> list[Trial]:
    """Seeds outside, so that a stop leaves whole rounds."""
    deadline = time.time() + 60 * args.minutes
    place = {"deadline": deadline, "keep": args.keep, "threads": args.threads}
    shared = {"data": args.data, "network": args.network, "width": args.width, "precision": args.precision, "device": args.device}
    planned = []
    for seed in args.seeds:
        for name in args.only or [name for name in RUNS if name not in ASIDE]:
            own = {"epochs": args.epochs, **shared, "seed": seed, "compile": args.compile, **RUNS[name]}
            if args.batch_size:
                own["batch_size"] = args.batch_size
            title = f"{args.data}-{name}-w{args.width}-s{seed}"
            options = {"count": args.count} if args.count else {}
            command = _command(args, name, seed)
            planned.append(Trial(title, make_run, {"name": title, "settings": own, "options": options, "command": command, **place}))
    return planned


def _command(args: argparse.Namespace, name: str, seed: int) -> str:
    """What remakes this one run, without where it ran and what ran beside it."""
    epochs = RUNS[name].get("epochs", args.epochs)
    words = [args.data, "--only", name, "--seeds", seed, "--epochs", epochs, "--network", args.network, "--width", args.width]
    words += ["--precision", args.precision, "--compile" if args.compile else "--no-compile"]
    words += ["--batch-size", args.batch_size] if args.batch_size else []
    words += ["--count", args.count] if args.count else []
    return " ".join(map(str, ["python benchmarks/runs.py", *words]))


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: mean ± standard deviation over seeds of each run."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for key, row in results.items():
        if "error" not in row:
            numbers = {**row["measured"], "train_minutes": row["train_seconds"] / 60}
            numbers |= {name: row[name] for name in ("images_per_second", "peak_memory_mib")}
            runs.setdefault(key.rsplit("-s", 1)[0], []).append({**numbers, "epochs": row["settings"]["epochs"]})
    lines = ["| run | epochs | seeds | " + " | ".join(title for title, _ in COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 3) + "|"]
    for name, rows in sorted(runs.items()):
        cells = []
        for column, (_, factor) in COLUMNS.items():
            values = [factor * row[column] for row in rows if row.get(column) is not None]
            mean, deviation = spread(values) if values else (float("nan"), 0.0)
            digits = 3 if column == "alignment" else 0 if mean >= 1000 else 1
            cells.append(f"{mean:.{digits}f}" + (f" ± {deviation:.{digits}f}" if len(values) > 1 else "") if values else "")
        lines.append(f"| {name} | {rows[0]['epochs']} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["scenes", "cifar10", "stl10"])
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=RUNS,
        metavar="run",
        help=f"some of {', '.join(RUNS)}; by default all but {', '.join(ASIDE)}",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--batch-size", type=int, help="that of the method's recipe by default; the learning rate follows it")
    parser.add_argument("--count", type=int, help="training images; all by default")
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available())
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop then; what is not finished goes on next time")
    parser.add_argument("--keep", help="folder for the checkpoints of unfinished runs; without it they start again")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--gpus", type=int, default=0, help="spread the jobs over so many GPUs")
    parser.add_argument("--threads", type=int, help="CPU threads of a run")
    parser.add_argument("--out", type=Path, help="results file; results/runs-DATA.json by default")
    args = parser.parse_args()
    out = args.out or RESULTS / f"runs-{args.data}.json"
    results = run_trials(trials(args), out, minutes=args.minutes, jobs=args.jobs, gpus=args.gpus)
    print(table(results))
    for name, row in results.items():
        if "error" in row:
            print(f"{name} is not finished: {row['error']}")


if __name__ == "__main__":
    main()
