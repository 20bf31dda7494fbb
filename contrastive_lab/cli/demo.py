"""`contrastive-lab demo`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    profile: Annotated[str, typer.Option(help="laptop (about five minutes on two cores) or smoke (seconds, for tests).")] = "laptop",
    folder: Annotated[Path, typer.Option(help="Where runs and the report are kept.")] = Path("demo"),
    only: Annotated[list[str] | None, typer.Option("--method", help="Only these methods (may be repeated); all by default.")] = None,
    seed: Annotated[int, typer.Option(help="Decides weights, order and views.")] = 0,
) -> None:
    """Train an untrained baseline and every method on the embedded world, print a table, write a report. Goes on where it stopped.

    [bold]Example:[/] contrastive-lab demo --profile smoke
    """
    from contrastive_lab.cli.app import fail
    from contrastive_lab.demo import run_demo

    failures = run_demo(profile, folder=folder, only=only or (), seed=seed)
    if failures:
        fail("; ".join(f"{name} failed: {why}" for name, why in failures.items()))
