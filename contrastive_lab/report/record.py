"""What a report knows of one run, read from its folder without building a network."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contrastive_lab.report.probe import Probe, load_probe

SETTINGS, HISTORY, STATE, EVALUATION, SNAPSHOTS = "settings.json", "history.jsonl", "run.json", "evaluation.json", "snapshots"


@dataclass(frozen=True)
class Record:
    """One run: its numbers, and the embeddings (epochs, images, D) and last representation (images, R) of its watched images."""

    label: str
    folder: Path
    settings: Mapping[str, Any]
    history: Sequence[Mapping[str, float]] = ()
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    epochs: tuple[int, ...] = ()
    embeddings: NDArray[np.float32] | None = None
    representation: NDArray[np.float32] | None = None
    probe: Probe | None = None

    @property
    def method(self) -> str:
        """The method's name; a network that was never trained is called so, whatever was meant to train it."""
        return "untrained" if self.settings["epochs"] == 0 else str(self.settings["method"])

    @property
    def needs(self) -> list[str]:
        """What the method was shown beyond images: labels, groups, captions."""
        return [] if self.method == "untrained" else list(self.evaluation.get("needs", []))

    def column(self, name: str) -> tuple[list[float], list[float]]:
        """Epochs and values of one measure, from the history rows that have it; empty lists where none has."""
        rows = [row for row in self.history if name in row]
        return [row["epoch"] for row in rows], [row[name] for row in rows]

    def last(self, name: str) -> float | None:
        """The evaluated value of a measure, else the last one of the history, else None."""
        if name in self.evaluation:
            return float(self.evaluation[name])
        values = self.column(name)[1]
        return float(values[-1]) if values else None


def load_record(folder: str | Path) -> Record:
    """Read a run's folder; raises `ValueError` where it holds no run or a file of it can't be read."""
    home = Path(folder)
    if not (home / SETTINGS).exists():
        raise ValueError(
            f"run {str(home)!r} is no run folder: {SETTINGS} is missing; give folders that `contrastive-lab train` or `demo` wrote"
        )
    settings = _read_json(home / SETTINGS)
    epochs, embeddings, representation = _read_snapshots(home / SNAPSHOTS)
    record = Record(
        label="",
        folder=home,
        settings=settings,
        history=_read_history(home / HISTORY),
        evaluation=_read_json(home / EVALUATION) if (home / EVALUATION).exists() else {},
        about=_read_json(home / STATE) if (home / STATE).exists() else {},
        epochs=epochs,
        embeddings=embeddings,
        representation=representation,
        probe=load_probe(home),
    )
    return replace(record, label=record.method)


def load_records(folders: Sequence[str | Path]) -> list[Record]:
    """Several runs; other data than usual is named, and runs of one method are told apart by the name of their folder."""
    if not folders:
        raise ValueError("no run was given; name at least one run folder")
    records = [load_record(folder) for folder in folders]
    usual = usual_data(records)
    names = [r.method if r.settings["data"] == usual else f"{r.method} on {r.settings['data']}" for r in records]
    alone = [name if names.count(name) == 1 else f"{name} ({r.folder.name})" for name, r in zip(names, records, strict=True)]
    labels = [label if alone.count(label) == 1 else f"{label} {number}" for number, label in enumerate(alone, start=1)]
    return [replace(record, label=label) for record, label in zip(records, labels, strict=True)]


def usual_data(records: Sequence[Record]) -> str:
    """The data set of most of the runs; numbers on another one can't be compared with theirs."""
    return Counter(str(record.settings["data"]) for record in records).most_common(1)[0][0]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise ValueError(f"{path} can't be read ({error}); train the run again") from error


def _read_history(path: Path) -> list[dict[str, float]]:
    if not path.exists():
        return []
    lines = path.read_text("utf-8").splitlines()
    try:
        rows = [json.loads(line) for line in lines if line.strip()]
        return [{name: float(value) for name, value in row.items() if isinstance(value, int | float)} for row in rows]
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} can't be read ({error}); train the run again") from error


def _read_snapshots(home: Path) -> tuple[tuple[int, ...], NDArray[np.float32] | None, NDArray[np.float32] | None]:
    from safetensors.numpy import load_file

    epochs, frames, representation = [], [], None
    for path in sorted(home.glob("*.safetensors")):
        tensors = load_file(path)
        if "embeddings" in tensors:
            epochs.append(int(path.stem.split("-")[0]))
            frames.append(tensors["embeddings"].astype("float32"))
        if "representation" in tensors:
            representation = tensors["representation"].astype("float32")
    return tuple(epochs), np.stack(frames) if frames else None, representation
