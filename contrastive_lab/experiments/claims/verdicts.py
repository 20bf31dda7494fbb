"""From finished trials to what is reported: one record and one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contrastive_lab.experiments.claims.claim import Claim, Rows
from contrastive_lab.experiments.verdict import spread

Results = Mapping[str, Mapping[str, Any]]


def record(claims: Iterable[Claim], results: Results) -> dict[str, Any]:
    """For JSON: every claim with its note, where it was run, its verdicts and mean and deviation of what its arms gave."""
    return {claim.name: _entry(claim, results) for claim in claims}


def _entry(claim: Claim, results: Results) -> dict[str, Any]:
    rows = Rows(results, claim.name)
    answers = [{**verdict.to_dict(), "arms": question.arms} for question, verdict in claim.verdicts(results)]
    values = {arm: {column: _summary(rows, arm, column) for column in claim.shown if rows.of(arm, column)} for arm in rows.arms}
    places = {row["environment"]["device"] for arm in rows.arms.values() for row in arm.values() if "environment" in row}
    return {"title": claim.title, "note": claim.note, "devices": sorted(places), "verdicts": answers, "arms": values}


def _summary(rows: Rows, arm: str, column: str) -> dict[str, float]:
    found = list(rows.of(arm, column).values())
    mean, deviation = spread(found)
    return {"mean": mean, "deviation": deviation, "seeds": len(found)}


def verdict_table(claims: Iterable[Claim], results: Results) -> str:
    """Markdown: each question, the difference of its arms with its 95 % interval over seeds, and the verdict."""
    lines = ["| claim | arms | seeds | difference (95 %) | verdict |", "|---|---|---|---|---|"]
    for claim in claims:
        lines.append(f"| **{claim.title}** | | | | |")
        for question, verdict in claim.verdicts(results):
            numbers = f"{verdict.difference:+.3f}" + (f" ± {verdict.margin:.3f}" if len(verdict.seeds) > 1 else "")
            lines.append(f"| {question.text} | {question.arms} | {len(verdict.seeds)} | {numbers} | {verdict.outcome} |")
    return "\n".join(lines)


def value_table(claim: Claim, results: Results) -> str:
    """Markdown: mean ± standard deviation of every arm; empty where an arm has no such number."""
    rows = Rows(results, claim.name)
    shown = [column for column in claim.shown if any(rows.of(arm, column) for arm in rows.arms)]
    lines = ["| " + " | ".join(["arm", "seeds", *shown]) + " |", "|---" * (len(shown) + 2) + "|"]
    for arm, seeds in rows.arms.items():
        cells = [_cell(list(rows.of(arm, column).values())) for column in shown]
        lines.append("| " + " | ".join([arm, str(len(seeds)), *cells]) + " |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    mean, deviation = spread(values) if values else (0.0, 0.0)
    return "" if not values else f"{mean:.3f} ± {deviation:.3f}" if len(values) > 1 else f"{mean:.3f}"
