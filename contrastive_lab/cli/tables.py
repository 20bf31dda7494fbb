"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contrastive_lab.report.table import COLUMNS, Row, best_of


def console(*, quiet: bool = False) -> Console:
    return Console(highlight=False, quiet=quiet)


def headline_table(rows: Sequence[Row], *, title: str = "") -> Table:
    """The headline numbers of runs; the highest kNN and linear accuracy are bold."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("method", overflow="fold")
    for column in COLUMNS:
        table.add_column(column.head, justify="right", no_wrap=True, min_width=max(len(column.head), 6))
    best = {column.key: best_of(rows, column.key) for column in COLUMNS if column.best}
    for row in rows:
        cells = []
        for column in COLUMNS:
            text, value = column.write(row.values[column.key]), row.values[column.key]
            cells.append(f"[bold]{text}[/]" if value is not None and value == best.get(column.key) else text)
        seen = f" [dim](saw {' and '.join(row.record.needs)})[/]" if row.record.needs else ""
        table.add_row(escape(row.record.label) + seen, *cells)
    return table


def plain_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*row)
    return table
