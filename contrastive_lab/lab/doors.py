"""Doors: what one section of a notebook needs, so that a learner may start in the middle."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.lab import sections
from contrastive_lab.lab.kernel import in_notebook
from contrastive_lab.lab.live import Live, last_picture
from contrastive_lab.lab.pictures import poster
from contrastive_lab.lab.profiles import current
from contrastive_lab.training import Observer, Run, Settings, prepare, train
from contrastive_lab.training.folder import read_state

Door = Callable[[], dict[str, Any]]
DOORS: dict[str, Door] = {}


def start(section: str) -> SimpleNamespace:
    """Prepare what `section` ("01-training") needs, say what it is, and return it; works in a fresh kernel."""
    _open_all()
    if section not in DOORS:
        raise ValueError(f"section is {section!r}, but must be one of {', '.join(map(repr, sorted(DOORS)))}")
    torch.manual_seed(0)
    here = DOORS[section]()
    print(f"{section} is ready: {', '.join(f'{name} ({_brief(value)})' for name, value in here.items())}")
    return SimpleNamespace(**here)


def door(section: str) -> Callable[[Door], Door]:
    """Register the function that prepares `section`."""

    def register(function: Door) -> Door:
        DOORS[section] = function
        return function

    return register


def folder(name: str, settings: Settings) -> Path:
    """Where a notebook keeps a run, one folder for each combination of settings; says whether one lies there already."""
    path = place(name, settings)
    if state := read_state(path).get("state"):
        does = "ended here before and is opened" if state == "finished" else "was begun here before and goes on"
        print(f"this run {does}; delete {path} to train it anew")
        if state == "finished" and in_notebook() and (picture := last_picture(path)):
            poster(picture, alt=Live.alt)
    return path


def place(name: str, settings: Settings) -> Path:
    """The folder for a run with these settings in this profile; it may not exist yet."""
    from contrastive_lab.data.locate import cache_folder

    key = f"{zlib.crc32(settings.to_json().encode()):08x}"
    return cache_folder() / "runs" / f"{name}-{current()}-{key}"


def kept(name: str, settings: Settings) -> Run | None:
    """The finished run with these settings in this profile, where one lies."""
    home = place(name, settings)
    return Run.load(home) if read_state(home).get("state") == "finished" else None


def kept_or_trained(name: str, settings: Settings, images: Images, observers: Sequence[Observer] = ()) -> Run:
    """The finished run that lies in its folder, or a new one, trained there under the eyes of `observers`."""
    return kept(name, settings) or train(prepare(settings, images), images, settings, observers, folder=place(name, settings))


def _open_all() -> None:
    """Import every file of `sections`, each of which registers its doors."""
    for module in pkgutil.iter_modules(sections.__path__):
        importlib.import_module(f"{sections.__name__}.{module.name}")


def _brief(value: object) -> str:
    if isinstance(value, Images):
        return f"{len(value):,} images of {value.size} px"
    if isinstance(value, torch.Tensor):
        return " x ".join(map(str, value.shape))
    return type(value).__name__
