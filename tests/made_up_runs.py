"""Run folders with invented numbers, as `train` leaves them, for tests of the report and the command line that need no training."""

import json

import numpy as np
import torch
from safetensors.numpy import save_file

from contrastive_lab.data import Images
from contrastive_lab.report import save_probe

CLASSES = ("circle", "square", "triangle", "cross", "ring", "bar")


def made_up_images(count=60, size=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(len(CLASSES), (count,), generator=generator)
    pixels = torch.full((count, 3, size, size), 60, dtype=torch.uint8)
    for index, label in enumerate(labels.tolist()):
        x, y = torch.randint(4, size - 14, (2,), generator=generator).tolist()
        pixels[index, label % 3, y : y + 6 + label, x : x + 12 - label] = 220
    return Images(pixels=pixels, name="scenes", labels=labels, classes=CLASSES)


def made_up_run(folder, method="simclr", *, epochs=6, dim=32, images=None, seed=0, evaluated=True):
    """Write a run whose classes move apart over the epochs; `epochs=0` is an untrained network."""
    rng, images = np.random.default_rng(seed), made_up_images() if images is None else images
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"method": method, "data": "scenes", "network": "convnet", "width": 32, "epochs": epochs, "batch_size": 64, "seed": seed}
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    about = {"state": "finished", "images": {"name": "scenes", "count": 2000}}
    (folder / "run.json").write_text(json.dumps(about), "utf-8")
    save_probe(folder, images)
    labels = images.labels.numpy()
    centre, kinds, own = rng.normal(size=(1, dim)), rng.normal(size=(len(CLASSES), dim)), rng.normal(size=(len(labels), dim))
    (folder / "snapshots").mkdir(exist_ok=True)
    history = []
    for epoch in range(epochs + 1):
        share = epoch / 6
        cloud = 3 * (1 - share) * centre + share * kinds[labels] + 0.3 * (share + 0.1) * own
        unit = (cloud / np.linalg.norm(cloud, axis=1, keepdims=True)).astype("float16")
        save_file(
            {"embeddings": unit, "representation": cloud.astype("float16")}, folder / f"snapshots/{epoch:05d}-{epoch * 10:08d}.safetensors"
        )
        row = {
            "step": epoch * 10,
            "epoch": epoch,
            "seconds": 2.5 * epoch,
            "lr": 1e-3,
            "alignment": 0.01 + share * (0.4 + 0.1 * rng.random()),
        }
        row |= {"uniformity": -0.01 - 3 * share, "rankme": 2 + 20 * share, "std": (0.03 + share) / dim**0.5, "knn": 0.3 + 0.5 * share}
        history.append(row | ({"loss": 4 - 2 * share + 0.1 * rng.random()} if epoch else {}))
    (folder / "history.jsonl").write_text("\n".join(map(json.dumps, history)) + "\n", "utf-8")
    if evaluated:
        machine = {"device": "CPU", "cores": "2 cores", "torch": "torch 2.14.1", "python": "Python 3.11"}
        numbers = {"knn": history[-1]["knn"], "linear": 0.4 + 0.08 * epochs, "machine": machine}
        (folder / "evaluation.json").write_text(json.dumps(numbers), "utf-8")
    return folder
