"""`contrastive-lab doctor`"""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(quick: Annotated[bool, typer.Option(help="Leave out the speed test (about 5 seconds).")] = False) -> None:
    """Say what this machine has, what is missing, and what each profile will cost; the text fits into a bug report.

    [bold]Example:[/] contrastive-lab doctor
    """
    from contrastive_lab.doctor import diagnose

    findings = diagnose(speed=not quick)
    typer.echo("\n".join(f"{finding.mark} {finding.name:<12} {finding.value}" for finding in findings))
    remedies = [f"{finding.name}: {finding.remedy}" for finding in findings if finding.remedy]
    if remedies:
        typer.echo("\nWhat helps:\n" + "\n".join(f"  {remedy}" for remedy in remedies))
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)
