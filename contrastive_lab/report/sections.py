"""The parts of the report's page as HTML."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from contrastive_lab.figures import Picture, look
from contrastive_lab.report.glyph import glyph
from contrastive_lab.report.record import Record
from contrastive_lab.report.table import COLUMNS, Row, best_of


def words(text: object) -> str:
    return html.escape(str(text))


def name_of(label: str) -> str:
    return f"{glyph(look(label))} {words(label)}"


def section(key: str, title: str, *parts: str) -> str:
    return f'<section aria-labelledby="{key}"><h2 id="{key}">{title}</h2>{"".join(parts)}</section>'


def figure(key: str, picture: Picture, *, titled: bool = True) -> str:
    """A figure's place on the page: what is drawn into it comes from the page's data."""
    head = f"<h3>{words(picture.title)}</h3>" if titled and picture.title else ""
    caption = f"<figcaption>{words(picture.caption)}</figcaption>" if picture.caption else ""
    height = picture.figure.layout.height
    place = f'<div class="plot" id="{key}" role="img" aria-label="{words(picture.alt)}" style="height:{height}px"></div>'
    return f'<figure class="card">{head}{place}{caption}{in_words(picture.alt)}</figure>'


def in_words(alt: str) -> str:
    return f"<details><summary>In words</summary>{words(alt)}</details>"


def chips(records: Sequence[Record]) -> str:
    items = "".join(f'<button type="button" aria-pressed="true" data-chip="{words(r.label)}">{name_of(r.label)}</button>' for r in records)
    return f'<nav class="chips" aria-label="Show or hide runs in every figure"><div>{items}</div></nav>'


def headline(rows: Sequence[Row]) -> str:
    heads = "".join(f'<th scope="col"><button type="button" title="{words(c.meaning)}">{words(c.head)}</button></th>' for c in COLUMNS)
    best = {column.key: best_of(rows, column.key) for column in COLUMNS if column.best}
    body = "".join(_line(row, best) for row in rows)
    meanings = "".join(f"<dt>{words(c.head)}</dt><dd>{words(c.meaning)}</dd>" for c in COLUMNS)
    return (
        '<div class="card"><div class="scroll" role="region" aria-label="Headline numbers" tabindex="0"><table><thead>'
        f'<tr><th scope="col"><button type="button">method</button></th>{heads}</tr></thead><tbody>{body}</tbody></table></div></div>'
        f'<details><summary>What the columns mean</summary><dl class="meanings">{meanings}</dl></details>'
    )


def _line(row: Row, best: Mapping[str, float | None]) -> str:
    cells = []
    for column in COLUMNS:
        value = row.values[column.key]
        kinds = ["best"] if value is not None and value == best.get(column.key) else []
        style = ""
        if value is not None and column.key in ("share", "knn", "linear"):
            kinds.append("share")
            style = f' style="--part:{min(max(value, 0), 1):.0%}"'
        stored = "" if value is None else f"{value:.6g}"
        cells.append(f'<td class="{" ".join(kinds)}" data-value="{stored}"{style}>{column.write(value)}</td>')
    label = words(row.record.label)
    head = f'<th scope="row" data-value="{label}">{name_of(row.record.label)}{_needs(row.record)}</th>'
    return f'<tr data-run="{label}">{head}{"".join(cells)}</tr>'


def _needs(record: Record) -> str:
    return f' <small class="fact">saw {words(" and ".join(record.needs))}</small>' if record.needs else ""


def moving(panels: Sequence[Mapping[str, Any]], epochs: Sequence[int], sheets: Sequence[Mapping[str, Any]]) -> str:
    controls = (
        '<div class="epoch"><button type="button" id="play">▶ Play</button><label for="epoch">Epoch '
        f'<input type="range" id="epoch" min="0" max="{len(epochs) - 1}" step="1" value="{len(epochs) - 1}"></label>'
        '<output id="epoch-now" for="epoch"></output></div>'
    )
    places = "".join(
        f'<figure class="card" data-run="{words(p["label"])}"><h3>{name_of(p["label"])}</h3>'
        f'<div class="plot" id="{p["id"]}" role="img" aria-label="{words(p["alt"])}"></div>'
        f'<div class="now" id="{p["id"]}-now"></div>{in_words(p["alt"])}</figure>'
        for p in panels
    )
    first = next((p["label"] for p in panels if len(p["epochs"]) > 1), None)
    choices = "".join(f"<option{' selected' * (p['label'] == first)}>{words(p['label'])}</option>" for p in panels)
    deeper = (
        '<details id="closer" class="card"><summary>A closer look: one run in three dimensions</summary>'
        f'<p><label>Run <select id="deep-run">{choices}</select></label> Drag to turn it; the epoch slider above moves it.</p>'
        '<div class="plot" id="deep" role="img" aria-label="One run in three dimensions" style="height:460px"></div></details>'
    )
    return (
        "".join(_class_legend(number, sheet, titled=len(sheets) > 1) for number, sheet in enumerate(sheets))
        + controls
        + f'<div class="panels">{places}</div>'
        + deeper
    )


def _class_legend(number: int, sheet: Mapping[str, Any], *, titled: bool) -> str:
    title = f"<b>{words(sheet['name'])}</b>" if titled else ""
    legend = f'<ul class="legend" id="legend-{number}" aria-label="What the marks mean"></ul>'
    return f'<div class="key">{title}{_choice(sheet, number, "Colour by")}{legend}</div>'


def _choice(sheet: Mapping[str, Any], number: int, label: str) -> str:
    """A select of the ways to tell the images apart, where there is more than one."""
    if len(sheet["kinds"]) < 2:
        return ""
    options = "".join(f'<option value="{place}">{words(kind["name"])}</option>' for place, kind in enumerate(sheet["kinds"]))
    return f'<label class="by">{label} <select data-kind="{number}">{options}</select></label>'


def neighbours(sheets: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for number, sheet in enumerate(sheets):
        if sheet["runs"]:
            title = f"<h3>{words(sheet['name'])}</h3>" if len(sheets) > 1 else ""
            bar = f'<div class="queries" id="queries-{number}" role="group" aria-label="Choose a query image"></div>'
            found = f'<div class="found" id="found-{number}" aria-live="polite"></div>'
            parts.append(f'<div class="card">{title}{_choice(sheet, number, "A tick means: same")}{bar}{found}</div>')
    return "".join(parts)


def details(records: Sequence[Record]) -> str:
    return "".join(_detail(record) for record in records)


def _detail(record: Record) -> str:
    machine = record.evaluation.get("machine", {})
    lines = "\n".join(f"{key}: {value}" for key, value in machine.items())
    state = record.about.get("state", "unknown")
    return (
        f'<details data-run="{words(record.label)}"><summary>{name_of(record.label)}, {words(state)}, '
        f"folder <code>{words(record.folder.name)}</code></summary>"
        f"<pre>{words(json.dumps(dict(record.settings), indent=1))}\n{words(lines)}</pre></details>"
    )
