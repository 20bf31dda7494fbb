"""`contrastive-lab methods`"""

from __future__ import annotations


def methods() -> None:
    """List the methods, their papers, and what they need beyond images.

    [bold]Example:[/] contrastive-lab methods
    """
    from contrastive_lab.cli.app import escaped
    from contrastive_lab.cli.tables import console, plain_table
    from contrastive_lab.methods import METHODS

    rows = [
        (name, escaped(method.title), escaped(", ".join(sorted(method.needs)) or "images only"), escaped(method.paper))
        for name, method in METHODS.items()
    ]
    console().print(plain_table(("name", "title", "needs", "paper"), rows))
