"""Where data sets lie: the folder of CONTRASTIVE_LAB_DATA, then the cache folder, then (only if asked) the network."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contrastive_lab.data.archive import Archive, mirror_urls, unpack
from contrastive_lab.data.download import Patience, download, unfinished

DATA = "CONTRASTIVE_LAB_DATA"
CACHE = "CONTRASTIVE_LAB_CACHE"


class SetNotFoundError(FileNotFoundError):
    """A data set is on this machine neither in the data folder nor in the cache; the message names the remedies."""


@dataclass(frozen=True)
class Root:
    """A folder that may hold data sets, and the name under which a reader knows it."""

    path: Path
    name: str


@dataclass(frozen=True)
class Place:
    """The folder of one data set and the root it was found under."""

    folder: Path
    root: Root

    def __str__(self) -> str:
        return f"{shown(self.folder)} ({self.root.name})"


def cache_folder() -> Path:
    """The folder for what can be fetched or computed again: CONTRASTIVE_LAB_CACHE where set, otherwise the platform's own place."""
    if chosen := os.environ.get(CACHE):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "contrastive-lab"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "contrastive-lab"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contrastive-lab"


def cache_root() -> Root:
    """The root inside the cache folder; downloads go there."""
    return Root(cache_folder() / "data", "the cache folder")


def roots() -> list[Root]:
    """The folders to look in, in this order. Raises FileNotFoundError where CONTRASTIVE_LAB_DATA names no folder."""
    chosen = os.environ.get(DATA)
    if not chosen:
        return [cache_root()]
    path = Path(chosen).expanduser()
    if not path.is_dir():
        raise FileNotFoundError(f"{DATA} is {chosen!r}, which is no folder; set it to the folder that holds the data sets, or unset it")
    return [Root(path, DATA), cache_root()]


def shown(path: Path) -> str:
    """A path as a reader writes it, with ~ for the home folder."""
    home = Path.home()
    return str(Path("~") / path.relative_to(home)) if path.is_relative_to(home) and path != home else str(path)


def folders(root: Root, names: Sequence[str]) -> list[Path]:
    """The folders of a root that carry one of these names; the root itself counts, too."""
    return [folder for name in names for folder in (root.path / name, root.path) if folder.name == name and folder.is_dir()]


def find(
    archive: Archive,
    need: Sequence[str],
    *,
    download: bool = False,
    mirrors: Sequence[str] = (),
    patience: Patience | None = None,
    progress: bool = True,
) -> Place:
    """The folder that holds the files `need` of this archive, unpacked or (if asked) downloaded where necessary.

    `mirrors` are addresses of folders that hold the archive under its usual name; they are tried before the built-in ones.
    Raises SetNotFoundError where the set isn't there, DownloadError where no mirror delivers it.
    """
    gaps = []
    for root in roots():
        for folder in folders(root, [archive.folder]):
            missing = [name for name in need if not (folder / name).is_file()]
            if not missing:
                return Place(folder, root)
            gaps.append(f"{shown(folder)} lacks {', '.join(missing)}")
        if (packed := root.path / archive.file).is_file():
            return Place(unpack(archive, packed, _writable(root)), root)
    if download:
        return _fetch(archive, mirrors, patience, progress)
    raise SetNotFoundError(absent(archive, gaps))


def absent(archive: Archive, gaps: Sequence[str] = ()) -> str:
    """One message: what is missing, where it was looked for, and the remedies."""
    places = " and ".join(f"{shown(root.path)} ({root.name})" for root in roots())
    return (
        f"{archive.title} was not found: looked for {archive.folder} and {archive.file} in {places}"
        + "".join(f"; {gap}" for gap in gaps)
        + f". Set {DATA} to the folder that holds it, or pass download=True (on the command line --download; about "
        f"{archive.size / 1e6:,.0f} MB)"
    )


def _writable(root: Root) -> Path:
    return root.path if os.access(root.path, os.W_OK) else _prepared(cache_root().path)


def _prepared(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot create the cache folder {folder} ({error.strerror}); set {CACHE} to a folder you may write to") from error
    return folder


def _fetch(archive: Archive, mirrors: Sequence[str], patience: Patience | None, progress: bool) -> Place:
    root = cache_root()
    packed = _prepared(root.path) / archive.file
    _check_space(archive, packed)
    download(mirror_urls(archive, mirrors), packed, md5=archive.md5, size=archive.size, patience=patience, progress=progress)
    folder = unpack(archive, packed, root.path)
    packed.unlink()
    return Place(folder, root)


def _check_space(archive: Archive, packed: Path) -> None:
    have = unfinished(packed).stat().st_size if unfinished(packed).exists() else 0
    need, free = archive.size + archive.unpacked - have, shutil.disk_usage(packed.parent).free
    if free < need:
        raise OSError(
            f"{archive.title} needs {need / 1e6:,.0f} MB under {packed.parent}, where {free / 1e6:,.0f} MB are free; "
            f"make room or set {CACHE} to a folder on a larger disk"
        )
