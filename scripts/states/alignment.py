"""Twins of the embedded world under trained encoders for the explorable of alignment: contrastive_lab/explorables/states/alignment.npz.

    python scripts/states/alignment.py --count 8000 --epochs 60 --width 32                      a minute on a GPU
    python scripts/states/alignment.py --count 1000 --epochs 10 --width 16                      a minute on one core

Encoders: raw pixels, the untrained network, SimCLR after some epochs, PixPro, and SimCLR's network trained by alignment alone. For each of
300 test scenes and six strengths of augmentation the table holds the distance to the own twin and to the nearest stranger, and it holds
small pictures of some of the pairs.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from contrastive_lab import data, methods
from contrastive_lab.data import Images
from contrastive_lab.explorables import pairs
from contrastive_lab.explorables.table import quantize, save
from contrastive_lab.methods import Method
from contrastive_lab.training import Evaluate, Moment, Settings, prepare, train
from contrastive_lab.training.observe import at_rest

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "alignment.npz"
PAIRS, PICTURES = 300, 24


class Keep:
    """Copies of the network after chosen epochs."""

    def __init__(self, epochs: set[int]) -> None:
        self.epochs, self.kept = epochs, dict[int, Method]()

    def __call__(self, moment: Moment) -> None:
        if moment.epoch_end and moment.epoch in self.epochs:
            self.kept[moment.epoch] = copy.deepcopy(moment.method).cpu().eval()
            print(f"{moment.method.name}: epoch {moment.epoch}", flush=True)


def trained(args: argparse.Namespace, name: str, bank: Images, epochs: int, keep: set[int], *, pull_only: bool = False) -> Keep:
    changes = {"epochs": epochs, "width": args.width, "batch_size": args.batch, "seed": args.seed, "device": args.device}
    settings = Settings.recommended(name, "scenes", **changes)
    method, watch, began = prepare(settings, bank), Keep(keep), time.monotonic()
    if pull_only:
        method.loss = lambda z1, z2: methods.alignment_loss(z1, z2)
    train(method, bank, settings, [watch])
    print(f"{name}{' by alignment alone' if pull_only else ''}: {time.monotonic() - began:.0f} s", flush=True)
    watch.settings = settings  # type: ignore[attr-defined]
    return watch


def main() -> int:
    args = _arguments()
    bank, test = (data.load("scenes", split, two=0.0, count=n) for split, n in (("train", args.count), ("test", PAIRS)))
    middle = max(2, args.epochs // 5)
    simclr = trained(args, "simclr", bank, args.epochs, {0, 1, middle, args.epochs})
    pull = trained(args, "simclr", bank, args.pull_epochs, {args.pull_epochs}, pull_only=True)
    pixpro = trained(args, "pixpro", bank, args.epochs, {args.epochs})
    networks = {
        "untrained network": simclr.kept[0],
        "SimCLR, epoch 1": simclr.kept[1],
        f"SimCLR, epoch {middle}": simclr.kept[middle],
        f"SimCLR, epoch {args.epochs}": simclr.kept[args.epochs],
        f"PixPro, epoch {args.epochs}": pixpro.kept[args.epochs],
        "alignment only": pull.kept[args.pull_epochs],
    }
    embed = {"raw pixels": pairs.raw_pixels, **{name: pairs.embedder(method) for name, method in networks.items()}}
    evaluate = Evaluate(bank.take(slice(0, 4000)), test, probe=PAIRS)
    knn = {}
    for name, method in networks.items():
        with at_rest(method):
            knn[name] = evaluate.measure(method)["knn"]
    distances, shown, sprites = [], [], []
    best = list(embed).index(f"SimCLR, epoch {args.epochs}")
    for strength in pairs.STRENGTHS:
        one, two = pairs.twins(test, strength)
        distances.append(np.stack([pairs.measure(one_embed, one, two) for one_embed in embed.values()]))
        chosen = pairs.spread(distances[-1][best, 0], PICTURES)
        shown.append(chosen)
        sprites.append(np.stack([pairs.picture(view[chosen], test) for view in (one, two)]))
    table = np.stack(distances)
    for s, rows in enumerate(table):
        print(
            f"strength {s}:",
            {n: (round(float((r[0] ** 2).mean()), 4), round(float((r[0] < r[1]).mean()), 3)) for n, r in zip(embed, rows, strict=True)},
        )
    about = {
        "command": "python scripts/states/alignment.py",
        "settings": asdict(simclr.settings),  # type: ignore[attr-defined]
        "pull_epochs": args.pull_epochs,
        "encoders": list(embed),
        "knn": knn,
        "images": len(bank),
        "seed": args.seed,
    }
    arrays = {
        "distances": quantize(table, 0, 2),
        "shown": np.array(shown, dtype=np.int16),
        "pixels": np.stack(sprites),
    }
    size = save(args.out, arrays, about=about)
    print(f"wrote {args.out} ({size / 1000:.0f} kB)")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--count", type=int, default=8000, help="training images")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--pull-epochs", type=int, default=5, help="of alignment alone, which needs few to collapse")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
