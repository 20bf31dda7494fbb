"""Each paper's own claim in miniature: results/claims.json (every trial) and results/claims-verdicts.json (what follows), and two tables.

    python benchmarks/claims.py --seeds 0 1 2 --minutes 8 --jobs 5 --threads 2
    python benchmarks/claims.py dcl swav --network resnet18 --width 16 --precision bf16-mixed --out results/claims-resnet.json
    python benchmarks/claims.py --minutes 0        only judge what is there

About 40 trials for each seed; what is finished is kept and the same command goes on where it stopped. Needs CIFAR-10, and STL-10 with its
masks for one part of PixPro's claim. All arms of a claim have the sizes and, unless the claim is about it, the recipe that they have
elsewhere in the lab: nothing is tuned until it confirms.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contrastive_lab.experiments import Trial, run_trials
from contrastive_lab.experiments.claims import CLAIMS, Sizes, record, value_table, verdict_table
from contrastive_lab.experiments.schedule import read_results, write_results

RESULTS = Path(__file__).parent.parent / "results"


def trials(args: argparse.Namespace, sizes: Sizes) -> list[Trial]:
    """Seeds outside, claims inside, so that a stop leaves whole rounds."""
    names = args.claims or list(CLAIMS)
    return [
        trial
        for seed in args.seeds
        for name in names
        for trial in CLAIMS[name].trials(sizes, seed, device=args.device, threads=args.threads)
    ]


def check_sizes(results: dict[str, dict[str, Any]], sizes: Sizes, path: Path) -> None:
    """Rows of different sizes must not be compared."""
    others = [name for name, row in results.items() if "sizes" in row and row["sizes"] != asdict(sizes)]
    if others:
        raise SystemExit(f"{path} holds trials of other sizes ({others[0]}: {results[others[0]]['sizes']}); choose another --out")


def main() -> None:
    args = _arguments()
    sizes = Sizes(count=args.count, epochs=args.epochs, network=args.network, width=args.width, precision=args.precision)
    check_sizes(read_results(args.out), sizes, args.out)
    planned = trials(args, sizes)
    results = run_trials(planned, args.out, minutes=args.minutes, jobs=args.jobs, gpus=args.gpus)
    known = CLAIMS.values()
    verdicts = {"sizes": asdict(sizes), "claims": record(known, results)}
    write_results(args.out.with_name(f"{args.out.stem}-verdicts.json"), verdicts)
    print(verdict_table(known, results))
    for claim in known:
        print(f"\n{claim.title}. {claim.note}\n\n{value_table(claim, results)}")
    for name, row in results.items():
        if "error" in row:
            print(f"{name} failed: {row['error']}")
    missing = [trial.name for trial in planned if trial.name not in results]
    if missing:
        print(f"{len(missing)} of {len(planned)} trials not run yet, first {missing[0]}; the same command goes on")


def _arguments() -> argparse.Namespace:
    usual = Sizes()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("claims", nargs="*", metavar="claim", help=f"all by default: {', '.join(CLAIMS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--count", type=int, default=usual.count, help="training images of CIFAR-10; some claims take half")
    parser.add_argument("--epochs", type=int, default=usual.epochs, help="the unit; some claims take a multiple")
    parser.add_argument("--network", default=usual.network, choices=["convnet", "resnet18"])
    parser.add_argument("--width", type=int, default=usual.width)
    parser.add_argument("--precision", default=usual.precision)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no trial after that many minutes")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time")
    parser.add_argument("--gpus", type=int, default=0, help="spread the jobs over so many GPUs")
    parser.add_argument("--threads", type=int, help="CPU threads of a trial")
    parser.add_argument("--out", type=Path, default=RESULTS / "claims.json")
    args = parser.parse_args()
    if unknown := [name for name in args.claims if name not in CLAIMS]:
        parser.error(f"unknown claims {', '.join(unknown)}; there are {', '.join(CLAIMS)}")
    return args


if __name__ == "__main__":
    main()
