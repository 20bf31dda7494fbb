"""Which images an encoder finds alike: the same queries for every run that was watched on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contrastive_lab.figures import class_look, data_uri, sheet
from contrastive_lab.report.glyph import glyph
from contrastive_lab.report.motion import nearest
from contrastive_lab.report.probe import Probe
from contrastive_lab.report.record import Record

QUERIES, NEIGHBOURS, COLUMNS = 12, 8, 20


def image_sheets(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One entry for each set of watched images: the PNG, its grid, the classes, the queries, and each run's neighbours of them."""
    found: dict[Any, list[Record]] = {}
    for record in records:
        if record.probe is not None:
            found.setdefault(record.probe.key, []).append(record)
    return [_entry(members[0].probe, members) for members in found.values() if members[0].probe is not None]


def _entry(probe: Probe, members: Sequence[Record]) -> dict[str, Any]:
    queries = choose_queries(probe.labels)
    runs = {
        record.label: nearest(record.representation, queries, count=NEIGHBOURS).tolist()
        for record in members
        if record.representation is not None and len(record.representation) == len(probe.labels)
    }
    return {
        "name": probe.name,
        "uri": data_uri(sheet(probe.pixels, columns=COLUMNS)),
        "columns": COLUMNS,
        "rows": -(-len(probe.pixels) // COLUMNS),
        "kinds": _kinds(probe),
        "queries": queries.tolist(),
        "runs": runs,
        "members": [record.label for record in members],
    }


def _kinds(probe: Probe) -> list[dict[str, Any]]:
    """The ways in which the images can be told apart: by class first, then by every other factor."""
    ways = {"class": (probe.labels, probe.classes)}
    ways |= {name: way for name, way in probe.factors.items() if not np.array_equal(way[0], probe.labels)}
    kinds = []
    for name, (values, names) in ways.items():
        looks = [class_look(number, word) for number, word in enumerate(names)]
        markers = [{"colour": look.colour, "symbol": look.symbol, "glyph": glyph(look)} for look in looks]
        kinds.append({"name": name, "values": values.tolist(), "names": list(names), "markers": markers})
    return kinds


def choose_queries(labels: NDArray[np.int64], count: int = QUERIES) -> NDArray[np.int64]:
    """The first images of each class in turn, so that every class is asked for."""
    rounds: list[tuple[int, int]] = []
    seen: dict[int, int] = {}
    for index, label in enumerate(labels.tolist()):
        rounds.append((seen.get(label, 0), index))
        seen[label] = seen.get(label, 0) + 1
    return np.array([index for _, index in sorted(rounds)[:count]])
