"""Everything on one page: your runs, the shipped ones, and every explorable, all following one epoch."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TITLES = {"vitals": "Vital signs of the shipped runs"}


def dashboard(folders: Sequence[str | Path] | None = None) -> None:
    """Display the strip of the given run folders (by default those in demo/ and runs/), of the shipped runs, and all explorables.

    Hovering over a curve of a strip moves the epoch of every picture that has one and whose question was answered.
    """
    from IPython.display import HTML, display  # type: ignore[attr-defined,unused-ignore]

    for title, page in sections(folders):
        text = f"<h2>{html.escape(title)}</h2>{page}"
        display(HTML(text))  # type: ignore[no-untyped-call,unused-ignore]


def sections(folders: Sequence[str | Path] | None = None) -> Iterator[tuple[str, str]]:
    """Title and page of each part of the dashboard, in order."""
    from contrastive_lab.explorables import EXPLORABLES

    mine = own_runs(found_runs() if folders is None else [Path(folder) for folder in folders])
    yield "Your runs", mine or "<p>None yet: <code>make demo</code> trains every method in minutes, then reload this page.</p>"
    for name in sorted(EXPLORABLES, key=lambda name: name != "vitals"):
        yield TITLES.get(name, name.replace("_", " ").capitalize()), EXPLORABLES[name]().html()


def own_runs(folders: Sequence[Path]) -> str:
    """The strip of these runs and what the doctor says of each; empty without runs."""
    from contrastive_lab.diagnosis import examine
    from contrastive_lab.explorables import VitalSigns
    from contrastive_lab.report import load_records

    if not folders:
        return ""
    records: dict[str, Any] = {record.label: record for record in load_records(folders) if any("std" in row for row in record.history)}
    if not records:
        return ""
    lines = []
    for label, record in records.items():
        found = examine(record.history, record.settings, state=record.about.get("state", "running"), evaluation=record.evaluation)
        lines += [f"<li><b>{html.escape(label)}</b>: {html.escape(str(ill))}</li>" for ill in found]
    doctor = f"<h3>The doctor</h3><ul>{''.join(lines)}</ul>" if lines else "<p>The doctor finds no illness that it knows.</p>"
    return VitalSigns(records).html("clab-vitals-mine") + doctor


def found_runs(home: Path | None = None) -> list[Path]:
    """Run folders below demo/ and runs/ of the current folder or the one above it, oldest first."""
    for place in [home] if home else [Path.cwd(), Path.cwd().parent]:
        found = [path.parent for name in ("demo", "runs") for path in sorted((place / name).glob("**/settings.json"))]
        if found:
            return found
    return []
