"""Embeddings of an encoder before, during and after training, for the explorable of the NPC multiplier: explorables/states/npc.npz.

    python scripts/states/npc.py --epochs 40 --width 64                    a minute on a GPU
    python scripts/states/npc.py --count 5000 --epochs 12 --width 16       a minute or two on one core: the shipped table

SimCLR at temperature 0.1 on CIFAR-10 (or the embedded world); kept are two views of `--probe` test images as unit vectors, a byte for each
coordinate. The views are those of training. Settings, seed and versions are inside; no image is.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from contrastive_lab import data
from contrastive_lab.explorables import table
from contrastive_lab.training import Moment, Settings, prepare, train
from contrastive_lab.training.observe import at_rest
from contrastive_lab.training.prepare import augmentation_for
from contrastive_lab.views import Batch, TwoViews

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "npc.npz"
DIM, TEMPERATURE = 32, 0.1


class Keep:
    """Embeddings of the same two views before training, after one epoch, after a quarter of them, and at the end."""

    def __init__(self, pair: Batch, epochs: int) -> None:
        self.pair = pair
        self.wanted = sorted({0, 1, max(epochs // 4, 1), epochs})
        self.kept: dict[int, NDArray[np.uint8]] = {}

    def __call__(self, moment: Moment) -> None:
        if not moment.epoch_end:
            return
        loss = "" if moment.step is None else f": loss {float(moment.step.loss.detach()):.3f}"
        print(f"epoch {moment.epoch}{loss}", flush=True)
        if moment.epoch in self.wanted:
            device = next(moment.method.parameters()).device
            with at_rest(moment.method):
                views = torch.stack([moment.method.embed(view.to(device)).float().cpu() for view in self.pair.views[:2]])
            self.kept[moment.epoch] = table.quantize(views / views.norm(dim=-1, keepdim=True), -1, 1, dtype="uint8")


def main() -> int:
    args = _arguments()
    images = data.load(args.data, count=args.count)
    test = data.load(args.data, "test").take(slice(0, args.probe))
    options = {"temperature": TEMPERATURE, "out_dim": DIM}
    changes = {"epochs": args.epochs, "width": args.width, "seed": args.seed, "device": args.device, "options": options}
    settings = Settings.recommended("simclr", args.data, **changes)
    views = TwoViews(augmentation_for(settings, test))
    keep = Keep(views(test.pixels, generator=torch.Generator(test.device).manual_seed(args.seed)), args.epochs)
    train(prepare(settings, images), images, settings, [keep])
    epochs = sorted(keep.kept)
    arrays = {"embeddings": np.stack([keep.kept[epoch] for epoch in epochs]), "epochs": np.array(epochs, dtype=np.int16)}
    about = {
        "command": "python scripts/states/npc.py",
        "seed": args.seed,
        "data": "CIFAR-10" if args.data == "cifar10" else "the embedded world",
        "images": len(images),
        "dim": DIM,
        "temperature": TEMPERATURE,
        "settings": asdict(settings),
    }
    size = table.save(args.out, arrays, about=about)  # embeddings: (stage, view, image, coordinate), -1 to 1
    print(f"wrote {args.out} ({size / 1000:.0f} kB)")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="cifar10", choices=("cifar10", "scenes"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--count", type=int, default=None, help="training images; all by default")
    parser.add_argument("--probe", type=int, default=512, help="test images whose embeddings are kept")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
