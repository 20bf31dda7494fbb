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
    from contrastive_lab.cli.app import escaped, known
    from contrastive_lab.cli.tables import console, plain_table
    from contrastive_lab.data import NAMES, available, load

    if not name:
        rows = [
            (found.name, escaped(found.where or "–"), f"{found.images:,}" if found.where else "–", escaped(found.note))
            for found in available()
        ]
        console().print(plain_table(("name", "where", "images", "note"), rows))
        return
    known("data", name, NAMES)
    splits = []
    for split in ("train", "test"):
        images = load(name, split=split, download=download)
        shape = " × ".join(map(str, images.pixels.shape[1:]))
        splits.append((split, f"{len(images):,}", shape, f"{images.pixels.numel() / 1e6:,.1f} MB", ", ".join(images.classes[:12]) or "–"))
        source = images.source
    console().print(plain_table(("split", "images", "shape", "bytes", "classes"), splits))
    console().print(source)
