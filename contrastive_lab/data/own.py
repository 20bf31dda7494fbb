"""Images of yours: a folder of image files, or of one folder for each class, as it is usual."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from contrastive_lab.data.images import Images

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def read_folder(folder: str | Path, split: str = "train", *, size: int | None = None, like: Images | None = None) -> Images:
    """The image files below `folder` as squares of `size` pixels (64): the middle of each is cut out, then shrunk or enlarged.

    Folders inside `folder` are the classes, in the order of their names; without any there are no labels. Other files, and what begins
    with a dot, are passed over. `mean` and `std` are those of these pixels. A second set takes size, class numbers, `mean` and `std` from
    the first one with `like`, and may lack some of its classes. `split` only names the set.
    Raises FileNotFoundError where there is no such folder, ValueError where it holds no image, one that can't be decoded or has more than
    8 bits a channel, images beside its class folders, or classes that `like` doesn't have.
    """
    size = size if size is not None else 64 if like is None else like.size
    if isinstance(size, bool) or not isinstance(size, int) or size < 8:
        raise ValueError(f"size is {size!r}, but must be a whole number of at least 8 pixels")
    home = Path(folder).expanduser()
    if not home.is_dir():
        raise FileNotFoundError(f"folder is {str(folder)!r}, which is no folder; name the one that holds the images")
    classes = sorted(path for path in home.iterdir() if path.is_dir() and not path.name.startswith("."))
    loose = _images(home, deep=False) if classes else []
    if loose:
        raise ValueError(
            f"folder is {str(folder)!r}, which holds {len(loose)} images beside its class folders, such as {loose[0].name!r}; "
            "move them into a class, or the folders elsewhere"
        )
    names = tuple(group.name for group in classes) if like is None else like.classes
    if unknown := [group.name for group in classes if group.name not in names]:
        raise ValueError(
            f"folder is {str(folder)!r} with the class {unknown[0]!r}, but the images it is like have {', '.join(names) or 'none'}"
        )
    files = [(path, number) for number, group in enumerate(classes or [home]) for path in _images(group, deep=bool(classes))]
    empty = [group.name for number, group in enumerate(classes) if all(owner != number for _, owner in files)]
    if not files or empty:
        where = f"its folder {empty[0]!r}" if files else "it"
        raise ValueError(f"folder is {str(folder)!r}, but {where} holds no image; files must end in {', '.join(SUFFIXES)}")
    pixels = torch.empty(len(files), 3, size, size, dtype=torch.uint8)
    with ThreadPoolExecutor(max_workers=4) as pool:
        for position, picture in enumerate(pool.map(lambda file: _square(file[0], size), files)):
            pixels[position] = picture
    mean, std = _statistics(pixels) if like is None else (like.mean, like.std)
    return Images(
        pixels=pixels,
        name=home.resolve().name,
        split=split,
        labels=torch.tensor([names.index(classes[number].name) for _, number in files]) if classes else None,
        classes=names if classes else (),
        mean=mean,
        std=std,
        source=f"{len(files):,} images from {home}, the middle of each as {size} x {size} pixels",
    )


def _images(folder: Path, *, deep: bool) -> list[Path]:
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file())


def _square(path: Path, size: int) -> UInt8[Tensor, "3 size size"]:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(("I", "F")):
                raise ValueError(
                    f"{path} has more than 8 bits a channel (mode {picture.mode}), of which a plain conversion would keep the lowest or "
                    "none; scale its values to 0 ... 255 and save it as 8 bits first"
                )
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} can't be decoded ({error}); it is truncated or no image: replace or remove it") from error
    square = ImageOps.fit(upright, (size, size), Image.Resampling.BOX if size <= min(upright.size) else Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def _statistics(pixels: UInt8[Tensor, "N 3 H W"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each channel over all pixels, from the numbers of pixels of each of the 256 values."""
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = torch.stack([torch.bincount(pixels[:, channel].flatten(), minlength=256) for channel in range(3)]).double()
    shares /= shares.sum(dim=1, keepdim=True)
    mean = shares @ values
    std = (shares @ values.square() - mean.square()).clamp_min(1e-6).sqrt()
    return tuple(mean.tolist()), tuple(std.tolist())
