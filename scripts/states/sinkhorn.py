"""Scores of 16 scenes with 8 prototypes, for three networks: contrastive_lab/explorables/states/sinkhorn.npz.

    python scripts/states/sinkhorn.py --preset full --epochs 40 --width 64     a minute on a GPU
    python scripts/states/sinkhorn.py                                          a minute on two cores

SwAV with 8 prototypes is trained twice on scenes of one object: with its balanced codes, and with plain softmax codes, where nothing
balances. The table holds cosines of two views of 16 test scenes (four of each background) for the untrained and both trained networks, and
the losses of both runs. Settings, seed and versions are inside.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from contrastive_lab.data import Images, scenes
from contrastive_lab.explorables.sinkhorn import COUNT, scene_numbers
from contrastive_lab.methods import SwAV
from contrastive_lab.training import Moment, Settings, prepare, train
from contrastive_lab.training.observe import at_rest
from contrastive_lab.views import Augmentation, TwoViews

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "sinkhorn.npz"
PROTOTYPES = 8


class Losses:
    """Loss after each epoch, said while training."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def __call__(self, moment: Moment) -> None:
        if moment.epoch_end and moment.step is not None:
            self.values.append(float(moment.step.loss.detach()))
            print(f"epoch {moment.epoch}: loss {self.values[-1]:.3f} (ln K = {math.log(PROTOTYPES):.3f})", flush=True)


def scores(method: SwAV, images: Images) -> np.ndarray:
    """(2, 16, 8): cosines of two fixed views with the prototypes; prototypes in the order of the images that prefer them."""
    device = next(method.parameters()).device
    views = TwoViews(Augmentation.for_data("scenes", size=images.size, mean=images.mean, std=images.std))
    pair = views(images.pixels, generator=torch.Generator().manual_seed(1)).views
    with at_rest(method):
        method.prototypes.normalize_()
        table = torch.stack([method.prototypes(method.embed(view.to(device))) for view in pair]).cpu()
    order = (table[0] / 0.05).softmax(dim=0).argmax(dim=0).argsort(stable=True)
    return table[:, :, order].numpy().astype(np.float16)


def softmax_codes(scores: torch.Tensor, g: int) -> torch.Tensor:
    """Codes that nothing balances, at SwAV's epsilon."""
    return (scores / 0.05).softmax(dim=1)


def main() -> int:
    args = _arguments()
    images = scenes.load("train", preset=args.preset, two=0.0)
    asked = scenes.load("test", count=COUNT, two=0.0).take(torch.tensor(scene_numbers()))
    changes = {"epochs": args.epochs, "width": args.width, "batch_size": 128, "seed": args.seed, "device": args.device}
    settings = Settings.recommended("swav", "scenes", options={"n_prototypes": PROTOTYPES}, **changes)
    tables: dict[str, Any] = {}
    for name in ("balanced", "softmax"):
        method = prepare(settings, images)
        assert isinstance(method, SwAV)
        if name == "balanced":
            tables["untrained"] = scores(method, asked)
        if name == "softmax":
            method._codes = softmax_codes  # type: ignore[method-assign]
        watch = Losses()
        print(f"training with {name} codes")
        train(method, images, settings, [watch])
        tables |= {name: scores(method, asked), f"loss_{name}": np.array(watch.values, dtype=np.float32)}
    about = {
        "command": "python scripts/states/sinkhorn.py",
        "images": len(images),
        "settings": asdict(settings),
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__)},
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **{**tables, "about": json.dumps(about)})
    print(f"wrote {args.out}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--preset", default="quick", choices=("tiny", "quick", "full"))
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
