"""Which data sets this machine has, told without reading an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contrastive_lab.data import cifar, flickr8k, locate, stl10
from contrastive_lab.data.archive import Archive
from contrastive_lab.data.locate import Root


@dataclass(frozen=True)
class Found:
    """One data set on this machine: its folder ("" where there is none), the number of images that can be loaded, and a note.

    The images of CIFAR and STL-10 are counted from the files that are present; checksums are compared when they are loaded.
    """

    name: str
    where: str
    images: int
    note: str


def available() -> list[Found]:
    """All data sets in the order of `load`'s names; never raises, a wrong CONTRASTIVE_LAB_DATA is told in the notes."""
    trouble = ""
    try:
        roots = locate.roots()
    except FileNotFoundError as error:
        roots, trouble = [locate.cache_root()], str(error)
    real = [
        *(_archived(name, known.archive, _cifar_files(name), roots) for name, known in cifar.SETS.items()),
        _archived("stl10", stl10.ARCHIVE, {stl10.need(split): count for split, count in stl10.COUNTS.items()}, roots),
        _photographs(roots),
    ]
    if trouble:
        real = [Found(f.name, f.where, f.images, f"{f.note}; {trouble}" if not f.images else f.note) for f in real]
    return [
        Found("scenes", "built in", 8000, "drawn to order; 8,000 in the training split of preset 'full'"),
        Found("digits", "built in", 1797, "scikit-learn's digits over natural patches"),
        *real,
    ]


def _cifar_files(name: str) -> dict[tuple[str, ...], int]:
    return {(file,): count for files in cifar.SETS[name].splits.values() for file, count in files.items()}


def _archived(name: str, archive: Archive, parts: dict[tuple[str, ...], int], roots: list[Root]) -> Found:
    for root in roots:
        for folder in locate.folders(root, [archive.folder]):
            missing = [file for files in parts for file in files if not (folder / file).is_file()]
            images = sum(count for files, count in parts.items() if all((folder / file).is_file() for file in files))
            note = f"in {root.name}" + (f"; lacks {', '.join(missing)}" if missing else "")
            return Found(name, locate.shown(folder), images, note + _extras(name, folder))
        if (packed := root.path / archive.file).is_file():
            return Found(name, locate.shown(packed), sum(parts.values()), f"in {root.name}; unpacked at the first load")
    return Found(name, "", 0, f"not here; load({name!r}, download=True) fetches about {archive.size / 1e6:,.0f} MB")


def _extras(name: str, folder: Path) -> str:
    if name != "stl10":
        return ""
    masks = "with 16 x 16 masks" if (folder / stl10.MASKS).is_file() else "without masks"
    return f"; labelled images only, {masks}"


def _photographs(roots: list[Root]) -> Found:
    for root in roots:
        if found := flickr8k.layout(root):
            count = sum(1 for _ in found.photographs.glob("*.jpg"))
            return Found("flickr8k", locate.shown(found.place.folder), count, f"in {root.name}; five captions each")
    return Found("flickr8k", "", 0, "not here; can't be downloaded from here (licence), see flickr8k.py for the layout")
