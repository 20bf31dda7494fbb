"""A run's folder on disk: every file is written aside, flushed to the disk and then put in place in one move."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from contrastive_lab.training.settings import Settings

Row = dict[str, float | int]
"""Numbers by name at one step."""

SETTINGS, HISTORY, STATE, CHECKPOINT, WEIGHTS, SNAPSHOTS = (
    "settings.json",
    "history.jsonl",
    "run.json",
    "checkpoint.pt",
    "weights.safetensors",
    "snapshots",
)


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that `path` holds either the old or the new content, whatever happens in between.

    A full disk, a missing folder or a missing permission raises an `OSError` of the same kind that says so and what survives.
    """
    aside = path.with_name(path.name + ".unfinished")
    try:
        with aside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        _discard(aside)
        survives = f"the previous {path.name} is untouched" if path.exists() else f"no {path.name} was there before"
        raise type(error)(
            error.errno,
            f"could not write {path.name} ({error.strerror or error}); {survives}. Make room, restore the folder or its permissions, "
            "or choose another folder, then call train again: it goes on from the last finished epoch",
            str(path),
        ) from error


def write_text(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode("utf-8")))


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """A safetensors file."""
    from safetensors.torch import save

    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, lambda file: file.write(save(whole)))


def read_tensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load

    return load(path.read_bytes())


def write_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    whole = io.BytesIO()  # torch.save on a full disk would hide the system's reason behind one of its own
    torch.save(state, whole)
    write_whole(folder / CHECKPOINT, lambda file: file.write(whole.getbuffer()))


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The state after the last finished epoch, or None; only tensors and plain values are read, never code."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise ValueError(f"the checkpoint {path} can't be read ({error}); delete it to start that run again") from error


def claim(folder: Path, settings: Settings, images: dict[str, Any], *, resume: bool) -> None:
    """Make `folder` the home of this run, or check that it is already; `ValueError` if it belongs to another one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(error.errno, f"can't make the run folder ({error.strerror}); choose another folder", str(folder)) from error
    if not (folder / SETTINGS).exists() or _never_began(folder):
        write_text(folder / SETTINGS, settings.to_json())
        return
    if not resume:
        raise ValueError(f"folder {folder} already holds a run; pass resume=True to go on with it, or choose another folder")
    differences = read_settings(folder).differences(settings)
    before = images | read_state(folder).get("images", {})
    differences += [f"images.{name}: {before[name]!r} -> {images[name]!r}" for name in images if before[name] != images[name]]
    if differences:
        raise ValueError(
            f"folder {folder} holds a run of other settings ({'; '.join(differences)}); "
            "choose another folder, delete this one, or take its settings again"
        )


def _never_began(folder: Path) -> bool:
    """Whether the run failed before its first epoch was kept, as with settings that don't fit each other: nothing is lost with it."""
    kept = any((folder / name).exists() for name in (CHECKPOINT, HISTORY, WEIGHTS))
    return not kept and read_state(folder).get("state") == "failed"


def as_json(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=2)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty where there is no file; `ValueError` with the file's name if it is broken."""
    try:
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is broken ({error}); restore it, or delete {path.parent} to start that run again") from error


def read_settings(folder: Path) -> Settings:
    path = folder / SETTINGS
    try:
        return Settings.from_json(path.read_text("utf-8"))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} holds no settings ({error}); restore it, or delete {folder} to start that run again") from error


def read_state(folder: Path) -> dict[str, Any]:
    return read_json(folder / STATE)


def read_history(folder: Path, *, up_to_step: int | None = None) -> list[Row]:
    """The rows written so far; a last line that was cut off by a kill is left out, as are rows after `up_to_step`."""
    path = folder / HISTORY
    rows: list[Row] = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows if up_to_step is None else [row for row in rows if row["step"] <= up_to_step]


def write_history(folder: Path, rows: list[Row]) -> None:
    write_text(folder / HISTORY, "".join(json.dumps(row) + "\n" for row in rows))


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
