"""What the numbers of this very report say, in sentences that are only written where they are true."""

from __future__ import annotations

from collections.abc import Sequence

from contrastive_lab.report.record import usual_data
from contrastive_lab.report.sections import words
from contrastive_lab.report.table import Row


def findings(rows: Sequence[Row]) -> str:
    """A short list about the runs on the most common data, or nothing for a single run."""
    usual = usual_data([row.record for row in rows])
    rows = [row for row in rows if row.record.settings["data"] == usual]
    found = [sentence for make in (_best, _gain, _alignment, _even) if (sentence := make(rows))]
    return "<ul>" + "".join(f"<li>{sentence}</li>" for sentence in found) + "</ul>" if found else ""


def _known(rows: Sequence[Row], key: str) -> dict[str, float]:
    return {row.record.label: value for row in rows if (value := row.values[key]) is not None}


def _best(rows: Sequence[Row]) -> str:
    scores = _known(rows, "knn")
    if len(scores) < 2:
        return ""
    ranked = sorted(scores, key=lambda name: -scores[name])
    gap = scores[ranked[0]] - scores[ranked[1]]
    close = " One seed can't tell a gap this small from chance." if gap < 0.02 else ""
    first, second = ranked[:2]
    saw = {row.record.label: f" (saw {' and '.join(row.record.needs)})" if row.record.needs else "" for row in rows}
    return (
        f"Highest kNN accuracy: <b>{words(first)}</b>{words(saw[first])} with {scores[first]:.1%}, "
        f"then {words(second)}{words(saw[second])} with {scores[second]:.1%}.{close}"
    )


def _gain(rows: Sequence[Row]) -> str:
    base = next((row for row in rows if row.record.method == "untrained"), None)
    if base is None or base.values["linear"] is None:
        return ""
    better = [row for row in rows if row.values["linear"] is not None and row.values["linear"] > base.values["linear"]]
    others = len(_known(rows, "linear")) - 1
    return (
        f"{len(better)} of {others} trained networks beat the untrained one ({base.values['linear']:.1%}) on the linear probe."
        if others
        else ""
    )


def _alignment(rows: Sequence[Row]) -> str:
    values = _known(rows, "alignment")
    if len(values) < 2:
        return ""
    name = min(values, key=lambda n: values[n])
    share = _known(rows, "share").get(name)
    empty = share is not None and share < 0.2
    tail = f", and it fills only {share:.0%} of the sphere: alignment alone means nothing" if empty else ""
    return f"Best alignment: <b>{words(name)}</b> with {values[name]:.3f}{tail}."


def _even(rows: Sequence[Row]) -> str:
    values = _known(rows, "share")
    if len(values) < 2:
        return ""
    name = max(values, key=lambda n: values[n])
    return f"Most evenly spread: <b>{words(name)}</b>, at {values[name]:.0%} of the best possible uniformity."
