"""`contrastive-lab methods`"""

from __future__ import annotations

from typing import Annotated

import typer


def methods(
    name: Annotated[str, typer.Argument(help="Show one method in detail: its recipes and the options that --set takes.")] = "",
) -> None:
    """List the methods, their papers, and what they need beyond images; or show one of them.

    [bold]Examples:[/] contrastive-lab methods  ·  contrastive-lab methods moco
    """
    from contrastive_lab.cli.app import escaped, known
    from contrastive_lab.cli.tables import console, plain_table
    from contrastive_lab.methods import METHODS

    if name:
        describe(known("method", name, METHODS))
        return
    rows = [
        (name, escaped(method.title), escaped(", ".join(sorted(method.needs)) or "images only"), escaped(method.paper))
        for name, method in METHODS.items()
    ]
    console().print(plain_table(("name", "title", "needs", "paper"), rows))


def describe(name: str) -> None:
    """The options of a method with the values that each kind of data gives them, and how it is trained there."""
    from typing import get_args

    from contrastive_lab.cli.app import escaped
    from contrastive_lab.cli.changes import options_of
    from contrastive_lab.cli.tables import console, plain_table
    from contrastive_lab.methods import METHODS, DataKind

    method, kinds = METHODS[name], get_args(DataKind)
    recipes = {kind: method.recipe(kind) for kind in kinds}
    usual = options_of(name)
    rows = [(option, *(escaped(str(recipes[kind].options.get(option, value))) for kind in kinds)) for option, value in usual.items()]
    screen = console()
    screen.print(f"{escaped(method.title)}: {escaped(method.paper)}\n")
    screen.print(plain_table(("option", *kinds), rows))
    trained = ("optimizer", "lr", "weight_decay", "batch_size", "warmup_epochs")
    screen.print()
    screen.print(plain_table(("setting", *kinds), [(key, *(str(getattr(recipes[kind], key)) for kind in kinds)) for key in trained]))
