"""Small tables of numbers: in a notebook they keep their rows at any width of the window, in a terminal they are aligned text."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from contrastive_lab.lab.kernel import in_notebook
from contrastive_lab.lab.results import spread

HEADING = 16
"""Characters of a column's title on one line of text."""
PAGE = 130
"""Characters of a line of text; the columns beyond it follow below."""


def table(rows: Mapping[str, Sequence[Mapping[str, float]]], columns: Mapping[str, str] | Iterable[str], *, digits: int = 2) -> None:
    """Show one line for each name, with mean ± deviation of each column over its rows (one row: the value alone).

    `columns` are keys of the rows; a mapping gives each the title it is shown under. A column that only some
    rows have is empty in the others.
    """
    titles = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    there = {key for several in rows.values() for row in several for key in row}
    if unknown := [key for key in titles if key not in there]:
        raise ValueError(f"columns has {', '.join(map(repr, unknown))}, but the rows have {', '.join(sorted(there)) or 'no numbers'}")
    cells = {
        name: [spread([row[key] for row in several], digits=digits) if any(key in row for row in several) else "" for key in titles]
        for name, several in rows.items()
    }
    show_table(list(titles.values()), cells)


def show_table(titles: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    """Show ready cells, each row behind its name. In a notebook a screen reader hears the title and the name of each cell."""
    text = as_text(titles, rows)
    if not in_notebook():
        print(text)
        return
    from IPython.display import display  # type: ignore[attr-defined,unused-ignore]

    display({"text/plain": text, "text/html": as_html(titles, rows)}, raw=True)  # type: ignore[no-untyped-call,unused-ignore]


def as_text(titles: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """Columns under titles of at most HEADING characters a line, where their words allow it; as many side by side as PAGE has room for."""
    lines = [["", *line] for line in stacked(titles)] + [[name, *cells] for name, cells in rows.items()]
    names, *columns = ([*column] for column in zip(*lines, strict=True))
    first, widths = max(map(len, names)), [max(map(len, column)) + 2 for column in columns]
    blocks: list[list[str]] = []
    for column, width in zip(columns, widths, strict=True):
        if not blocks or len(blocks[-1][0]) + width > PAGE:
            blocks.append([name.ljust(first) for name in names])
        blocks[-1] = [line + cell.rjust(width) for line, cell in zip(blocks[-1], column, strict=True)]
    return "\n\n".join("\n".join(block) for block in blocks)


def as_html(titles: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """The same for a page: where it is too narrow, the table scrolls by itself."""
    head = "".join(f'<th scope="col" style="text-align:right">{html.escape(title)}</th>' for title in titles)
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;white-space:nowrap">{html.escape(name)}</th>'
        + "".join(f'<td style="text-align:right;white-space:nowrap">{html.escape(cell)}</td>' for cell in cells)
        + "</tr>"
        for name, cells in rows.items()
    )
    return f'<div style="overflow-x:auto"><table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def stacked(titles: Sequence[str]) -> list[list[str]]:
    """The titles in as many lines as the longest one needs, so that a wide table doesn't break its rows; they end on the last line."""
    parts = [textwrap.wrap(title, HEADING, break_long_words=False) or [""] for title in titles]
    height = max(map(len, parts))
    padded = [[""] * (height - len(part)) + part for part in parts]
    return [list(line) for line in zip(*padded, strict=True)]
