"""Spectra of six encoders over epochs, layers and sample sizes: contrastive_lab/explorables/states/collapse.npz.

    python scripts/states/collapse.py --processes 5                               two minutes on a GPU, CIFAR-10
    python scripts/states/collapse.py --data scenes --count 1500 --probe 1024 --epochs 12 --width 8 --batch-size 128    two cores

`embedding` is the projector's output as unit vectors, `representation` the backbone's raw output, both of clean probe images. Alignment
and the twins found are taken on two fixed augmented views. The isotropic cloud is the control for the number of samples.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from arms import Arm, Numbers, Sizes, about, knn, load, parser, run_all, sizes_from, spaced
from torch import Tensor

from contrastive_lab import data, measures
from contrastive_lab.explorables import table
from contrastive_lab.methods import Method
from contrastive_lab.training.observe import embed, represent

HOME = Path(__file__).resolve().parents[2] / "contrastive_lab" / "explorables" / "states" / "collapse.npz"
ARMS = (
    Arm("SimCLR, τ = 0.07", temperature=0.07),
    Arm("SimCLR, τ = 0.2", temperature=0.2),
    Arm("SimCLR, τ = 1", temperature=1.0),
    Arm("alignment only", "alignment"),
    Arm("uniformity only", "uniformity"),
)
COUNTS = (32, 64, 128, 256, 512, 1024, 2048, 4096)
DIM = 64
COLUMNS = ("alignment", "uniformity", "twins", "mean_cosine", "std", "rankme", "rankme_representation", "knn")


def eigenvalues(z: Tensor) -> np.ndarray:
    return measures.spectrum(z).cpu().numpy().astype(np.float32)


class Measure:
    """Spectra of both layers and the columns at one moment; at the last epoch spectra and RankMe of fewer images too."""

    def __init__(self, arm: Arm, sizes: Sizes, images: data.Images, probe: data.Images, views: Sequence[Tensor]) -> None:
        self.sizes, self.images, self.probe, self.views = sizes, images, probe, views

    def __call__(self, method: Method, epoch: int) -> Numbers:
        device = next(method.parameters()).device
        clean, raw = embed(method, self.probe), represent(method, self.probe)
        one, two = (torch.cat([method.embed(part.to(device)) for part in view.split(1000)]) for view in self.views[:2])
        row = {
            "alignment": measures.alignment(one, two),
            "uniformity": measures.uniformity(clean),
            "twins": float((measures.retrieval_margins(one, two) > 0).double().mean()),
            "mean_cosine": measures.mean_cosine(clean),
            "std": measures.embedding_std(clean) * clean.shape[1] ** 0.5,
            "rankme": measures.rankme(clean),
            "rankme_representation": measures.rankme(raw),
            "knn": knn(method, self.images, self.probe),
        }
        numbers = {
            "columns": np.array([row[name] for name in COLUMNS], dtype=np.float32),
            "embedding": eigenvalues(clean),
            "representation": eigenvalues(raw),
        }
        if epoch == self.sizes.epochs:
            numbers |= _by_count("embedding", clean) | _by_count("representation", raw)
        if epoch == 0:
            self.untrained = {
                f"untrained_{key}": value for key, value in (_by_count("embedding", clean) | _by_count("representation", raw)).items()
            }
        return numbers | (self.untrained if epoch == self.sizes.epochs else {})


def _by_count(layer: str, z: Tensor) -> Numbers:
    parts = [z[:n] for n in counts(len(z))]
    return {
        f"{layer}_by_count": np.stack([eigenvalues(part) for part in parts]),
        f"{layer}_rankme_by_count": np.array([measures.rankme(part) for part in parts], dtype=np.float32),
    }


def counts(probe: int) -> list[int]:
    return [n for n in COUNTS if n <= probe]


def control(probe: int, seed: int, draws: int = 8) -> Numbers:
    """Isotropic rows: what every number would be if nothing were collapsed; spectra are means over several draws."""
    clouds = [torch.randn(max(counts(probe)), DIM, generator=torch.Generator().manual_seed(seed + k)) for k in range(draws)]
    made = [_by_count("isotropic", cloud) for cloud in clouds]
    return {name: np.mean([row[name] for row in made], axis=0).astype(np.float32) for name in made[0]}


def main() -> int:
    args = parser(__doc__ or "", HOME, count=20_000, probe=4096, epochs=40).parse_args()
    sizes, epochs = sizes_from(args), spaced(args.epochs)
    warnings.simplefilter("ignore", measures.SampleSizeWarning)  # few samples are the subject
    runs = run_all(ARMS, sizes, epochs, Measure, processes=args.processes)
    _, probe = load(sizes)
    names = ["untrained", *(arm.name for arm in ARMS)]
    words = about(
        "python scripts/states/collapse.py", sizes, epochs, probe, columns=list(COLUMNS), encoders=names, counts=counts(args.probe), dim=DIM
    )
    arrays = control(args.probe, args.seed)
    arrays["columns"] = np.stack([_still(runs[0]["columns"]), *(run["columns"] for run in runs)])
    for layer in ("embedding", "representation"):
        arrays[layer] = np.stack([_still(runs[0][layer]), *(run[layer] for run in runs)])  # encoder, epoch, direction
        for what in (f"{layer}_by_count", f"{layer}_rankme_by_count"):
            arrays[what] = np.stack([runs[0][f"untrained_{what}"], *(run[what] for run in runs)])  # encoder, count, direction
    size = table.save(args.out, arrays, about=words)
    for name, column in zip(names, arrays["columns"], strict=True):
        print(f"{name:18s}", dict(zip(COLUMNS, np.round(column[-1].astype(float), 3).tolist(), strict=True)))
    print(f"wrote {args.out} ({size / 1000:.0f} kB)")
    return 0


def _still(over_epochs: np.ndarray) -> np.ndarray:
    """The untrained network stays as it is at every epoch."""
    return np.repeat(over_epochs[:1], len(over_epochs), axis=0)


if __name__ == "__main__":
    sys.exit(main())
