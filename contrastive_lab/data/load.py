"""One door to every data set."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from contrastive_lab.data import cifar, flickr8k, locate, stl10
from contrastive_lab.data.download import DownloadError
from contrastive_lab.data.images import Images
from contrastive_lab.data.subset import chosen, resized

NAMES = ("scenes", "digits", "cifar10", "cifar100", "stl10", "flickr8k", "auto")
REAL = ("cifar10", "cifar100", "stl10", "flickr8k")
SPLITS = ("train", "test")

_said: set[str] = set()


@dataclass(frozen=True)
class _Request:
    split: str
    size: int | None
    count: int | None
    seed: int
    device: torch.device
    download: bool
    mirrors: Sequence[str]
    options: dict[str, Any]


def load(
    name: str,
    split: str = "train",
    *,
    size: int | None = None,
    count: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    download: bool = False,
    mirrors: Sequence[str] = (),
    **options: Any,
) -> Images:
    """Images of one of `NAMES` as one uint8 tensor on `device`, with their labels; `source` says where they came from.

    Real sets are looked for in the folder of the environment variable CONTRASTIVE_LAB_DATA, then in the cache folder, and downloaded only
    with `download=True` (CIFAR-10, CIFAR-100, STL-10); `mirrors` are addresses of folders to try before the built-in ones.
    "auto" takes CIFAR-10 where it is present and the scenes otherwise, and prints one line that says which and why.

    `size` resizes to squares of that many pixels; None keeps the set's own size (scenes 32, Flickr8k 64). `count` takes that many images,
    chosen by `seed`, with all classes in proportion; the scenes are drawn to order, from the world of that seed. Masks keep their grid.
    `options` go to the embedded sets (`scenes.load`, `digits.load`), for example preset="full".

    Raises ValueError or TypeError for a wrong argument or damaged files, SetNotFoundError (a FileNotFoundError) where the set is
    not there, with the remedies, DownloadError (an OSError) where no mirror delivers it.
    """
    if name not in NAMES:
        raise ValueError(f"name is {name!r}, but must be one of {', '.join(NAMES)}")
    if name in REAL and options:
        raise TypeError(f"{', '.join(options)} can't be used with {name}; only the embedded sets scenes and digits take further options")
    _check(size, count, seed)
    wanted = _Request(split, size, count, seed, _device(device), download, mirrors, options)
    if name == "auto":
        return _auto(wanted)
    if name in REAL:
        return _real(name, wanted)
    return _embedded(name, wanted)


def _check(size: int | None, count: int | None, seed: int) -> None:
    for argument, value in (("size", size), ("count", count)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"{argument} is {value!r}, but must be a positive integer, or None for the set's own")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed is {seed!r}, but must be an integer of at least 0")


def _device(device: str | torch.device) -> torch.device:
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device is {str(device)!r}, but this machine can't use it ({reason}); 'cpu' always works") from None
    return place


def _embedded(name: str, wanted: _Request) -> Images:
    options = dict(wanted.options)
    if wanted.size is not None:
        options["size"] = wanted.size
    source: Callable[..., Images]
    if name == "scenes":
        from contrastive_lab.data.scenes import load as source
    else:
        from contrastive_lab.data.digits import load as source
    allowed = [key for key, parameter in inspect.signature(source).parameters.items() if parameter.kind is parameter.KEYWORD_ONLY]
    if unknown := [key for key in options if key not in allowed]:
        raise TypeError(f"{', '.join(unknown)} can't be used with {name}; it takes {', '.join(allowed)}")
    return source(wanted.split, count=wanted.count, seed=wanted.seed, device=wanted.device, **options)


def _real(name: str, wanted: _Request) -> Images:
    if wanted.split not in SPLITS:
        raise ValueError(f"split is {wanted.split!r}, but {name} has {' and '.join(SPLITS)}")
    images = _READERS[name](name, wanted)
    pixels = images.pixels if wanted.size is None else resized(images.pixels, wanted.size)
    fewer = "" if wanted.count is None else f"; {wanted.count:,} of them, chosen by seed {wanted.seed}"
    return replace(images, pixels=pixels, source=images.source + fewer).to(wanted.device)


def _cifar(name: str, wanted: _Request) -> Images:
    known = cifar.SETS[name]
    place = locate.find(known.archive, known.need(wanted.split), download=wanted.download, mirrors=wanted.mirrors)
    images = cifar.load(name, wanted.split, place)
    if wanted.count is None:
        return images
    return images.take(chosen(len(images), images.labels, wanted.count, wanted.seed))


def _stl10(name: str, wanted: _Request) -> Images:
    place = locate.find(stl10.ARCHIVE, stl10.need(wanted.split), download=wanted.download, mirrors=wanted.mirrors)
    return stl10.load(wanted.split, place, count=wanted.count, seed=wanted.seed)


def _flickr8k(name: str, wanted: _Request) -> Images:
    return flickr8k.load(wanted.split, flickr8k.find(), size=wanted.size or flickr8k.SIZE, count=wanted.count, seed=wanted.seed)


_READERS: dict[str, Callable[[str, _Request], Images]] = {"cifar10": _cifar, "cifar100": _cifar, "stl10": _stl10, "flickr8k": _flickr8k}


def _auto(wanted: _Request) -> Images:
    try:
        images = _real("cifar10", replace(wanted, options={}))
        reason = f"because real images were found: {images.source}"
    except (locate.SetNotFoundError, DownloadError) as failure:
        images = _embedded("scenes", wanted)
        reason = f"because {failure}"
    line = f"data.load('auto') took {images.name}, {reason}"
    if images.name not in _said:
        _said.add(images.name)
        print(line)
    return replace(images, source=line)
