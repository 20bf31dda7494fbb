"""The report's pictures to act on: the vital signs of its runs, what the doctor says, and explorables of these very runs."""

from __future__ import annotations

from collections.abc import Sequence

from contrastive_lab.report.record import Record
from contrastive_lab.report.sections import words

Page = tuple[str, str, str]
"""Title, a sentence on what to do, and the kernel-free page of an explorable."""


def strip(records: Sequence[Record]) -> str:
    """Vital signs of the runs that were measured while they trained; empty where none was."""
    from contrastive_lab.explorables import VitalSigns

    runs = {r.label: r for r in records if any("std" in row and float(row["epoch"]).is_integer() for row in r.history)}
    return VitalSigns(runs).html("clab-vitals-report") if runs else ""


def doctor(records: Sequence[Record]) -> str:
    """What the doctor says of each run, a list item for each finding."""
    from contrastive_lab.diagnosis import examine

    items = []
    for r in records:
        found = examine(r.history, r.settings, state=str(r.about.get("state", "finished")), evaluation=r.evaluation)
        items += [f'<li data-run="{words(r.label)}"><b>{words(r.label)}</b>: {words(illness)}</li>' for illness in found]
    return f"<ul>{''.join(items)}</ul>" if items else "<p>The doctor finds none of the illnesses that it knows.</p>"


def collapse_page(records: Sequence[Record]) -> Page | None:
    """The dial of directions for the run with the best kNN, on the embeddings that it kept last."""
    import torch

    from contrastive_lab.explorables import Collapse

    kept = [r for r in records if r.embeddings is not None and r.settings["epochs"] > 0]
    if not kept:
        return None
    best = max(kept, key=lambda r: r.last("knn") or 0.0)
    assert best.embeddings is not None
    page = Collapse(yours=torch.from_numpy(best.embeddings[-1]).float()).html("clab-collapse-report")
    return f"How many directions does {best.label} use?", "Its embeddings join those of the shipped encoders; turn the dial.", page


def placed(pages: Sequence[Page]) -> str:
    cards = (f'<h3>{words(title)}</h3><p class="quiet">{words(task)}</p>{page}' for title, task, page in pages)
    return "".join(f'<div class="card">{card}</div>' for card in cards)
