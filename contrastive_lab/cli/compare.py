"""`contrastive-lab compare`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(runs: Annotated[list[Path], typer.Argument(help="Two or more run folders.")]) -> None:
    """Put the headline numbers of runs side by side, and say in which settings they differ.

    [bold]Example:[/] contrastive-lab compare runs/simclr-scenes-0 runs/dcl-scenes-0
    """
    from contrastive_lab.cli.app import escaped
    from contrastive_lab.cli.tables import console, headline_table, plain_table
    from contrastive_lab.report import load_records, summarise

    records = load_records(runs)
    console().print(headline_table(summarise(records)))
    names = sorted({name for record in records for name in record.settings} - {"method"})
    differing = [name for name in names if len({str(record.settings.get(name)) for record in records}) > 1]
    if differing:
        rows = [(name, *(escaped(str(record.settings.get(name, "–"))) for record in records)) for name in differing]
        console().print()
        console().print(plain_table(("differs in", *(escaped(record.label) for record in records)), rows))
