"""A learner may enter at any section: its cells use only what the first cells and the section itself define."""

import ast
import builtins
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
KNOWN = {*dir(builtins), "display", "get_ipython"}


def sections(path):
    """Title and code of each part of a notebook between second-level headings; the check at the very end asks about all and is left out."""
    parts = [("first cells", [])]
    for cell in json.loads(path.read_text("utf-8"))["cells"][:-1]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            parts[-1][1].append(text)
        else:
            parts += [(title, []) for title in re.findall(r"^## (.+)$", text, re.MULTILINE)]
    return [(title, "\n".join(code)) for title, code in parts]


def names(code):
    """What the code reads, and what it defines anywhere, arguments of its functions included."""
    read, defined = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
    return read, defined


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_section_has_what_it_uses(path):
    (_, first), *others = sections(path)
    _, given = names(first)
    missing = {}
    for title, code in others:
        read, defined = names(code)
        if read - defined - given - KNOWN:
            missing[title] = sorted(read - defined - given - KNOWN)
    assert missing == {}


def test_a_section_that_leans_on_another_is_noticed(tmp_path):
    def cell(kind, text):
        return {"cell_type": kind, "source": [text]}

    cells = [cell("code", "import math"), cell("markdown", "## 1\n"), cell("code", "size = math.pi"), cell("markdown", "text\n## 2\n")]
    cells += [cell("code", "print(size, [other for other in range(3)])"), cell("code", "last")]
    (tmp_path / "00_tiny.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    with pytest.raises(AssertionError, match="size"):
        test_every_section_has_what_it_uses(tmp_path / "00_tiny.ipynb")
