"""What the modality gap's explorable knows of one pair of encoders, and the small table of many of them that travels with the lab."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab import measures
from contrastive_lab.explorables import table

SHARES = tuple(round(-0.5 + 0.1 * k, 1) for k in range(21))
"""How much of the gap is closed by hand: -0.5 half as wide again, 0 as trained, 1 closed, 1.5 beyond."""

NUMBERS = ("gap", "cone x", "cone y", "alignment", "separability")
SWEEP = ("gap", "alignment", "recall")
POINTS = 120
RANGES = {"plane": (-1.0, 1.0), "numbers": (-1.0, 4.0), "sweep": (-1.0, 4.0)}


@dataclass(frozen=True)
class GapRun:
    """Encoders of one pair of modalities from one initialisation: temperatures T times epochs E.

    `plane` are P pairs in the plane of the gap's direction (first coordinate) and of the widest direction across it, x before y;
    `numbers` are those of `NUMBERS`, `sweep` those of `SWEEP` at each of `SHARES` (recall: share of twins found first, mean of both ways).
    """

    title: str
    names: tuple[str, str]
    count: int
    temperatures: tuple[float, ...]
    epochs: tuple[int, ...]
    plane: Float64[np.ndarray, "T E 2 P 2"]
    numbers: Float64[np.ndarray, "T E 5"]
    sweep: Float64[np.ndarray, "T E 3 S"]


def measure_pair(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], *, points: int = POINTS) -> dict[str, Any]:
    """Numbers, sweep and plane of rows x and their partners y."""
    gap = measures.modality_gap(x, y)
    rows = measures.shift_along_gap(x, y, [share * gap for share in SHARES], sides="two")
    recall = [(row["recall_x_to_y@1"] + row["recall_y_to_x@1"]) / 2 for row in rows]
    cones = measures.mean_cosine(x), measures.mean_cosine(y)
    return {
        "numbers": np.array([gap, *cones, measures.alignment(x, y), measures.gap_separability(x, y)]),
        "sweep": np.array([[row["gap"] for row in rows], [row["alignment"] for row in rows], recall]),
        "plane": _plane(x.double(), y.double(), points),
    }


def _plane(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"], points: int) -> Float64[np.ndarray, "2 P 2"]:
    """Coordinates of the first pairs: along the unit gap direction, and along the first principal direction orthogonal to it."""
    x, y = torch.nn.functional.normalize(x, dim=1), torch.nn.functional.normalize(y, dim=1)
    offset = x.mean(dim=0) - y.mean(dim=0)
    axis = offset / torch.linalg.vector_norm(offset)
    both = torch.cat([x, y])
    across = both - (both @ axis)[:, None] * axis
    widest = torch.linalg.svd(across - across.mean(dim=0), full_matrices=False).Vh[0]
    basis = torch.stack([axis, widest], dim=1)
    return torch.stack([x[:points] @ basis, y[:points] @ basis]).cpu().numpy()


def gather_run(
    title: str,
    names: tuple[str, str],
    states: Mapping[float, Mapping[int, Mapping[str, Any]]],
    *,
    count: int,
) -> GapRun:
    """One run from `measure_pair` results by temperature and epoch; mirror images across the gap's axis are turned to agree over time."""
    temperatures = tuple(states)
    epochs = tuple(next(iter(states.values())))
    stacks = {
        name: np.array([[states[tau][epoch][name] for epoch in epochs] for tau in temperatures]) for name in ("numbers", "sweep", "plane")
    }
    plane = stacks["plane"]
    for path in plane:
        for before, now in itertools.pairwise(path):
            now[..., 1] *= 1.0 if float((before[..., 1] * now[..., 1]).sum()) >= 0 else -1.0
    return GapRun(title, names, count, temperatures, epochs, plane, stacks["numbers"], stacks["sweep"])


def save(path: str | Path, runs: Mapping[str, GapRun], about: Mapping[str, Any]) -> int:
    """Write runs by name as a state table; returns its bytes."""
    heads = {
        name: {"title": run.title, "names": run.names, "count": run.count, "temperatures": run.temperatures, "epochs": run.epochs}
        for name, run in runs.items()
    }
    arrays = {f"{name}.{part}": table.quantize(getattr(run, part), *RANGES[part]) for name, run in runs.items() for part in RANGES}
    return table.save(Path(path), arrays, about={**about, "runs": heads})


def load(kept: table.Table) -> dict[str, GapRun]:
    """The runs of a table."""
    runs = {}
    for name, head in kept.about["runs"].items():
        plane, numbers, sweep = (table.restore(kept[f"{name}.{part}"], *bounds) for part, bounds in RANGES.items())
        axes = tuple(head["temperatures"]), tuple(head["epochs"])
        runs[name] = GapRun(head["title"], tuple(head["names"]), head["count"], *axes, plane, numbers, sweep)
    return runs


@cache
def shipped() -> Mapping[str, GapRun]:
    """The table that scripts/states/modality_gap.py wrote."""
    return load(table.read("modality_gap"))


def slide(points: Float64[np.ndarray, "*P 2"], move: float | int) -> Float64[np.ndarray, "*P 2"]:
    """Points of the plane after their unit vectors moved by -move along the first axis and were normalised again: they bend inwards."""
    length = np.sqrt(1 - 2 * move * points[..., 0] + move**2)
    return np.stack([(points[..., 0] - move) / length, points[..., 1] / length], axis=-1)


def one_of(name: str, value: float | int | str, known: Sequence[Any]) -> int:
    """The position of `value` in `known`; ValueError with what there is."""
    if value not in known:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(map(str, known))}")
    return list(known).index(value)
