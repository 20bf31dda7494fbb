"""Both spaces of small SepCLR networks while they learn, for the leak dial: explorables/states/separation.npz.

    python scripts/states/separation.py               about two minutes on one core: the shipped table

Digits over patches of two photographs, 16 pixels wide. One network for each weight of the joint-entropy term, and one that never sees a
background image. Kept are, for the same test images, the head outputs on two directions (those of the last epoch; for the salient space
without centring, so that its origin stays what it is), and four probe accuracies on the representations. No image is inside.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from contrastive_lab import data
from contrastive_lab.experiments.claims.separation import probe_codes
from contrastive_lab.explorables import table
from contrastive_lab.methods import SepCLR
from contrastive_lab.training import Moment, Settings, prepare, train
from contrastive_lab.training.observe import at_rest

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "separation.npz"
LAMBDAS = (0.0, 10.0, 100.0)
SIZE, NEAR = 16, 1.5
PROBES = ("digit from common", "digit from salient", "texture from common", "texture from salient")


class Keep:
    """Codes of the shown images and the four probes, before training and after each wanted epoch."""

    def __init__(self, bank: data.Images, queries: data.Images, shown: data.Images, epochs: list[int]) -> None:
        self.bank, self.queries, self.shown, self.epochs = bank, queries, shown, epochs
        self.codes: list[tuple[Tensor, Tensor]] = []
        self.probes: list[list[float]] = []

    def __call__(self, moment: Moment) -> None:
        if not moment.epoch_end or moment.epoch not in self.epochs:
            return
        method = moment.method
        assert isinstance(method, SepCLR)
        with at_rest(method):
            codes = method.codes(self.shown.to(next(method.parameters()).device).as_float())
        self.codes.append((codes.common_head.float().cpu(), codes.salient_head.float().cpu()))
        scores = probe_codes(method, self.bank, self.queries)
        self.probes.append([scores[name] for name in PROBES])
        print(f"  epoch {moment.epoch}:", {name: round(value, 3) for name, value in scores.items()}, flush=True)


def planes(codes: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Both codes of every epoch on the two strongest directions of the last epoch."""
    common, salient = (torch.stack([pair[which] for pair in codes]) for which in (0, 1))
    middle = common[-1].mean(dim=0)
    return (common - middle) @ _directions(common[-1] - middle), salient @ _directions(salient[-1])


def _directions(points: Tensor) -> Tensor:
    return torch.linalg.svd(points, full_matrices=False).Vh[:2].T


def main() -> int:
    args = _arguments()
    bank = data.load("digits", count=args.count, size=SIZE, seed=args.seed)
    queries = data.load("digits", "test", count=800, size=SIZE, seed=args.seed)
    shown = queries.take(slice(0, args.shown))
    assert bank.groups is not None
    assert shown.groups is not None
    epochs = sorted({0, *(2**k for k in range(12) if 2**k < args.epochs), args.epochs})
    arms = {f"lambda {weight:g}": (bank, weight) for weight in LAMBDAS}
    arms["no background set"] = (bank.take(bank.groups.nonzero()[:, 0]), 10.0)
    changes = {"width": args.width, "batch_size": 128, "lr": 2e-3, "image_size": SIZE, "seed": args.seed, "device": args.device}
    points, probes = [], []
    for name, (images, weight) in arms.items():
        print(name, flush=True)
        # Half the images, twice the epochs: as many steps.
        stretch = len(bank) // len(images)
        settings = Settings.recommended("sepclr", "digits", epochs=stretch * args.epochs, options={"lambda_jem": weight}, **changes)
        keep = Keep(bank, queries, shown, [stretch * epoch for epoch in epochs])
        train(prepare(settings, images), images, settings, [keep])
        points.append(torch.stack(planes(keep.codes)))
        probes.append(keep.probes)
    both = torch.stack(points)  # (arm, space, epoch, image, 2)
    reach = [max(float(both[:, space].abs().max()), NEAR / 2) for space in (0, 1)]
    arrays = {
        "common": table.quantize(both[:, 0].numpy(), -reach[0], reach[0], dtype="int16"),
        "salient": table.quantize(both[:, 1].numpy(), -reach[1], reach[1], dtype="int16"),
        "probes": np.array(probes, dtype=np.float32),
        "epochs": np.array(epochs, dtype=np.int16),
        "group": shown.groups.numpy().astype(np.uint8),
        "digit": shown.factors["salient_label"].numpy().astype(np.int8),
        "texture": shown.factors["common_label"].numpy().astype(np.int8),
    }
    about = {
        "command": "python scripts/states/separation.py",
        "seed": args.seed,
        "arms": list(arms),
        "lambdas": list(LAMBDAS),
        "reach": reach,
        "probes": list(PROBES),
        "textures": list(bank.classes or ()),
        "images": len(bank),
        "tested": int((queries.groups == 1).sum()),
        "settings": asdict(settings),
    }
    size = table.save(args.out, arrays, about=about)
    print(f"wrote {args.out} ({size / 1000:.0f} kB)")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--count", type=int, default=1280, help="training images, half of them background")
    parser.add_argument("--shown", type=int, default=240, help="test images whose codes are kept")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
