"""Histories of every method on the embedded world, and of one run without a push, for the vital signs.

    python scripts/states/vitals.py --out contrastive_lab/explorables/states/vitals.json

Each method is trained with its own recipe on scenes of one object (SepCLR on digits over textures) and measured on the same test images.
About a minute on a GPU, a quarter of an hour on two cores; --count 512 --epochs 4 --width 8 rehearses in two minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from contrastive_lab import data
from contrastive_lab.data import Images
from contrastive_lab.methods import METHODS, alignment_loss
from contrastive_lab.training import Evaluate, Locality, Observer, Settings, prepare, train

ORDER = ("simclr", "dcl", "dclw", "cacr", "moco", "mochi", "swav", "pixpro", "pixcontrast", "hydra", "sepclr", "clip")
BROKEN = "simclr without push"
KEPT = ("epoch", "step", "alignment", "uniformity", "rankme", "participation_ratio", "std", "mean_cosine", "twins", "dim", "probe", "knn")
KEPT += ("gap", "locality")


def sets_for(method: str, count: int) -> tuple[Images, Images]:
    if "groups" in METHODS[method].needs:
        return data.load("digits", "train", count=count), data.load("digits", "test")
    return tuple(data.load("scenes", split, count=number, two=0.0, label="colour") for split, number in (("train", count), ("test", 1000)))


def one(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train one method, or SimCLR with alignment as its whole loss; rows at epoch ends."""
    method = "simclr" if name == BROKEN else name
    bank, queries = sets_for(method, options.count)
    # Methods whose recipe wants small batches, those with a momentum twin among them, need the many steps that come with them.
    changes = {
        "epochs": options.epochs,
        "batch_size": min(options.batch, METHODS[method].recipe("scenes").batch_size),
        "width": options.width,
        "device": options.device,
        "seed": options.seed,
    }
    settings = Settings.recommended(method, "digits" if bank.groups is not None else "scenes", **changes)
    learner = prepare(settings, bank)
    if name == BROKEN:
        learner.loss = lambda z1, z2: alignment_loss(z1, z2)
    watch: list[Observer] = [Evaluate(bank, queries, every=options.every)]
    watch += [Locality(queries, every=options.every)] if queries.masks is not None else []
    began = time.monotonic()
    run = train(learner, bank, settings, watch)
    rows = [{key: round(row[key], 5) for key in KEPT if key in row} for row in run.history if "std" in row]
    print(f"{name}: {time.monotonic() - began:.0f} s, {rows[-1]}", flush=True)
    return {"settings": asdict(settings), "history": rows}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    for name, value in (("count", 4000), ("epochs", 20), ("batch", 128), ("width", 32), ("seed", 0), ("every", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args(arguments)
    runs = {}
    for name in (*ORDER, BROKEN):
        try:
            runs[name] = one(name, options)
        except ImportError as error:  # digits come with scikit-learn, which a bare machine may lack
            print(f"{name} is left out: {error}", flush=True)
    sizes = {name: getattr(options, name) for name in ("count", "epochs", "batch", "width", "seed", "every")}
    command = "python scripts/states/vitals.py " + " ".join(f"--{name} {value}" for name, value in sizes.items())
    device = torch.cuda.get_device_name() if torch.cuda.is_available() and options.device != "cpu" else "CPU"
    about = {"command": command, **sizes, "device": device, "torch": torch.__version__, "python": platform.python_version()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"about": about, "broken": BROKEN, "runs": runs}, separators=(",", ":")) + "\n", "utf-8")
    print(f"{options.out}: {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
