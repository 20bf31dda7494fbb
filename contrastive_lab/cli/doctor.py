"""`contrastive-lab doctor`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders to look at; without one, this machine is.")] = None,
    quick: Annotated[bool, typer.Option(help="Leave out the speed test (about 5 seconds).")] = False,
) -> None:
    """Say what this machine has, what is missing, and what each profile will cost; or, of runs, what went wrong in them and why.

    [bold]Example:[/] contrastive-lab doctor runs/simclr-scenes-0
    """
    if runs:
        look_at_runs(runs)
    else:
        look_at_machine(quick=quick)


def look_at_runs(folders: list[Path]) -> None:
    """One paragraph for each run: its illnesses, or that it has none that the doctor knows."""
    from contrastive_lab.diagnosis import examine_folder
    from contrastive_lab.report import load_record

    for folder in folders:
        found = examine_folder(folder)
        healthy = "no illness that the doctor knows" if load_record(folder).history else "no epoch is finished yet, nothing to examine"
        typer.echo(f"{folder}: {healthy if not found else ''}".rstrip())
        for illness in found:
            typer.echo(f"  {'note' if illness.kind == 'note' else 'ILL '}  {illness.sentence}")
            typer.echo(f"        {illness.remedy} See {illness.page}.")


def look_at_machine(*, quick: bool) -> None:
    from contrastive_lab.doctor import diagnose

    findings = diagnose(speed=not quick)
    typer.echo("\n".join(f"{finding.mark} {finding.name:<12} {finding.value}" for finding in findings))
    remedies = [f"{finding.name}: {finding.remedy}" for finding in findings if finding.remedy]
    if remedies:
        typer.echo("\nWhat helps:\n" + "\n".join(f"  {remedy}" for remedy in remedies))
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)
