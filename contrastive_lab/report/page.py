"""The report: one HTML file with everything in it, plotly's library included once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from contrastive_lab.figures import Picture, look
from contrastive_lab.report import explore, pictures, sections
from contrastive_lab.report.findings import findings
from contrastive_lab.report.glyph import glyph
from contrastive_lab.report.neighbours import image_sheets
from contrastive_lab.report.probe import write_aside
from contrastive_lab.report.record import Record, load_records, usual_data
from contrastive_lab.report.table import Row, summarise

POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:"
"""The browser itself refuses every request; plotly's three-dimensional plots compile their own functions."""


def write_report(folders: Sequence[str | Path], output: str | Path, *, title: str = "", pages: Sequence[explore.Page] = ()) -> Path:
    """Write the report of these run folders to `output` and return its absolute path; an older file stays until the new one is whole.

    `pages` are explorables to put into it: title, task and page of each.
    """
    path = Path(output)
    if path.is_dir():
        raise ValueError(f"output {str(path)!r} is a folder; name a file, such as {str(path / 'report.html')!r}")
    page = build_report(load_records(folders), title=title, pages=pages)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_aside(path, page.encode("utf-8")).resolve()


def build_report(records: Sequence[Record], *, title: str = "", pages: Sequence[explore.Page] = ()) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    drawn: dict[str, Picture] = {}
    sheets, rows = image_sheets(records), summarise(records)
    panels = _panels(records)
    body = "".join(_body(records, rows, drawn, panels, sheets, pages))
    data = {
        "figures": {key: _json(picture) for key, picture in drawn.items()},
        "panels": panels,
        "epochs": pictures.all_epochs(records),
        "sheets": sheets,
        "glyphs": {record.label: glyph(look(record.label)) for record in records},
    }
    title = title or f"What {len(records)} networks learned" if len(records) > 1 else title or f"What {records[0].label} learned"
    asset = files("contrastive_lab.report")
    return "".join(
        (
            '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{sections.words(title)}</title><style>{(asset / 'page.css').read_text('utf-8')}</style></head><body>",
            _top(records, title),
            sections.chips(records),
            f"<main>{body}{_footer()}</main>",
            f'<script type="application/json" id="data">{json.dumps(data, separators=(",", ":")).replace("<", chr(92) + "u003c")}</script>',
            f"<script>{get_plotlyjs().replace('</script', '<' + chr(92) + '/script')}</script>",
            f"<script>{(asset / 'page.js').read_text('utf-8')}</script></body></html>",
        )
    )


def _top(records: Sequence[Record], title: str) -> str:
    return (
        f'<header class="top"><div><h1>{sections.words(title)}</h1><p class="lead">{sections.words(_lead(records))}</p></div>'
        '<button type="button" class="theme" id="theme"><b aria-hidden="true">☾</b><span>Dark</span></button></header>'
    )


def _lead(records: Sequence[Record]) -> str:
    """What was trained on what, with which seed and hardware, in a line or two."""
    data = sorted({f"{r.settings['data']}{_count(r)}" for r in records})
    epochs = sorted({r.settings["epochs"] for r in records if r.settings["epochs"]})
    seeds = sorted({r.settings["seed"] for r in records})
    networks = sorted({f"{r.settings['network']} of width {r.settings['width']}" for r in records})
    machine: Mapping[str, Any] = next((r.evaluation["machine"] for r in records if r.evaluation.get("machine")), {})
    where = ", ".join(str(machine[key]) for key in ("device", "cores", "torch", "python") if machine.get(key))
    span = f"{epochs[0]}" if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}" if epochs else "no"
    seed = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    return f"Data: {' and '.join(data)}. Network: {', '.join(networks)}; {span} epochs; {seed}. {where}".rstrip(". ") + "."


def _count(record: Record) -> str:
    count = record.about.get("images", {}).get("count")
    return f" ({count:,} images)" if count else ""


