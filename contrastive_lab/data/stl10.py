"""STL-10's labelled images (Coates, Lee and Ng 2011), 96 x 96, and coarse object masks where a file with them lies beside.

The set's main part, 100,000 unlabelled images, is not read: 2.7 GB, and no lesson here needs it. `source` says so.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from contrastive_lab.data.archive import Archive
from contrastive_lab.data.download import md5_of
from contrastive_lab.data.images import Images
from contrastive_lab.data.locate import Place
from contrastive_lab.data.subset import chosen

ARCHIVE = Archive(
    title="STL-10",
    file="stl10_binary.tar.gz",
    folder="stl10_binary",
    md5="91f7769df0f17e558f3565bffb0c7dfb",
    size=2_640_397_119,
    unpacked=360_000_000,
    mirrors=("http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",),
    members={
        "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
        "train_y.bin": "5a34089d4802c674881badbb80307741",
        "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
        "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
    },
)
COUNTS = {"train": 5000, "test": 8000}
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
SIDE = 96
MASKS = "masks16.npz"


def need(split: str) -> tuple[str, ...]:
    """The files that this split is read from."""
    return (f"{split}_X.bin", f"{split}_y.bin")


def load(split: str, place: Place, *, count: int | None = None, seed: int = 0) -> Images:
    """The labelled images of a split; the file is mapped, so only the chosen images enter memory.

    Packs with other pixels (recompressed ones) are read, too, and `source` then says that the md5 differs. Masks have 16 x 16 cells,
    generous outlines drawn by hand; the factor `has_mask` is 0 for images without one (their cells are all 0).
    Raises ValueError with the file, the expected and the found number of bytes for a file of another length.
    """
    pictures, marks = (place.folder / name for name in need(split))
    _check_length(marks, COUNTS[split])
    _check_length(pictures, COUNTS[split] * 3 * SIDE * SIDE)
    labels = _labels(marks)
    index = chosen(COUNTS[split], labels, count, seed)
    masks, factors = _masks(place.folder / MASKS, split, labels)
    return Images(
        pixels=_pixels(pictures, index),
        name="stl10",
        split=split,
        labels=labels[index],
        classes=CLASSES,
        masks=None if masks is None else masks[index],
        factors={name: value[index] for name, value in factors.items()},
        mean=(0.4409, 0.4279, 0.3868),
        std=(0.2683, 0.2610, 0.2687),
        source=_source(split, place, masks is not None),
    )


def _source(split: str, place: Place, masked: bool) -> str:
    same = all(md5_of(place.folder / name) == ARCHIVE.members[name] for name in need(split))
    pixels = "every md5 matches" if same else "the md5 is not the published one, so the pixels differ from the original"
    masks = "with 16 x 16 masks" if masked else "without masks"
    return f"STL-10 {split}: {COUNTS[split]:,} labelled images from {place}; {pixels}; {masks}; the 100,000 unlabelled images are missing"


def _check_length(path: Path, expected: int) -> None:
    found = path.stat().st_size
    if found != expected:
        raise ValueError(f"{path} has {found:,} bytes, expected {expected:,}: it is truncated or another file; copy it again")


def _labels(path: Path) -> Int64[Tensor, "N"]:
    numbers = torch.from_numpy(np.fromfile(path, dtype=np.uint8)).long()
    if numbers.min() < 1 or numbers.max() > len(CLASSES):
        raise ValueError(f"{path} holds labels from {numbers.min()} to {numbers.max()}, expected 1 to {len(CLASSES)}; copy it again")
    return numbers - 1


def _pixels(path: Path, index: Int64[Tensor, "n"]) -> UInt8[Tensor, "n 3 96 96"]:
    pixels = torch.empty(len(index), 3, SIDE, SIDE, dtype=torch.uint8)
    for start in range(0, len(index), 500):
        rows = index[start : start + 500]
        # Mapped anew for each part: what was read through one map counts as memory until that map is closed.
        planes = np.memmap(path, dtype=np.uint8, mode="r").reshape(-1, 3, SIDE, SIDE)
        # Each plane is stored column by column.
        pixels[start : start + len(rows)] = torch.from_numpy(planes[rows.numpy()]).transpose(2, 3)
    return pixels


def _masks(path: Path, split: str, labels: Int64[Tensor, "N"]) -> tuple[UInt8[Tensor, "N 16 16"] | None, dict[str, Int64[Tensor, "N"]]]:
    if not path.is_file():
        return None, {}
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            cells, present = file[f"{split}_mask"], file[f"{split}_has_mask"]
    except (KeyError, ValueError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} can't be read ({error}); copy it again or delete it to work without masks") from error
    if cells.shape != (len(labels), 16, 16) or present.shape != (len(labels),):
        raise ValueError(
            f"{path} holds {split} masks of shape {cells.shape} and {present.shape}, "
            f"expected {(len(labels), 16, 16)} and {(len(labels),)}; copy it again"
        )
    masks = torch.from_numpy(cells.astype(np.uint8)) * (labels + 1).to(torch.uint8)[:, None, None]
    return masks, {"has_mask": torch.from_numpy(present).long()}
