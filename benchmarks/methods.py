"""Every method, a matched SimCLR and an untrained network on one data set, several seeds each: results/methods-DATA.json and a table.

    python benchmarks/methods.py scenes --count 3000 --epochs 30                                           what results/ has
    python benchmarks/methods.py cifar10 --count 20000 --network resnet18 --width 32 --epochs 12 --precision bf16-mixed --compile
    python benchmarks/methods.py scenes --count 3000 --epochs 30 --only mine simclr untrained --out results/methods-mine.json

What is finished is kept; the same command goes on where it stopped. All methods see equally many epochs; each uses its own recipe. On
CIFAR-10 SimCLR is trained a second time at DCL's temperature, so that the two differ in the loss alone. Runs of another size go to
a file of their own, since a table compares what lies in one file; `lab.beside("mine", results="methods-mine")` shows it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contrastive_lab.experiments import Trial, run_trials, spread, train_and_measure
from contrastive_lab.experiments.schedule import read_results
from contrastive_lab.methods import METHODS

RESULTS = Path(__file__).parent.parent / "results"
ARMS: dict[str, dict[str, Any]] = {
    "untrained": {"method": "simclr", "epochs": 0},
    **{name: {"method": name} for name, method in METHODS.items() if not method.needs & {"groups", "captions"}},
    "simclr-t0.1": {"method": "simclr", "options": {"temperature": 0.1}},
}
ONLY_ON = {"simclr-t0.1": "cifar10"}
COLUMNS = {
    "knn": ("kNN %", 100),
    "linear": ("linear %", 100),
    "alignment": ("alignment", 1),
    "uniformity_of_floor": ("uniformity, % of floor", 100),
    "rankme": ("RankMe", 1),
    "participation_ratio": ("part. ratio", 1),
    "locality_auroc": ("locality AUROC", 1),
    "train_seconds": ("seconds", 1),
    "peak_memory_mib": ("peak MiB", 1),
}


def trials(args: argparse.Namespace) -> list[Trial]:
    """Seeds outside, arms inside, so that a stop leaves whole rounds."""
    every = []
    for seed in args.seeds:
        for name, own in ARMS.items():
            if (args.only and name not in args.only) or ONLY_ON.get(name, args.data) != args.data:
                continue
            settings = {
                "data": args.data,
                "epochs": args.epochs,
                "network": args.network,
                "width": args.width,
                "seed": seed,
                "precision": args.precision,
                "device": args.device,
                "compile": args.compile,
                **own,
            }
            options = {"count": args.count} if args.count else {}
            every.append(Trial(f"{name}/{seed}", train_and_measure, {"settings": settings, "options": options, "threads": args.threads}))
    return every


def other_size(args: argparse.Namespace, results: Mapping[str, Mapping[str, Any]]) -> str:
    """How the runs in a file differ in size from those that are asked for; empty if they don't."""
    for row in results.values():
        if "error" not in row and row["settings"]["epochs"]:
            there = {**{key: row["settings"][key] for key in ("epochs", "network", "width")}, "count": row["data"]["options"].get("count")}
            if differ := [f"--{key} {value or 'of all'}" for key, value in there.items() if value != getattr(args, key)]:
                return " ".join(differ)
    return ""


def table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown: mean ± standard deviation over seeds."""
    methods: dict[str, list[dict[str, Any]]] = {}
    for key, row in results.items():
        if "error" not in row:
            methods.setdefault(key.split("/")[0], []).append(row)
    shown = {name: column for name, column in COLUMNS.items() if any(name in row for rows in methods.values() for row in rows)}
    lines = ["| method | seeds | " + " | ".join(title for title, _ in shown.values()) + " |", "|---" * (len(shown) + 2) + "|"]
    for name in sorted(methods, key=list(ARMS).index):
        rows, cells = methods[name], []
        for column, (_, factor) in shown.items():
            values = [factor * row[column] for row in rows if column in row]
            mean, deviation = spread(values) if values else (float("nan"), 0.0)
            digits = 3 if factor == 1 and mean < 10 else 1
            cells.append(f"{mean:.{digits}f} ± {deviation:.{digits}f}" if values else "")
        lines.append(f"| {name} | {len(rows)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["scenes", "cifar10", "stl10"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=[], choices=ARMS, metavar="arm", help=f"some of {', '.join(ARMS)}; all by default")
    parser.add_argument("--count", type=int, help="training images; all by default")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--compile", action="store_true", help="pays on a GPU from a few hundred thousand images on")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no trial after that many minutes")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time")
    parser.add_argument("--gpus", type=int, default=0, help="spread the jobs over so many GPUs")
    parser.add_argument("--threads", type=int, help="CPU threads of a trial")
    parser.add_argument("--out", type=Path, help="results file; results/methods-DATA.json by default")
    args = parser.parse_args()
    out = args.out or RESULTS / f"methods-{args.data}.json"
    if other := other_size(args, read_results(out)):
        parser.error(f"{out} holds runs with {other}; repeat them, or give --out another file")
    results = run_trials(trials(args), out, minutes=args.minutes, jobs=args.jobs, gpus=args.gpus)
    print(table(results))
    for name, row in results.items():
        if "error" in row:
            print(f"{name} failed: {row['error']}")


if __name__ == "__main__":
    main()
