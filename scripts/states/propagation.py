"""How alike the cells of two scenes are for three ways of seeing: contrastive_lab/explorables/states/propagation.npz.

    python scripts/states/propagation.py --count 8000 --epochs 60 --batch 128 --width 64 --hidden 512    a minute on a GPU
    python scripts/states/propagation.py                                                   two minutes on two cores
    python scripts/states/propagation.py --run FOLDER    a PixPro run that was trained already, such as the one of notebook 06 (laptop)

Cosines between 12 x 12 cells of two test scenes at 48 pixels: of the cells' mean colours (minus the scene's mean colour), of projected
cells of an untrained network, and of the same network after PixPro on scenes of 32 pixels. Settings, seed and versions are inside.
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
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.data import Images, scenes
from contrastive_lab.explorables.propagation import NUMBERS, PIXELS, SIDE, auroc, first_query, pack, scenes_shown
from contrastive_lab.methods import PixPro
from contrastive_lab.training import Moment, Run, Settings, prepare, train
from contrastive_lab.training.observe import at_rest

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "propagation.npz"


def said(moment: Moment) -> None:
    if moment.epoch_end and moment.step is not None:
        print(f"epoch {moment.epoch}: loss {float(moment.step.loss.detach()):.3f}", flush=True)


def cosines(cells: Tensor) -> np.ndarray:
    """(S, P, P) from maps (S, C, h, w)."""
    unit = F.normalize(cells.float().cpu().flatten(2), dim=1)
    return (unit.transpose(1, 2) @ unit).clamp(-1, 1).numpy()


def projected(method: PixPro, images: Images) -> np.ndarray:
    """Cosines of the cells that pixel propagation receives."""
    device = next(method.parameters()).device
    with at_rest(method):
        return cosines(method.projector(method.encoder.feature_map(images.to(device).as_float())))


def main() -> int:
    args = _arguments()
    images = scenes.load("train", count=args.count)
    shown = scenes.load("test", count=max(NUMBERS) + 1, size=PIXELS, two=1.0).take(torch.tensor(NUMBERS))
    changes = {"epochs": args.epochs, "width": args.width, "batch_size": args.batch, "seed": args.seed, "device": args.device}
    settings = Settings.recommended("pixpro", "scenes", options={"hidden_dim": args.hidden}, **changes)
    finished = Run.load(args.run) if args.run else None
    if finished is not None:
        settings = finished.settings
    method = prepare(settings, images)
    assert isinstance(method, PixPro)
    colour = F.adaptive_avg_pool2d(shown.pixels.float(), SIDE)
    kept = {"colour": cosines(colour - colour.mean(dim=(2, 3), keepdim=True)), "untrained": projected(method, shown)}
    trained = finished.method if finished is not None else train(method, images, settings, [said]).method
    assert isinstance(trained, PixPro)
    kept["pixpro"] = projected(trained, shown)
    for name, table in kept.items():
        for place, matrix in enumerate(table):
            query, objects = first_query(place), scenes_shown()[1][place].ravel()
            print(f"{name}, scene {place}: AUROC {auroc(matrix[query], objects == objects[query], query):.3f}")
    about = {
        "command": "python scripts/states/propagation.py" + (f" --run ({args.run.name})" if args.run else ""),
        "images": len(images) if finished is None else "those of the run",
        "settings": asdict(settings),
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__)},
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **{name: pack(table) for name, table in kept.items()}, about=np.array(json.dumps(about)))
    print(f"wrote {args.out}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--run", type=Path, help="folder of a finished PixPro run; nothing is trained then")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--count", type=int, default=1500, help="training scenes")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=128, help="hidden channels of the projector")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
