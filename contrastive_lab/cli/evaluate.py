"""`contrastive-lab evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    download: Annotated[bool, typer.Option(help="Fetch the data set if it is not there.")] = False,
) -> None:
    """Measure a run on the whole test set: weighted kNN (k 200, 50 below 5,000 images, temperature 0.07), linear probe, the two forces.

    [bold]Example:[/] contrastive-lab evaluate runs/dcl-cifar10-0
    """
    from contrastive_lab.cli.app import known
    from contrastive_lab.cli.tables import console, headline_table, plain_table
    from contrastive_lab.training.machine import usable_device
    from contrastive_lab.training.settings import DEVICES

    where = usable_device(known("device", device, DEVICES))
    from contrastive_lab.cli.trial import evaluate_run, sets_of
    from contrastive_lab.report import load_record, summarise
    from contrastive_lab.training import Run

    load_record(run)
    loaded = Run.load(run)
    numbers = evaluate_run(loaded, sets_of(run, loaded.settings, download=download), device=where)
    console().print(headline_table(summarise([load_record(run)])))
    extra = [(name, f"{value:.4f}" if isinstance(value, float) else str(value)) for name, value in numbers.items() if name != "machine"]
    console().print()
    console().print(plain_table(("measure", "value"), extra))