def _body(
    records: Sequence[Record],
    rows: Sequence[Row],
    drawn: dict[str, Picture],
    panels: Sequence[Any],
    sheets: Sequence[Any],
    pages: Sequence[explore.Page],
) -> list[str]:
    parts = [sections.section("outcome", "The outcome at a glance", sections.headline(rows), findings(rows))]
    strip = explore.strip(records)
    if strip:
        card = f'<div class="card">{strip}</div>'
        parts.append(sections.section("vital", "Vital signs", TEXTS["vital"], card, "<h3>The doctor</h3>", explore.doctor(records)))
    alike, note = _comparable(records)
    plane = pictures.plane_picture(alike)
    if plane is not None:
        words = TEXTS["forces"] + TEXTS["race" if len(alike) > 1 else "alone"] + note
        parts.append(sections.section("forces", "The two forces", words, _placed("plane", plane, drawn, titled=False)))
    curves = pictures.curve_pictures(alike)
    if curves:
        figures = "".join(_placed(f"curve-{i}", picture, drawn) for i, picture in enumerate(curves))
        parts.append(sections.section("curves", "How it went", TEXTS["curves"] + note, f'<div class="grid">{figures}</div>'))
    spectra = pictures.spectrum_pictures(records)
    if spectra:
        figures = "".join(_placed(f"spectrum-{i}", picture, drawn) for i, picture in enumerate(spectra))
        parts.append(
            sections.section("spectra", "How many directions are used", TEXTS["spectra"], f'<div class="grid two">{figures}</div>')
        )
    factors = any(len(sheet["kinds"]) > 1 for sheet in sheets)
    if panels:
        words = TEXTS["moving"].format(by=", often the background: colour the marks by other factors to find out by which" * factors)
        moving = sections.moving(panels, pictures.all_epochs(records), sheets)
        parts.append(sections.section("moving", "Watch them learn", words, moving))
    if any(sheet["runs"] for sheet in sheets):
        words = TEXTS["alike"].format(see=" Let the ticks mean something else and see." * factors)
        parts.append(sections.section("alike", "Whom do they find alike?", words, sections.neighbours(sheets)))
    own = [page for page in (explore.collapse_page(records), *pages) if page is not None]
    if own:
        parts.append(sections.section("explore", "Act on them", TEXTS["explore"], explore.placed(own)))
    parts.append(sections.section("settings", "Settings, seeds and machines", TEXTS["settings"], sections.details(records)))
    return parts


def _comparable(records: Sequence[Record]) -> tuple[list[Record], str]:
    """The runs on the most common data, and a sentence about those that figures of numbers therefore leave out."""
    usual = usual_data(records)
    others = [record.label for record in records if record.settings["data"] != usual]
    verb = "was" if len(others) == 1 else "were"
    note = f'<p class="quiet">{sections.words(", ".join(others))} {verb} measured on other images and can\'t be compared here.</p>'
    return [record for record in records if record.settings["data"] == usual], note if others else ""


def _placed(key: str, picture: Picture, drawn: dict[str, Picture], *, titled: bool = True) -> str:
    drawn[key] = picture
    picture.figure.update_layout(showlegend=False)
    return sections.figure(key, picture, titled=titled)


def _panels(records: Sequence[Record]) -> list[dict[str, Any]]:
    moving = pictures.moving_pictures(records)
    panels = []
    for number, record in enumerate(records):
        if record.label in moving:
            flat, deep = moving[record.label]
            numbers = {int(row["epoch"]): {k: row[k] for k in ("knn", "rankme") if k in row} for row in record.history if "rankme" in row}
            panel = {"id": f"panel-{number}", "label": record.label, "alt": flat.alt, "epochs": record.epochs, "numbers": numbers}
            panels.append({**panel, "figure": _json(flat), "deep": {"figure": _json(deep), "alt": deep.alt}})
    return panels


def _json(picture: Picture) -> Any:
    return json.loads(picture.figure.to_json())


def _footer() -> str:
    from contrastive_lab import __version__

    return (
        f'<footer class="quiet"><p>Made by contrastive_lab {__version__}. This file needs no network: plotly.js is inside. '
        "Make another one with <code>contrastive-lab report RUN… -o report.html</code>.</p></footer>"
    )


TEXTS = {
    "vital": """<p>One strip for each run, all on the same axes. Move the epoch, or hover over a curve: the embeddings further down follow.
A red lamp is a warning, no verdict; below, the doctor says what the history shows and where it is explained.</p>""",
    "explore": "<p>The pictures of the notebooks, with the networks of this report inside. Each asks for a prediction first.</p>",
    "forces": """<p>Every contrastive loss pulls two views of one image together and pushes different images apart. Pulling shows as
<b>alignment</b> (left is closer), pushing as <b>uniformity</b> (down is more even). Each path is one run from its first epoch to its large
end marker.</p>""",
    "race": """<p>Predict first: which network has the best alignment of all? Then look for it in the upper left corner: a network that
answers the same to every image is perfectly aligned and knows nothing. What counts is going down without going far to the right.</p>""",
    "alone": """<p>A network that answers the same to every image would sit in the upper left corner: perfectly aligned, and it knows
nothing. What counts is going down without going far to the right.</p>""",
    "curves": """<p>Each line is a run; the dashed lines are what guessing or a perfectly even cloud would give. Losses of different
methods stand in different units: compare their shapes, not their heights. If the spread falls towards 0, the embedding collapses.</p>""",
    "spectra": """<p>A steep fall means that few directions carry everything. Compare the two: a projector may throw directions away that
the representation before it still has, which is why the representation is kept and the projector is not.</p>""",
    "moving": """<p>The same images in every panel and every epoch, drawn on one scale. Before training they sit in one small clump,
since an untrained network answers nearly the same to all. Move the slider: the cloud opens. No label was shown (unless the
method needs labels), so a network is free to order the images by whatever is easiest to see{by}.
Point at or tap a mark to see its image.</p>""",
    "alike": """<p>Choose an image. Each row shows whom a network's features put next to it, nearest first. A tick marks the same class,
a cross another one. What do the wrong ones share with the query?{see}</p>""",
    "settings": "<p>Everything that is needed to repeat each run.</p>",
}
