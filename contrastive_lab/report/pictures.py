"""Runs in, the report's figures out, each with its words."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contrastive_lab.figures import Picture, Track, align_uniform_plane, embedding_animation, spectra, training_curve
from contrastive_lab.report.motion import moving_projection, spectrum
from contrastive_lab.report.record import Record
from contrastive_lab.report.table import embedding_dim, uniformity_share

SHOWN_POINTS, LONGEST_CURVE = 300, 150


def plane_picture(records: Sequence[Record]) -> Picture | None:
    """All runs in the align-uniform plane, with the floor of the most common embedding size."""
    tracks = {record.label: track for record in records if (track := _track(record)) is not None}
    if not tracks:
        return None
    dims = [dim for record in records if (dim := embedding_dim(record))]
    floor = None
    if dims:
        from contrastive_lab.measures import uniformity_floor

        floor = uniformity_floor(Counter(dims).most_common(1)[0][0])
    ends = "; ".join(f"{name} ends at alignment {t.alignment[-1]:.2f} and uniformity {t.uniformity[-1]:.2f}" for name, t in tracks.items())
    alt = f"A path for each run over its epochs in the plane of alignment (across) and uniformity (up, lower is more even). {ends}."
    return Picture(align_uniform_plane(tracks, floor=floor), alt, title="The two forces")


def _track(record: Record) -> Track | None:
    epochs, alignment = record.column("alignment")
    uniformity = record.column("uniformity")[1]
    return Track(epochs, alignment, uniformity) if alignment and len(uniformity) == len(alignment) else None


def curve_pictures(records: Sequence[Record]) -> list[Picture]:
    """Each measure over the epochs; a measure that no run has is left out."""
    chance = 1 / len(records[0].probe.classes) if records[0].probe and len(records[0].probe.classes) > 1 else None
    plans = (
        ("knn", "kNN accuracy", chance, "guessing"),
        ("loss", "loss", None, ""),
        ("alignment", "alignment", None, ""),
        ("share", "uniformity, share of the floor", 1.0, "points spread evenly"),
        ("rankme", "RankMe", None, ""),
        ("std", "spread (std × √D)", 1.0, "isotropic"),
    )
    made = (_curve(records, key, measure, limit, name) for key, measure, limit, name in plans)
    return [picture for picture in made if picture is not None]


def _curve(records: Sequence[Record], key: str, measure: str, limit: float | None, limit_name: str) -> Picture | None:
    curves = {record.label: curve for record in records if (curve := _values(record, key))[0]}
    if not curves:
        return None
    first_last = "; ".join(f"{name} from {values[0]:.3g} to {values[-1]:.3g}" for name, (_, values) in curves.items())
    alt = f"{measure} over the epochs, a line for each run: {first_last}."
    figure = training_curve(curves, measure=measure, limit=limit, limit_name=limit_name)
    figure.update_yaxes(title_text="")
    return Picture(figure, alt, title=measure)


def _values(record: Record, key: str) -> tuple[list[float], list[float]]:
    dim = embedding_dim(record)
    if key in ("share", "std") and dim is None:
        return [], []
    epochs, values = record.column("uniformity" if key == "share" else key)
    if key == "share":
        values = [share for value in values if (share := uniformity_share(value, dim)) is not None]
    if key == "std":
        values = [value * (dim or 1) ** 0.5 for value in values]
    if len(values) > LONGEST_CURVE:
        keep = np.linspace(0, len(values) - 1, LONGEST_CURVE).round().astype(int)
        return [epochs[i] for i in keep], [values[i] for i in keep]
    return epochs, values


def spectrum_pictures(records: Sequence[Record]) -> list[Picture]:
    """The spectra of the embeddings (after the projector) and of the representations (before it)."""
    after = {r.label: spectrum(r.embeddings[-1]) for r in records if r.embeddings is not None}
    before = {r.label: spectrum(r.representation) for r in records if r.representation is not None}
    pictures = []
    for title, values in (("Embedding, after the projector", after), ("Representation, before it", before)):
        if values:
            half = "; ".join(f"{name} has half of its variance in {_half(v)} of {len(v)}" for name, v in values.items())
            alt = f"Variance along each direction, strongest first, on a logarithmic scale, a line for each run: {half}."
            pictures.append(Picture(spectra(values, height=380), alt, title=title))
    return pictures


def _half(values: NDArray[np.float64]) -> int:
    total = values.sum()
    return int(np.searchsorted(values.cumsum(), total / 2) + 1) if total > 0 else 0


def moving_pictures(records: Sequence[Record]) -> dict[str, tuple[Picture, Picture]]:
    """For each run with snapshots and a probe: its embedding over the epochs in two and in three dimensions, all on one scale."""
    moving = {r.label: moving_projection(r.embeddings) for r in records if r.embeddings is not None and r.probe is not None}
    reach = max((float(np.abs(points).max()) for points in moving.values()), default=0.0) or 1.0
    made = {}
    for record in records:
        if record.label in moving:
            flat, deep = (_animation(record, moving[record.label][:, :SHOWN_POINTS, :dims], reach) for dims in (2, 3))
            made[record.label] = (flat, deep)
    return made


def _animation(record: Record, points: NDArray[np.float64], reach: float) -> Picture:
    assert record.probe is not None
    labels, classes = record.probe.labels[: points.shape[1]], record.probe.classes
    dims = points.shape[2]
    figure = embedding_animation(
        points, labels, epochs=record.epochs, classes=classes, controls=False, reach=reach, height=240 + 220 * (dims - 2)
    )
    figure.update_layout(margin={"l": 4, "r": 4, "t": 4, "b": 4})
    if dims == 2:
        figure.update_xaxes(showticklabels=False, title_text="").update_yaxes(showticklabels=False, title_text="")
        figure.update_traces(marker_size=5)
    first, last = (float(np.linalg.norm(points[i], axis=1).mean()) for i in (0, -1))
    alt = (
        f"{record.label}: {points.shape[1]} images as points in {dims} dimensions, marked by their class ({', '.join(classes[:12])}), "
        f"over epochs {record.epochs[0]} to {record.epochs[-1]}. Their mean distance from the centre goes from {first:.2f} to {last:.2f}."
    )
    return Picture(figure, alt, title=record.label)


def all_epochs(records: Sequence[Record]) -> list[int]:
    return sorted(set(itertools.chain.from_iterable(record.epochs for record in records)))
