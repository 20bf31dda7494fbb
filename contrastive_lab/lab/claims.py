"""A paper's own claim, as larger runs than a notebook's found it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from contrastive_lab.lab.results import FOLDER, read
from contrastive_lab.lab.tables import show_table

ACCURACIES = ("knn", "linear")
"""Columns that come first, where a wide table may not fit the page."""


def claim(name: str, *, results: str = "claims") -> None:
    """Print what results/<results>-verdicts.json says of a claim: numbers of each arm (mean ± deviation over seeds), then the verdicts.

    A verdict compares two arms seed by seed: confirmed or refuted where Student's 95 % interval, of three seeds or more,
    leaves out zero, else undecided.
    """
    if not (FOLDER / f"{results}-verdicts.json").exists():
        print(f"nobody has measured this yet; python benchmarks/claims.py {name} does (hours on two cores, minutes on a GPU)")
        return
    content = read(f"{results}-verdicts")
    if name not in content["claims"]:
        raise ValueError(f"name is {name!r}, but must be one of {', '.join(map(repr, content['claims']))}")
    entry, sizes, place = content["claims"][name], content["sizes"], ", ".join(content["claims"][name]["devices"])
    network, limits = f"{sizes['network']} of width {sizes['width']}", f"count = {sizes['count']:,} training images at most"
    epochs = trained_for(name, results=results)
    print(entry["title"])
    print(textwrap.fill(f"{network}, {limits}, trained for {epochs} epochs; {place}; results/{results}.json", 100) + "\n")
    if entry["note"]:
        print(textwrap.fill(entry["note"], 100) + "\n")
    if entry["arms"]:
        _arms(entry["arms"])
    if not entry["verdicts"]:
        print(f"no verdict yet: not all arms were run; python benchmarks/claims.py {name} goes on with them")
    for verdict in entry["verdicts"]:
        print(f"\n{verdict['claim']}\n  {verdict['arms']}: {_outcome(verdict)}")


def trained_for(name: str, *, results: str = "claims") -> str:
    """The epochs of a claim's arms, the untrained ones left out: "15 or 60"."""
    rows = [row for key, row in read(results).items() if key.startswith(f"{name}/") and "settings" in row]
    return " or ".join(map(str, sorted({row["settings"]["epochs"] for row in rows} - {0}))) or "no"


def _outcome(verdict: Mapping[str, Any]) -> str:
    where = " at this scale" if verdict["outcome"] == "undecided" else ""
    seeds = len(verdict["seeds"])
    spread = f"± {verdict['margin']:.3f} (95 %), {seeds} seeds" if seeds > 1 else "one seed, so the spread is unknown"
    separator = " " if seeds > 1 else ", "
    return f"{verdict['outcome'].upper()}{where}: {verdict['difference']:+.3f}{separator}{spread}"


def _arms(arms: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    every = dict.fromkeys(column for values in arms.values() for column in values)
    columns = [*(column for column in ACCURACIES if column in every), *(column for column in every if column not in ACCURACIES)]
    ordered = sorted(arms.items(), key=_numbers_by_size)
    show_table(columns, {arm: [_cell(values.get(column)) for column in columns] for arm, values in ordered})


def _numbers_by_size(arm: tuple[str, Any]) -> list[str | int]:
    """Batch 16 comes before batch 128: words and numbers of the arm's name in turn."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", arm[0]))]


def _cell(value: Mapping[str, float] | None) -> str:
    if value is None:
        return ""
    return f"{value['mean']:.3f}" + (f" ± {value['deviation']:.3f}" if value["seeds"] > 1 else "")
