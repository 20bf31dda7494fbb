"""Train CLIP at several temperatures from one initialisation and write the table of the explorable `ModalityGap`.

    python scripts/states/modality_gap.py --out contrastive_lab/explorables/states/modality_gap.npz
    python scripts/states/modality_gap.py --out X.npz --variants captions sketch --count 1500 --epochs 0 1 2 4 6 --width 16   (two cores)

captions: scenes of the embedded world and their short captions; sketch: the same scenes and their edges, two image encoders;
flickr8k: photographs and sentences, only where CONTRASTIVE_LAB_DATA has them. Temperatures are fixed, not learnt. Variants that the file
already holds and that are not asked for stay in it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from contrastive_lab import data
from contrastive_lab.data import scenes
from contrastive_lab.experiments.environment import environment
from contrastive_lab.explorables import gap_states, table
from contrastive_lab.lab.modalities import embed_pairs
from contrastive_lab.lab.second_modality import prepare_pair
from contrastive_lab.training import Settings, train

TEMPERATURES = (0.02, 0.07, 0.2, 0.5)
TITLES = {
    "captions": ("scenes and captions", ("image", "caption")),
    "sketch": ("scenes and sketches", ("colour", "sketch")),
    "flickr8k": ("photographs and sentences (Flickr8k)", ("photograph", "sentence")),
}


def main() -> None:
    options = _options()
    began, runs, made = time.monotonic(), {}, {}
    if Path(options.out).exists():
        before = table.load(Path(options.out).read_bytes())
        runs = {name: run for name, run in gap_states.load(before).items() if name not in options.variants}
        made = {name: before.about["options"][name] for name in runs}
    for variant in options.variants:
        try:
            train_images, test_images = _sets(variant, options)
        except data.SetNotFoundError as error:
            print(f"{variant} left out: {error}", flush=True)
            continue
        states = {tau: _one(variant, tau, train_images, test_images, options) for tau in TEMPERATURES}
        runs[variant] = gap_states.gather_run(*TITLES[variant], states, count=len(test_images))
        made[variant] = {key: value for key, value in vars(options).items() if key not in ("out", "variants")}
        print(f"{variant} after {time.monotonic() - began:.0f} s", flush=True)
    about: dict = {"command": "python scripts/states/modality_gap.py", "seed": options.seed, "environment": environment(), "options": made}
    print(f"wrote {options.out}, {gap_states.save(options.out, runs, about):,} bytes", flush=True)


def _sets(variant: str, options: argparse.Namespace) -> tuple[data.Images, data.Images]:
    if variant == "flickr8k":
        loaded = [data.load("flickr8k", split=split, size=64) for split in ("train", "test")]
        return loaded[0], loaded[1].take(slice(0, options.probe))
    return scenes.load("train", preset="full", count=options.count), scenes.load("test", count=options.probe)


def _one(variant: str, temperature: float, images: data.Images, probe: data.Images, options: argparse.Namespace) -> dict[int, dict]:
    photographs = variant == "flickr8k"
    settings = Settings.recommended(
        "clip",
        "flickr8k" if photographs else "scenes",
        epochs=max(options.epochs),
        batch_size=options.batch_size,
        network="resnet18" if photographs else "convnet",
        width=options.width,
        image_size=images.size,
        seed=options.seed,
        device=options.device,
        precision="bf16-mixed" if photographs and torch.cuda.is_available() else "32-true",
        options={"temperature": temperature, "learn_temperature": False},
    )
    method = prepare_pair("sketch" if variant == "sketch" else "captions", settings, images)
    states: dict[int, dict] = {}

    def watch(moment) -> None:
        if moment.epoch_end and moment.epoch in options.epochs:
            states[moment.epoch] = gap_states.measure_pair(*embed_pairs(moment.method, probe))

    train(method, images, settings, [watch])
    gap, *cones, _, _ = states[max(options.epochs)]["numbers"].round(3).tolist()
    recall = states[max(options.epochs)]["sweep"][2].round(3)
    print(f"{variant} at {temperature}: gap {gap}, cones {cones}, recall {recall[5]}, closed by hand {recall[15]}", flush=True)
    return states


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--variants", nargs="+", default=list(TITLES), choices=list(TITLES))
    parser.add_argument("--epochs", nargs="+", type=int, default=[0, 1, 2, 3, 5, 8, 13, 20], help="epochs to keep; the last is trained to")
    parser.add_argument("--count", type=int, default=8000, help="scenes to train on")
    parser.add_argument("--probe", type=int, default=500, help="test pairs, whose number decides what recall means")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
