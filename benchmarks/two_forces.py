"""Temperature and the two forces, measured: results/two_forces.json, quoted by notebook 01.

    python benchmarks/two_forces.py [--epochs 15] [--seeds 3] [--preset quick] [--out FOLDER]

Every arm trains the same network on scenes of one object. Alignment and uniformity are taken on the embeddings of two fixed views of
the test images, kNN (colour and shape) on the representation.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch

from contrastive_lab import measures
from contrastive_lab.data import scenes
from contrastive_lab.methods import SimCLR, alignment_loss, uniformity_loss
from contrastive_lab.training import Evaluate, Settings, prepare, train
from contrastive_lab.training.observe import at_rest, embed, represent

TEMPERATURES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


def alignment_only(z1, z2):
    return alignment_loss(z1, z2)


def uniformity_only(z1, z2):
    return (uniformity_loss(z1) + uniformity_loss(z2)) / 2


def both(z1, z2):
    return alignment_only(z1, z2) + uniformity_only(z1, z2)


LOSSES = {"alignment only": alignment_only, "uniformity only": uniformity_only, "alignment + uniformity": both}


def main() -> None:
    options = _options()
    train_images, test_images = (scenes.load(split, preset=options.preset, label="colour", two=0.0) for split in ("train", "test"))
    arms = [(f"temperature {tau:g}", tau, None) for tau in TEMPERATURES] + [(name, 0.2, loss) for name, loss in LOSSES.items()]
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    about = {"command": "python benchmarks/two_forces.py", "images": len(train_images), "epochs": options.epochs, "width": options.width}
    about |= {"batch_size": options.batch_size, "device": device, "torch": str(torch.__version__)}
    path = Path(options.out) / "two_forces.json"
    found: dict[str, list[dict]] = {}
    for seed in range(options.seeds):
        for name, tau, loss in arms:
            row = _one(train_images, test_images, tau, loss, seed, options)
            found.setdefault(name, []).append(row)
            print(name, seed, {key: round(value, 3) for key, value in row.items() if key != "path"}, flush=True)
        path.write_text(json.dumps({**about, "arms": found}, indent=1) + "\n", "utf-8")


def _one(train_images, test_images, tau, loss, seed, options) -> dict:
    settings = Settings.recommended(
        "simclr",
        "scenes",
        epochs=options.epochs,
        width=options.width,
        batch_size=options.batch_size,
        seed=seed,
        device=options.device,
        options={"temperature": tau},
    )
    method = prepare(settings, train_images)
    if loss is not None:
        method.loss = loss
    began = time.monotonic()
    watch = Evaluate(train_images, test_images, probe=len(test_images))
    run = train(method, train_images, settings, [watch])
    row = {name: run.last(name) for name in ("alignment", "uniformity", "rankme", "participation_ratio", "std", "knn")}
    row["seconds"] = time.monotonic() - began
    row |= _more(method, train_images, test_images)
    steps = range(0, options.epochs + 1, max(options.epochs // 15, 1))
    paths = {name: run.column(name)[1] for name in ("alignment", "uniformity", "knn")}
    if seed == 0:
        row["path"] = {"epoch": list(steps)} | {name: [round(values[k], 4) for k in steps] for name, values in paths.items()}
    return row


def _more(method: SimCLR, train_images, test_images) -> dict[str, float]:
    with at_rest(method):
        cloud = embed(method, test_images).float()
        bank, queries = represent(method, train_images), represent(method, test_images)
    count, centre = len(cloud), cloud.mean(dim=0)
    device = bank.device
    guess = measures.weighted_knn(bank, train_images.factors["shape"].to(device), queries, k=50)
    return {
        "mean_cosine": ((count * centre.square().sum() - 1) / (count - 1)).item(),
        "knn_shape": (guess == test_images.factors["shape"].to(device)).float().mean().item(),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default=str(Path(__file__).resolve().parent.parent / "results"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
