"""Seven temperatures on the circle and in 64 dimensions: contrastive_lab/explorables/states/uniformity.npz.

    python scripts/states/uniformity.py --processes 9                             two minutes on a GPU, CIFAR-10
    python scripts/states/uniformity.py --data scenes --count 1500 --epochs 12 --width 8 --batch-size 128    two cores

Every run trains the same network; in the first group the embedding has two dimensions, in the second 64. Numbers are taken on two fixed
views of the probe images, made by the training's own augmentation; kNN on the representation of the clean images.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from arms import Arm, Numbers, Sizes, about, knn, load, parser, run_all, sizes_from, spaced
from torch import Tensor

from contrastive_lab import data, measures
from contrastive_lab.explorables import table
from contrastive_lab.methods import Method, nt_xent_loss

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "uniformity.npz"
TEMPERATURES = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
DRAWN = 150
COLUMNS = ("alignment", "uniformity", "uniformity_tied", "mean_cosine", "participation_ratio", "loss", "knn")


class Measure:
    """Angles of the drawn images (two dimensions) and the columns, at one moment of a run."""

    def __init__(self, arm: Arm, sizes: Sizes, images: data.Images, probe: data.Images, views: Sequence[Tensor]) -> None:
        self.arm, self.images, self.probe, self.views = arm, images, probe, views

    def __call__(self, method: Method, epoch: int) -> Numbers:
        device = next(method.parameters()).device
        one, two = (torch.cat([method.embed(part.to(device)) for part in view.split(1000)]).double() for view in self.views[:2])
        tau = self.arm.temperature
        row = {
            "alignment": measures.alignment(one, two),
            "uniformity": (measures.uniformity(one) + measures.uniformity(two)) / 2,
            "uniformity_tied": (measures.uniformity(one, t=1 / (2 * tau)) + measures.uniformity(two, t=1 / (2 * tau))) / 2,
            "mean_cosine": (measures.mean_cosine(one) + measures.mean_cosine(two)) / 2,
            "participation_ratio": measures.participation_ratio(one) if float(one.std(dim=0).sum()) > 0 else 1.0,
            "loss": float(nt_xent_loss(one, two, temperature=tau)),
            "knn": knn(method, self.images, self.probe),
        }
        numbers = {"columns": np.array([row[name] for name in COLUMNS], dtype=np.float32)}
        if self.arm.dim == 2:
            angles = torch.stack([torch.atan2(z[:DRAWN, 1], z[:DRAWN, 0]) for z in (one, two)]).cpu().numpy()
            numbers["angles"] = table.quantize(angles, -np.pi, np.pi)
        return numbers


def main() -> int:
    args = parser(__doc__ or "", HOME, epochs=40).parse_args()
    sizes, epochs = sizes_from(args), spaced(args.epochs)
    groups = {dim: [Arm(f"temperature {tau:g}", temperature=tau, dim=dim) for tau in TEMPERATURES] for dim in (2, 64)}
    for dim in groups:
        groups[dim].append(Arm("alignment only", "alignment", 0.5, dim))
    groups[64].append(Arm("uniformity only", "uniformity", 0.5, 64))
    flat = run_all([arm for arms in groups.values() for arm in arms], sizes, epochs, Measure, processes=args.processes)
    circle, wide = flat[: len(groups[2])], flat[len(groups[2]) :]
    _, probe = load(sizes)
    words = about(
        "python scripts/states/uniformity.py",
        sizes,
        epochs,
        probe,
        temperatures=list(TEMPERATURES),
        columns=list(COLUMNS),
        circle=[arm.name for arm in groups[2]],
        wide=[arm.name for arm in groups[64]],
    )
    arrays = {
        "angles": np.stack([run["angles"] for run in circle]),  # run, epoch, view, image
        "circle": np.stack([run["columns"] for run in circle]),  # run, epoch, column
        "wide": np.stack([run["columns"] for run in wide]),
        "labels": probe.labels[:DRAWN].numpy().astype(np.uint8),
    }
    size = table.save(args.out, arrays, about=words)
    _report(groups, circle, wide)
    print(f"wrote {args.out} ({size / 1000:.0f} kB)")
    return 0


def _report(groups: dict[int, list[Arm]], circle: list[Numbers], wide: list[Numbers]) -> None:
    for dim, runs in ((2, circle), (64, wide)):
        print(f"{dim} dimensions, last epoch: {', '.join(COLUMNS)}")
        for arm, run in zip(groups[dim], runs, strict=True):
            print(f"  {arm.name:18s}", np.round(run["columns"][-1], 3))


if __name__ == "__main__":
    sys.exit(main())
