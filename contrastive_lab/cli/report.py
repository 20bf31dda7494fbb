"""`contrastive-lab report`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The page to write.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="Its headline.")] = "",
    explore: Annotated[bool, typer.Option("--explore", help="Open the networks and put their explorables into the page.")] = False,
) -> None:
    """Write one interactive HTML page about runs; it needs no network and fits on a phone.

    [bold]Example:[/] contrastive-lab report runs/simclr-scenes-0 runs/dcl-scenes-0 -o report.html
    """
    from contrastive_lab.cli.explore import own_pages
    from contrastive_lab.cli.tables import console
    from contrastive_lab.report import write_report

    path = write_report(runs, output, title=title, pages=own_pages(runs) if explore else ())
    console().print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB). Open it: {path.as_uri()}", soft_wrap=True)
