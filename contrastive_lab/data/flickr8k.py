"""Flickr8k (Hodosh, Young and Hockenmaier 2013): photographs with five captions each.

Two layouts are read: `flickr8k/images` with `captions.txt`, and the published `Flicker8k_Dataset` with `Flickr8k.token.txt`. Each line of
the text is "NAME.jpg#K<TAB>caption". The set is for non-commercial research and education, and isn't downloaded from here.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from contrastive_lab.data.images import Images
from contrastive_lab.data.locate import DATA, Place, Root, SetNotFoundError, folders, roots, shown
from contrastive_lab.data.subset import chosen

FOLDERS = ("flickr8k", "Flickr8k")
LAYOUTS = (("images", "captions.txt"), ("Flicker8k_Dataset", "Flickr8k.token.txt"))
SIZE = 64


@dataclass(frozen=True)
class Layout:
    """The folder of photographs and the text of captions in one place."""

    place: Place
    photographs: Path
    text: Path


def layout(root: Root) -> Layout | None:
    """How Flickr8k lies under this root, if it does."""
    for folder in folders(root, FOLDERS):
        for photographs, text in LAYOUTS:
            if (folder / photographs).is_dir() and (folder / text).is_file():
                return Layout(Place(folder, root), folder / photographs, folder / text)
    return None


def find() -> Layout:
    """The first Flickr8k on the way through the roots; SetNotFoundError with the remedy where there is none."""
    for root in roots():
        if found := layout(root):
            return found
    places = " and ".join(f"{shown(root.path)} ({root.name})" for root in roots())
    raise SetNotFoundError(
        f"Flickr8k was not found: looked for flickr8k/images with flickr8k/captions.txt in {places}. It can't be downloaded from here "
        f"(its licence is for non-commercial research and education); put it there or set {DATA} to the folder that holds it"
    )


def split_of(name: str) -> str:
    """The split of a photograph, from its file name alone: one in eight is for testing, by the first byte of the name's md5.

    It doesn't depend on which photographs are present, and is not the 6,000/1,000/1,000 split of the literature.
    """
    return "test" if hashlib.md5(name.encode(), usedforsecurity=False).digest()[0] % 8 == 0 else "train"


def load(split: str, found: Layout, *, size: int = SIZE, count: int | None = None, seed: int = 0) -> Images:
    """The photographs of a split, squashed to squares of `size` pixels, with their captions.

    Decoded images stay in memory until another selection is asked for; nothing is written. Raises ValueError for a malformed line of the
    captions, for a photograph that can't be decoded and where more than one captioned photograph in a hundred is missing.
    """
    captions = read_captions(found.text)
    present = {path.name for path in found.photographs.glob("*.jpg")}
    missing = sorted(set(captions) - present)
    if len(missing) > len(captions) / 100:
        raise ValueError(
            f"{found.photographs} lacks {len(missing):,} of the {len(captions):,} photographs named in {found.text.name}, "
            f"for example {missing[0]}; copy the folder again"
        )
    names = [name for name in sorted(captions) if name in present and split_of(name) == split]
    if not names:
        raise ValueError(f"{found.text} names no photograph of the split {split!r}; copy the folder again")
    names = [names[k] for k in chosen(len(names), None, count, seed).tolist()]
    return Images(
        pixels=_decoded(found.photographs, tuple(names), size),
        name="flickr8k",
        split=split,
        captions=tuple(captions[name] for name in names),
        mean=(0.4581, 0.4462, 0.4043),
        std=(0.2596, 0.2550, 0.2690),
        source=f"Flickr8k {split}: {len(names):,} photographs with captions from {found.place}, squashed to {size} x {size}"
        + (f"; {len(missing)} captioned ones are missing" if missing else ""),
    )


def read_captions(text: Path) -> dict[str, tuple[str, ...]]:
    """The captions of each photograph, in the order of their numbers."""
    numbered: dict[str, dict[int, str]] = {}
    with text.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            key, tab, caption = line.rstrip("\n").partition("\t")
            name, mark, order = key.rpartition("#")
            if not (tab and mark and name and order.isdecimal()):
                raise ValueError(f'{text}, line {number} is {line.rstrip()!r}, expected "NAME.jpg#K<TAB>caption"; copy the file again')
            numbered.setdefault(name, {})[int(order)] = caption.strip()
    return {name: tuple(caption for _, caption in sorted(captions.items())) for name, captions in numbered.items()}


@lru_cache(maxsize=1)
def _decoded(folder: Path, names: tuple[str, ...], size: int) -> UInt8[Tensor, "N 3 size size"]:
    pixels = torch.empty(len(names), 3, size, size, dtype=torch.uint8)

    def decode(position: int) -> None:
        pixels[position] = _photograph(folder / names[position], size)

    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in pool.map(decode, range(len(names))):
            pass
    return pixels


def _photograph(path: Path, size: int) -> UInt8[Tensor, "3 size size"]:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.size != (size, size):
                picture.draft("RGB", (2 * size, 2 * size))
            photograph = picture.convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"{path} can't be decoded ({error}); it is truncated or no photograph: copy it again") from error
    if photograph.size != (size, size):
        shrink = size <= min(photograph.size)
        photograph = photograph.resize((size, size), Image.Resampling.BOX if shrink else Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(photograph)).permute(2, 0, 1)
