"""From a fragment of HTML, a script and some data to one self-contained, kernel-free explorable."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

LIMIT = 300_000


@dataclass(frozen=True)
class Question:
    """What to predict before the sliders unlock; `right` is the index of the right choice, `answer` what is said after any choice."""

    text: str
    choices: Sequence[str]
    right: int
    answer: str


@dataclass(frozen=True)
class Slider:
    """A range input. `part` names it for the script, which shows the value in `<part>-value`."""

    part: str
    label: str
    low: float | int
    high: float | int
    step: float | int


def page(
    identity: str,
    *,
    alt: str,
    body: str,
    script: str | Sequence[str],
    mount: str,
    data: Mapping[str, Any],
    question: Question | None = None,
    with_table: bool = False,
) -> str:
    """The explorable as HTML: no network, inherits the colour of the page around it, `identity` is the id of its root.

    `with_table` adds web/table.js, whose `unpack` reads what table.pack wrote.
    """
    parts = [
        f"<style>{_file('lab.css')}</style>",
        _question(identity, question) if question else "",
        body,
        '<p class="words" data-part="words" aria-live="polite"></p>',
        f"<noscript>{html.escape(alt)}</noscript>",
    ]
    own = (script,) if isinstance(script, str) else tuple(script)
    scripts = "\n".join(_file(name) for name in ("predict.js", "keys.js", *(("table.js",) if with_table else ()), *own))
    root = f"document.getElementById({json.dumps(identity)})"
    code = f"{scripts}\nkeepKeys({root});\n{mount}({root}, {_json(data)});"
    text = (
        f'<div class="clab" id="{identity}" role="group" aria-label="{html.escape(alt, quote=True)}">{"".join(parts)}</div>'
        f"<script>(function () {{\n{code}\n}})();</script>"
    )
    if len(text) > LIMIT:
        raise ValueError(f"the explorable {identity!r} has {len(text)} bytes, but at most {LIMIT} are allowed; store coarser data")
    return text


def slider(control: Slider) -> str:
    """The markup of one slider with its label and its value."""
    return (
        f'<label class="control"><span>{html.escape(control.label)}</span>'
        f'<input type="range" data-part="{control.part}" min="{control.low}" max="{control.high}" step="{control.step}" '
        f'aria-label="{html.escape(control.label, quote=True)}"><output data-part="{control.part}-value"></output></label>'
    )


def buttons(**labels: str) -> str:
    return (
        "<div>"
        + "".join(f'<button type="button" data-part="{part}">{html.escape(label)}</button>' for part, label in labels.items())
        + "</div>"
    )


def readouts(rows: Sequence[tuple[str, str, str]]) -> str:
    """A table of live numbers: label, part of the value, and either a text or the part that says what it is compared with."""
    cells = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th><td data-part="{part}"></td><td class="small" data-part="{beside}"></td></tr>'
        for label, part, beside in rows
    )
    return f"<table><tbody>{cells}</tbody></table>"


def _question(identity: str, question: Question) -> str:
    choices = "".join(
        f'<label><input type="radio" name="{identity}-q" value="{number}"> {html.escape(choice)}</label>'
        for number, choice in enumerate(question.choices)
    )
    return (
        f'<fieldset data-right="{question.right}" data-answer="{html.escape(question.answer, quote=True)}">'
        f"<legend>Predict first</legend><div>{html.escape(question.text)}</div>{choices}"
        '<p class="answer" aria-live="polite">Choose one to unlock the controls.</p></fieldset>'
    )


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _file(name: str) -> str:
    return files("contrastive_lab.explorables").joinpath("web", name).read_text("utf-8").strip()
