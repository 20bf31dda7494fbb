"""What every notebook needs to run on Colab: a badge in its title cell and a first cell that gets the lab there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

UNKNOWN = "OWNER/REPOSITORY"
CELL = """\
# Colab only: get the lab, without touching torch or numpy. Elsewhere this cell does nothing.
import importlib.util
import subprocess
import sys

if "google.colab" in sys.modules and importlib.util.find_spec("contrastive_lab") is None:
    pip = [sys.executable, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "lightning-fabric", "jaxtyping"], check=True)
    subprocess.run([*pip, "--no-deps", "git+https://github.com/{repository}"], check=True)"""


def repository(root: Path) -> str:
    """Owner and name on GitHub, as the Colab badge of README.md has them (scripts/badges.py writes it)."""
    readme = root / "README.md"
    found = re.search(r"colab\.research\.google\.com/github/([^/]+/[^/]+)/blob", readme.read_text("utf-8")) if readme.exists() else None
    return found[1] if found else UNKNOWN


def add_colab(notebook: Any, source: Path) -> None:
    """Put the badge below the title and the cell below the title cell of a notebook read from its percent script."""
    import nbformat

    where = repository(source.parents[2])
    address = f"https://colab.research.google.com/github/{where}/blob/main/notebooks/{source.stem}.ipynb"
    title, *rest = notebook.cells[0].source.split("\n", 1)
    badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"
    notebook.cells[0].source = "\n".join([title, "", badge, *rest])
    notebook.cells.insert(1, nbformat.v4.new_code_cell(CELL.format(repository=where), metadata={"tags": ["colab"]}))  # type: ignore[no-untyped-call]
