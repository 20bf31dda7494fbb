"""Published archives: their names, checksums and mirrors, and how they are unpacked safely."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contrastive_lab.data.download import md5_of

MIRRORS = "CONTRASTIVE_LAB_MIRRORS"


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A published .tar.gz: file name, md5, sizes in bytes, addresses in the order of trial, and the md5 of each file we take out of it."""

    title: str
    file: str
    folder: str
    md5: str
    size: int
    unpacked: int
    mirrors: tuple[str, ...]
    members: Mapping[str, str]


def mirror_urls(archive: Archive, mirrors: Sequence[str] = ()) -> list[str]:
    """Addresses in the order of trial: folders passed in, folders of CONTRASTIVE_LAB_MIRRORS (separated by spaces), the built-in ones."""
    bases = [*mirrors, *os.environ.get(MIRRORS, "").split()]
    return [*(f"{base.rstrip('/')}/{archive.file}" for base in bases), *archive.mirrors]


def unpack(archive: Archive, packed: Path, into: Path) -> Path:
    """Take the known files out of an archive whose md5 matches; returns their folder.

    Nothing else of the archive is written: no other names, links or paths. Each file gets its name only when it is complete.
    """
    _check(archive, packed)
    folder = into / archive.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(packed, "r:gz") as tar:
        for member in tar:
            name = member.name.removeprefix("./").removeprefix(f"{archive.folder}/")
            if member.isreg() and name in archive.members and not (folder / name).exists():
                _take(tar, member, folder / name)
    missing = [name for name in archive.members if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"{packed} holds no {', '.join(missing)}, although its md5 matches; delete {folder} and try again")
    return folder


def _check(archive: Archive, packed: Path) -> None:
    found, size = md5_of(packed), packed.stat().st_size
    if found != archive.md5:
        raise ValueError(
            f"{packed} has {size:,} bytes and md5 {found}, but {archive.title} has {archive.size:,} bytes and md5 {archive.md5}; "
            "the file is incomplete or another one: delete it and download it again"
        )


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source, part = tar.extractfile(member), target.with_name(f"{target.name}.{os.getpid()}.unfinished")
    assert source is not None
    with source, part.open("wb") as file:
        shutil.copyfileobj(source, file)
    os.replace(part, target)
