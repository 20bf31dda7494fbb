"""How a trained Hydra's gates relate the classes of CIFAR-10: contrastive_lab/explorables/states/hydra_relations.npz.

    python scripts/states/hydra_relations.py --epochs 30                    a minute on a GPU
    python scripts/states/hydra_relations.py --count 5000 --epochs 5 --width 16    some minutes on two cores

The table holds numbers only: cosines between centred class gates after each epoch, the gates of all pairs at the end, cosines between
the centred class means of the representation, and losses. Settings, seed and versions are inside.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from contrastive_lab import data
from contrastive_lab.methods import Hydra, class_relations
from contrastive_lab.training import Evaluate, Moment, Settings, prepare, train
from contrastive_lab.training.observe import represent

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "hydra_relations.npz"


class Watch:
    """Relations of the class gates at the end of each epoch."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.relations: list[np.ndarray] = []

    def __call__(self, moment: Moment) -> None:
        if moment.epoch_end:
            assert isinstance(moment.method, Hydra)
            self.epochs.append(moment.epoch)
            self.relations.append(class_relations(moment.method.gate.class_gates()).cpu().numpy())
            print(f"epoch {moment.epoch}: loss {float(moment.step.loss.detach()) if moment.step else float('nan'):.3f}", flush=True)


def class_means(method: Hydra, images: data.Images, classes: int) -> torch.Tensor:
    """Cosines between the centred means of each class's representations."""
    with torch.no_grad():
        h = represent(method.eval(), images).cpu()
    labels = images.labels.cpu()
    means = torch.stack([h[labels == c].mean(dim=0) for c in range(classes)])
    return class_relations(means)


def main() -> int:
    args = _arguments()
    images, test = data.load("cifar10", count=args.count), data.load("cifar10", "test")
    changes = {"epochs": args.epochs, "width": args.width, "seed": args.seed, "device": args.device, "network": args.network}
    settings = Settings.recommended("hydra", "cifar10", **changes)
    method = prepare(settings, images)
    assert isinstance(method, Hydra)
    watch = Watch()
    run = train(method, images, settings, [watch])
    method.cpu().eval()
    knn = Evaluate(images, test, probe=64).measure(method)["knn"]
    print(f"kNN on the representation {knn:.3f}")
    choices = "".join(f" --{name} {value}" for name, value in vars(args).items() if name != "out" and value is not None)
    about = {
        "command": f"python scripts/states/hydra_relations.py{choices}",
        "seed": args.seed,
        "images": len(images),
        "knn": knn,
        "settings": asdict(settings),
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__)},
        "classes": list(images.classes),
    }
    epochs, losses = run.column("loss")
    np.savez_compressed(
        args.out,
        relations=np.stack(watch.relations).astype(np.float16),
        epochs=np.array(watch.epochs, dtype=np.int16),
        pair_gates=(method.gate.pair_gates().numpy() * 255).round().astype(np.uint8),
        means=class_means(method, test, len(images.classes)).numpy().astype(np.float16),
        loss=np.stack([epochs, losses]).astype(np.float32)[:, :: max(1, len(losses) // 200)],
        about=np.array(json.dumps(about)),
    )
    print(f"wrote {args.out} ({args.out.stat().st_size / 1000:.0f} kB)")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--count", type=int, default=None, help="training images; all by default")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
