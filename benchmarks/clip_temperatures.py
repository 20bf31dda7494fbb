"""CLIP at several temperatures from one initialisation: the gap, the cones, retrieval, and what closing the gap by hand changes.

    python benchmarks/clip_temperatures.py flickr8k                      photographs: writes results/clip-flickr8k.json (a GPU, minutes)
    python benchmarks/clip_temperatures.py scenes --seeds 0 1 2          the embedded world: writes results/clip-scenes.json
    python benchmarks/clip_temperatures.py scenes --count 600 --epochs 2 --width 8 --out /tmp

All arms of a seed start from the same weights. On scenes there are two more arms in which 30 % of the training captions belong to another
scene ("wrong pairs"); test pairs are always right. Temperatures are fixed but in the arms "learnt", which starts at 0.07. Measured on test
pairs, the first `--probe` of them: `recall` is the mean of both directions. "closed" moves each modality by half of the gap.
What is finished is kept; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch

from contrastive_lab import data, measures
from contrastive_lab.data.scenes.knobs import Knobs
from contrastive_lab.experiments.environment import environment
from contrastive_lab.methods import CLIP
from contrastive_lab.training import Settings, prepare, train
from contrastive_lab.training.observe import at_rest

TEMPERATURES = (0.02, 0.07, 0.2, 0.5)
WRONG = 0.3
SIZES = {"flickr8k": {"network": "resnet18", "image_size": 64}, "scenes": {}}


def main() -> None:
    options = _options()
    kind = {"size": 64} if options.data == "flickr8k" else {"preset": "full"}
    images = data.load(options.data, split="train", count=options.count, **kind)
    probe = data.load(options.data, split="test", **kind).take(slice(0, options.probe))
    arms = {f"temperature {tau:g}": {"temperature": tau, "learn_temperature": False} for tau in TEMPERATURES} | {"learnt": {}}
    sets = dict.fromkeys(arms, images)
    if options.data == "scenes":
        wrong = data.load("scenes", split="train", count=options.count, knobs=Knobs(mismatch=WRONG), **kind)
        for name in ("temperature 0.02", "learnt"):
            arms[f"{name}, wrong pairs"], sets[f"{name}, wrong pairs"] = arms[name], wrong
    about = {"command": f"python benchmarks/clip_temperatures.py {options.data}", "images": len(images), "pairs": len(probe)}
    about |= {"epochs": options.epochs, "width": options.width, "batch_size": options.batch_size}
    path = Path(options.out) / f"clip-{options.data}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text("utf-8")) if path.exists() else {}
    found: dict[str, list[dict]] = before["arms"] if all(before.get(key) == value for key, value in about.items()) else {}
    began = time.monotonic()
    for seed in options.seeds:
        for name, choice in arms.items():
            if time.monotonic() - began > 60 * options.minutes or any(row["seed"] == seed for row in found.get(name, [])):
                continue
            row = {"seed": seed, **_one(sets[name], probe, choice, seed, options)}
            found.setdefault(name, []).append(row)
            print(name, {key: round(value, 3) for key, value in row.items() if key != "path"}, flush=True)
            path.write_text(json.dumps({**about, "environment": environment(), "arms": found}, indent=1) + "\n", "utf-8")


def _one(images: data.Images, probe: data.Images, choice: dict, seed: int, options: argparse.Namespace) -> dict:
    precision = "bf16-mixed" if torch.cuda.is_available() else "32-true"
    changes = {
        **SIZES[options.data],
        "batch_size": options.batch_size,
        "epochs": options.epochs,
        "width": options.width,
        "seed": seed,
        "precision": precision,
        "options": choice,
    }
    settings = Settings.recommended("clip", options.data, device=options.device, **changes)
    method = prepare(settings, images)
    began, path = time.monotonic(), {"epoch": [], "gap": [], "recall@1": []}

    def watch(moment) -> None:
        if moment.epoch_end and moment.epoch % max(options.epochs // 12, 1) == 0:
            now = _measure(moment.method, probe)
            for name in path:
                path[name].append(moment.epoch if name == "epoch" else round(now[name], 4))

    train(method, images, settings, [watch])
    row = _measure(method, probe) | {"gap at the start": path["gap"][0], "temperature": method.temperature}
    row["seconds"] = time.monotonic() - began
    return row | ({"path": path} if seed == options.seeds[0] else {})


def _measure(method: CLIP, probe: data.Images) -> dict[str, float]:
    device = next(method.parameters()).device
    with at_rest(method):
        x = torch.cat(
            [method.embed(part.as_float()) for part in (probe.take(slice(k, k + 500)).to(device) for k in range(0, len(probe), 500))]
        )
        y = method.embed_texts([several[0] for several in probe.captions])
    gap, alignment = measures.modality_gap(x, y), measures.alignment(x, y)
    trained, closed = measures.shift_along_gap(x, y, [0.0, gap], sides="two")

    def recall(row: dict[str, float], k: int) -> float:
        return (row[f"recall_x_to_y@{k}"] + row[f"recall_y_to_x@{k}"]) / 2

    return {
        "gap": gap,
        "image cone": measures.mean_cosine(x),
        "text cone": measures.mean_cosine(y),
        "separability": measures.gap_separability(x, y),
        "alignment": alignment,
        "rest": alignment - gap**2,
        "recall@1": recall(trained, 1),
        "recall@5": recall(trained, 5),
        "gap, closed": closed["gap"],
        "recall@1, closed": recall(closed, 1),
        "recall@5, closed": recall(closed, 5),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no further arm after this time")
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--probe", type=int, default=500, help="test pairs, whose number decides what recall means")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default=str(Path(__file__).resolve().parent.parent / "results"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
