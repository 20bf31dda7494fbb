"""`contrastive-lab train`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from contrastive_lab.cli.trial import Sets
    from contrastive_lab.training import Observer


def train(
    method: Annotated[str, typer.Option(help="See: contrastive-lab methods")] = "simclr",
    data: Annotated[str, typer.Option(help="See: contrastive-lab data")] = "scenes",
    epochs: Annotated[int | None, typer.Option(help="Passes through the images; 0 keeps the untrained network, a baseline.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images of one step; the learning rate follows it.")] = None,
    network: Annotated[str | None, typer.Option(help="convnet (two cores) or resnet18.")] = None,
    width: Annotated[int | None, typer.Option(help="Base width of the network.")] = None,
    image_size: Annotated[int | None, typer.Option(help="Side of the training views in pixels.")] = None,
    count: Annotated[int | None, typer.Option(help="Take only this many training images.")] = None,
    seed: Annotated[int, typer.Option(help="Decides weights, order and views.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str | None, typer.Option(help="32-true or bf16-mixed.")] = None,
    download: Annotated[bool, typer.Option(help="Fetch the data set if it is not there.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Keep a page with the geometry of the run up to date in its folder.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the run is kept; runs/METHOD-DATA-SEED by default.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any other setting, or an option of the method (see: contrastive-lab methods NAME); augmentation.NAME and data.NAME "
            "reach those. May be repeated.",
        ),
    ] = None,
) -> None:
    """Train a method and keep the run in a folder; the same command goes on after an interruption.

    [bold]Example:[/] contrastive-lab train --method dcl --data cifar10 --epochs 3 --set temperature=0.1 --folder runs/x
    """
    from contrastive_lab.cli.app import escaped, fail, known
    from contrastive_lab.cli.changes import sorted_changes
    from contrastive_lab.cli.tables import console, headline_table
    from contrastive_lab.data import NAMES
    from contrastive_lab.methods import METHODS
    from contrastive_lab.networks.backbone import NETWORKS
    from contrastive_lab.training.machine import usable_device
    from contrastive_lab.training.settings import DEVICES, Settings

    known("method", method, METHODS)
    known("data", data, NAMES)
    known("network", network or "convnet", NETWORKS)
    known("device", device, DEVICES)
    where = usable_device(device)
    if count is not None and count < 1:
        raise ValueError(f"count is {count}, but must be at least 1")
    named = {
        "epochs": epochs,
        "batch_size": batch_size,
        "network": network,
        "width": width,
        "image_size": image_size,
        "precision": precision,
    }
    chosen, data_options = sorted_changes(changes or [], method)
    chosen |= {name: value for name, value in named.items() if value is not None} | {"seed": seed, "device": device}

    from contrastive_lab.cli.trial import evaluate_run, load_sets, run_trial, speaks

    if data != "auto":
        settings = Settings.recommended(method, data, **chosen)
    sets = load_sets(data, method, count=count, download=download, **data_options)
    if data == "auto":
        settings = Settings.recommended(method, sets.request["data"], **chosen)
    folder = folder or Path("runs") / f"{method}-{settings.data}-{seed}"
    screen = console(quiet=not speaks())
    screen.print(
        f"{method} on {sets.train.source or sets.train.name}: {len(sets.train):,} images, {settings.epochs} epochs, {where}, {folder}"
    )
    if live:
        screen.print(f"The live page: {(folder / 'live.html').resolve().as_uri()}", soft_wrap=True)
    run = run_trial(settings, sets, folder, live_picture(method, sets, folder) if live else ())
    if run.state == "interrupted":
        fail("stopped by Ctrl-C", code=130)  # what is kept was said already
    if not speaks():
        return
    evaluate_run(run, sets, device=where)
    from contrastive_lab.diagnosis import examine_folder
    from contrastive_lab.report import load_record, summarise

    screen.print(headline_table(summarise([load_record(folder)])))
    for illness in examine_folder(folder):
        screen.print(f"[bold]Doctor:[/] {escaped(str(illness))}")
    screen.print(f"Kept in {folder}. Look at it: contrastive-lab report {folder} -o report.html")


def live_picture(method: str, sets: Sets, folder: Path) -> list[Observer]:
    """The observer behind `--live`, with neighbours among the test images."""
    from contrastive_lab.lab import Live

    return [Live(method, sets.test, folder=folder)]
