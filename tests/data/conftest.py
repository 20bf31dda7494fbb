"""Tiny stand-ins for the real sets, in their own file layouts, and a machine that has no data yet."""

import hashlib
import io
import os
import pickle
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bad_server import Server

from contrastive_lab.data import cifar


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A data folder and an empty cache folder below tmp_path; no proxy between a test and its own server."""
    for name in ("CONTRASTIVE_LAB_MIRRORS", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("CONTRASTIVE_LAB_DATA", str(data))
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path / "cache"))
    sys.modules["contrastive_lab.data.load"]._said.clear()
    return data


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def cifar_files(name: str, per_file: int = 20) -> dict[str, bytes]:
    """Pickles as in the published archive, with `per_file` random images of ten classes each."""
    draw = np.random.default_rng(3)
    known = cifar.SETS[name]
    files = {}
    for file in [file for split in known.splits.values() for file in split]:
        labels = [k % 10 for k in range(per_file)]
        content = {"data": draw.integers(0, 256, (per_file, 3072), dtype=np.uint8), known.labels: labels}
        if name == "cifar100":
            content["coarse_labels"] = [k % 5 for k in range(per_file)]
        files[file] = pickle.dumps(content, protocol=3)
    names_file, key = known.names
    return files | {names_file: pickle.dumps({key: [f"class {k}" for k in range(10)]}, protocol=2)}


def packed(folder: str, files: dict[str, bytes], extra: list[tarfile.TarInfo] = ()) -> bytes:
    """A .tar.gz of these files in this folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in extra:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def little_cifar(machine, monkeypatch):
    """Installs small CIFAR files as the published ones; returns a function name -> (files, archive bytes), nothing is on disk yet."""

    def install(name: str, extra=()):
        files = cifar_files(name)
        known = cifar.SETS[name]
        content = packed(known.archive.folder, files, extra)
        archive = replace(
            known.archive,
            md5=md5(content),
            size=len(content),
            unpacked=sum(map(len, files.values())),
            mirrors=(),
            members={file: md5(body) for file, body in files.items()},
        )
        monkeypatch.setitem(cifar.SETS, name, replace(known, archive=archive))
        return files, content

    return install


@pytest.fixture
def write():
    return written


@pytest.fixture
def real_folder():
    """The folder with the real images."""
    chosen = os.environ.get("CONTRASTIVE_LAB_DATA")
    if not chosen:
        pytest.skip("CONTRASTIVE_LAB_DATA is not set: no real images on this machine")
    return Path(chosen)


@pytest.fixture
def serve():
    """Starts a server for named hosts: serve(a=Host(...)) returns the address of each file."""
    servers = []

    def start(**hosts):
        servers.append(Server(hosts))
        return servers[-1].urls

    yield start
    for server in servers:
        server.stop()
