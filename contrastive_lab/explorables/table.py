"""State tables: what a slider runs over, measured once by scripts/states/<name>.py and kept as states/<name>.npz."""

from __future__ import annotations

import base64
import io
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 300_000
ROOM = {"uint8": (0, 255), "int16": (-32767, 32767)}


@dataclass(frozen=True)
class Table:
    """Arrays by name, as they were stored, and what the script says about them: seed, versions, sizes, units."""

    name: str
    arrays: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]

    def __getitem__(self, key: str) -> NDArray[Any]:
        return self.arrays[key]


@cache
def read(name: str) -> Table:
    """The table of contrastive_lab/explorables/states/<name>.npz; its arrays can't be written to."""
    home = files("contrastive_lab.explorables").joinpath("states")
    known = sorted(entry.name.removesuffix(".npz") for entry in home.iterdir() if entry.name.endswith(".npz"))
    if name not in known:
        raise ValueError(f"name is {name!r}, but must be one of {', '.join(map(repr, known))}")
    return load(home.joinpath(f"{name}.npz").read_bytes(), name=name)


def load(raw: bytes, *, name: str = "table") -> Table:
    """A table from the bytes of an .npz file; nothing in it is unpickled."""
    with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
        arrays = {key: kept[key] for key in kept.files if key != "about"}
        about = json.loads(str(kept["about"])) if "about" in kept.files else {}
    for array in arrays.values():
        array.flags.writeable = False
    return Table(name, arrays, about)


def save(path: Path, arrays: Mapping[str, NDArray[Any]], *, about: Mapping[str, Any]) -> int:
    """Write a table and return its bytes. `about` must say command and seed; versions are added here."""
    missing = {"command", "seed"} - set(about)
    if missing:
        raise ValueError(f"about has no {' and no '.join(sorted(missing))}; whoever reads the table must be able to make it again")
    if "about" in arrays:
        raise ValueError("arrays has an entry 'about', but that name is kept for the description")
    import torch

    versions = {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__}
    page = io.BytesIO()
    everything: dict[str, Any] = {**arrays, "about": np.array(json.dumps({**about, "versions": versions}))}
    np.savez_compressed(page, **everything)
    if len(page.getvalue()) > LIMIT:
        raise ValueError(f"the table has {len(page.getvalue())} bytes, but at most {LIMIT} are allowed; store fewer or coarser numbers")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page.getvalue())
    return len(page.getvalue())


def quantize(values: Any, low: float | int, high: float | int, *, dtype: str = "int16") -> NDArray[Any]:
    """Numbers from `low` to `high` (others are clipped) as whole numbers over the room of `dtype`; `restore` goes back."""
    first, last = _room(dtype)
    if not low < high:
        raise ValueError(f"low is {low} and high is {high}, but low must be below high")
    share = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    if not np.isfinite(share).all():
        raise ValueError("values has an entry that is not finite")
    return np.round(first + np.clip(share, 0, 1) * (last - first)).astype(dtype)


def restore(whole: NDArray[Any], low: float | int, high: float | int) -> NDArray[np.float64]:
    """What `quantize` was given, to half a step."""
    first, last = _room(whole.dtype.name)
    return low + (whole.astype(np.float64) - first) / (last - first) * (high - low)


def pack(values: Any, low: float | int, high: float | int, *, dtype: str = "int16") -> dict[str, Any]:
    """An array for the page's JSON: base64 of its quantized numbers, read by `unpack` of web/table.js.

    Already quantized whole numbers (int16 or uint8 arrays) pass as they are; `low` and `high` are then those they were quantized with.
    """
    array = np.asarray(values)
    whole = array if array.dtype.name in ROOM else quantize(array, low, high, dtype=dtype)
    kind = whole.dtype.name
    text = base64.b64encode(np.ascontiguousarray(whole).astype(whole.dtype.newbyteorder("<")).tobytes()).decode()
    return {"type": kind, "shape": list(whole.shape), "low": float(low), "high": float(high), "base64": text}


def _room(dtype: str) -> tuple[int, int]:
    if dtype not in ROOM:
        raise ValueError(f"dtype is {dtype!r}, but must be one of {', '.join(map(repr, ROOM))}")
    return ROOM[dtype]
