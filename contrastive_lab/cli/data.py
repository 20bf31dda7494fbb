"""`contrastive-lab data`"""

from __future__ import annotations

from typing import Annotated

import typer


def data(
    name: Annotated[str, typer.Argument(help="Show one data set in detail: its splits, classes and where it was found.")] = "",
    download: Annotated[bool, typer.Option(help="Fetch it if it is not there.")] = False,
) -> None:
    """List the data sets and where they were found, or load one and describe it.

    [bold]Examples:[/] contrastive-lab data  ·  contrastive-lab data cifar10 --download
    """
    from contrastive_lab.cli.app import known
    from contrastive_lab.cli.tables import console, plain_table
    from contrastive_lab.doctor import NAMES, data_sets

    if not name:
        console().print(plain_table(("name", "state", "how to get it"), data_sets()))
        return
    from contrastive_lab.data import load

    known("data", name, (*NAMES, "auto"))
    rows = []
    for split in ("train", "test"):
        images = load(name, split=split, download=download)
        shape = " × ".join(map(str, images.pixels.shape[1:]))
        rows.append((split, f"{len(images):,}", shape, f"{images.pixels.numel() / 1e6:,.1f} MB", ", ".join(images.classes[:12]) or "–"))
        source = images.source
    console().print(plain_table(("split", "images", "shape", "bytes", "classes"), rows))
    console().print(source)
