"""Dense maps of trained encoders: contrastive_lab/explorables/states/locality.npz and results/locality*.json.

    python scripts/states/locality.py --seeds 3                                                 two minutes on a GPU
    python scripts/states/locality.py --data stl10 --seeds 3                                    two minutes on a GPU
    python scripts/states/locality.py --count 640 --epochs 8 --width 16 --batch 64 --scored 60  some minutes on one core

SimCLR, PixPro and PixContrast start from the very same dense network, each trained with its own recipe; its first weights are the
untrained baseline. The table holds the cells of six shown images (embedded-world scenes, mosaics of scenes) after some epochs of the first
seed. The JSON file holds numbers alone, for every seed; those of --data stl10 (photographs with masks) are results/locality_stl10.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from contrastive_lab import data
from contrastive_lab.data import Images, scenes
from contrastive_lab.experiments import locality
from contrastive_lab.experiments.claims.dense import matched
from contrastive_lab.experiments.environment import environment
from contrastive_lab.explorables import cells, table
from contrastive_lab.methods import Method
from contrastive_lab.training import Evaluate, Moment, Settings, train
from contrastive_lab.training.observe import at_rest

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "contrastive_lab" / "explorables" / "states" / "locality.npz"
RESULTS = ROOT / "results"
SIDE, GRID = 40, (10, 10)
PHOTOGRAPH, PHOTOGRAPH_GRID = 48, (12, 12)
METHODS = ("simclr", "pixpro", "pixcontrast")


def shown_images() -> tuple[Images, list[str]]:
    """Four scenes, chosen by what is in them, and two mosaics of four scenes each; masks tell objects, or quadrants, apart."""
    world = scenes.World(split="test", two=0.6)
    draw = world.draw(range(40_000))
    colour, shape, size, kind, cell = draw.colour[:, 0], draw.shape[:, 0], draw.size[:, 0], draw.background, draw.cell[:, 0]
    middle = (cell == 4) & (size == 2)
    wanted = {
        "red object": ~draw.two & middle & (colour == 0) & (shape < 2),
        "two yellow objects": draw.two & ((draw.colour == 3) & (draw.size == 2) & (draw.shape < 4)).all(axis=1) & (kind == 2),
        "white object, checks": ~draw.two & middle & (colour == 7) & (kind == 2) & (shape < 4),
        "small blue object, dots": ~draw.two & (cell == 4) & (colour == 2) & (size == 0) & (kind == 3) & (shape < 2),
    }
    index = [int(np.flatnonzero(rows)[0]) for rows in wanted.values()]
    painted = scenes.render(world.draw(np.array(index)), SIDE)
    pixels = torch.from_numpy(painted.pixels).permute(0, 3, 1, 2).contiguous()
    usual = scenes.load("test", count=1, size=SIDE)
    own = Images(pixels, "scenes", "test", masks=torch.from_numpy(painted.instance), mean=usual.mean, std=usual.std)
    pieces = locality.mosaics(scenes.load("test", count=8, size=SIDE // 2, two=0.0, seed=5), 2)
    both = replace(own, pixels=torch.cat([own.pixels, pieces.pixels]), masks=torch.cat([own.masks, pieces.masks]))
    return both, [*wanted, "mosaic of four scenes", "another mosaic"]


class Watch:
    """At the end of chosen epochs: cells of the shown images, and scores of others."""

    def __init__(self, shown: Images | None, score: Callable[[Method], dict[str, float]], epochs: list[int]) -> None:
        self.shown, self.score, self.epochs = shown, score, epochs
        self.stored: list[list[cells.Triangle]] = []
        self.rows: list[dict[str, float]] = []

    def __call__(self, moment: Moment) -> None:
        if not moment.epoch_end or moment.epoch not in self.epochs:
            return
        if self.shown is not None:
            self.stored.append([cells.triangle(one) for one in cells.dense_map(moment.method, self.shown)])
        with at_rest(moment.method):
            self.rows.append({"epoch": moment.epoch, **self.score(moment.method)})
        print(moment.method.name, {name: round(value, 3) for name, value in self.rows[-1].items()}, flush=True)


def chunked_map(method: Method, images: Images, chunk: int = 250) -> Tensor:
    return torch.cat([cells.dense_map(method, images.take(slice(i, i + chunk))) for i in range(0, len(images), chunk)])


def on_scenes(args: argparse.Namespace, seed: int, shown: Images | None) -> tuple[dict[str, Watch], dict[str, float]]:
    bank, test = (data.load("scenes", split, size=SIDE, two=0.0, count=n) for split, n in (("train", args.count), ("test", args.scored)))
    pieces = locality.mosaics(data.load("scenes", "test", size=SIDE // 2, two=0.0, count=4 * args.scored, seed=7), args.scored // 2)
    evaluate = Evaluate(bank.take(slice(0, 4000)), test, probe=len(test))

    def score(method: Method) -> dict[str, float]:
        numbers = locality.scores(chunked_map(method, test), test)
        return {**numbers, "mosaic": locality.mosaic_auroc(chunked_map(method, pieces)), "knn": evaluate.measure(method)["knn"]}

    baseline = {**locality.scores(cells.colour_map(test, GRID), test), "mosaic": locality.mosaic_auroc(cells.colour_map(pieces, GRID))}
    watches: dict[str, Watch] = {}
    for name in METHODS:
        watches[name] = Watch(shown, score, chosen(args.epochs))
        watches[name].settings = run(args, name, "scenes", seed, args.epochs, bank, watches[name])  # type: ignore[attr-defined]
    return watches, baseline


def on_photographs(args: argparse.Namespace, seed: int) -> tuple[dict[str, Watch], dict[str, float]]:
    """The same on STL-10, scored on the test images that have masks; numbers only."""
    bank = data.load("stl10", count=args.count, size=PHOTOGRAPH)
    test = data.load("stl10", "test", size=PHOTOGRAPH)
    masked = test.take(test.factors["has_mask"].nonzero()[:, 0][: args.scored])
    evaluate = Evaluate(bank, masked, probe=len(masked))

    def score(method: Method) -> dict[str, float]:
        return {**locality.scores(chunked_map(method, masked), masked), "knn": evaluate.measure(method)["knn"]}

    watches: dict[str, Watch] = {}
    for name in METHODS:
        watches[name] = Watch(None, score, chosen(args.epochs))
        run(args, name, "stl10", seed, args.epochs, bank, watches[name])
    return watches, locality.scores(cells.colour_map(masked, PHOTOGRAPH_GRID), masked)


def run(args: argparse.Namespace, name: str, source: str, seed: int, epochs: int, bank: Images, watch: Watch) -> Settings:
    changes = {
        "epochs": epochs,
        "width": args.width,
        "image_size": bank.size,
        "batch_size": args.batch,
        "seed": seed,
        "device": args.device,
    }
    settings = Settings.recommended(name, source, **changes)
    began = time.monotonic()
    train(matched(settings, bank), bank, settings, [watch])
    print(f"{name} on {source}, seed {seed}: {time.monotonic() - began:.0f} s", flush=True)
    return settings


def chosen(epochs: int) -> list[int]:
    """Before training, after the first epoch, two moments between, and the end."""
    return sorted({0, 1, max(1, epochs // 10), max(1, epochs // 3), epochs})


def main() -> int:
    args = _arguments()
    args.count = min(args.count, 5000) if args.data == "stl10" else args.count  # no more photographs have labels
    sizes = {name: getattr(args, name) for name in ("data", "count", "scored", "epochs", "width", "batch", "seeds")}
    record: dict[str, Any] = {"command": "python scripts/states/locality.py", "sizes": sizes, "environment": environment(), "seeds": []}
    shown, names = shown_images()
    for seed in range(args.seeds):
        if args.data == "stl10":
            watches, baseline = on_photographs(args, seed)
        else:
            watches, baseline = on_scenes(args, seed, shown if seed == 0 else None)
        record["seeds"].append({"colour": baseline, **{name: watch.rows for name, watch in watches.items()}})
        if args.data == "scenes" and seed == 0:
            write_table(args, shown, names, watches, record["seeds"][0])
    path = args.numbers or RESULTS / ("locality.json" if args.data == "scenes" else "locality_stl10.json")
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(f"wrote {path}")
    return 0


def write_table(args: argparse.Namespace, shown: Images, names: list[str], watches: dict[str, Watch], numbers: dict[str, Any]) -> None:
    """Panels 0 raw colour, 1 the untrained network, then every method at a middle moment and at the end."""
    epochs = watches["simclr"].epochs
    moments = sorted({len(epochs) // 2, len(epochs) - 1})
    panels = [[cells.triangle(one) for one in cells.colour_map(shown, GRID)], watches["simclr"].stored[0]]
    titles: list[tuple[str, int]] = [("colour", 0), ("untrained", 0)]
    for name in METHODS:
        panels += [watches[name].stored[moment] for moment in moments]
        titles += [(name, epochs[moment]) for moment in moments]
    about = {
        "command": "python scripts/states/locality.py",
        "seed": 0,
        "settings": asdict(watches["pixpro"].settings),  # type: ignore[attr-defined]
        "panels": titles,
        "images": names,
        "grid": GRID,
        "numbers": numbers,
    }
    arrays = {
        "levels": np.stack([[one.levels for one in row] for row in panels]),
        "bend": np.array([[(one.widest, one.power) for one in row] for row in panels]),
        "regions": cells.regions(shown.masks, GRID),
        "pixels": shown.pixels.numpy(),
    }
    print(f"wrote {args.out} ({table.save(args.out, arrays, about=about) / 1000:.0f} kB)")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--numbers", type=Path, default=None)
    parser.add_argument("--count", type=int, default=8000, help="training images")
    parser.add_argument("--scored", type=int, default=120, help="test images whose cells are ranked")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data", choices=("scenes", "stl10"), default="scenes", help="stl10 needs the set in CONTRASTIVE_LAB_DATA")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
