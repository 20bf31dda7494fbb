"""Notebooks from text: one percent script is the source, the notebook is made from it, byte for byte the same each time.

A cell of the script may carry in its head
    exercise="info_nce"    code cell: the exercise's stub (student edition) or its solution
    card="info_nce"        markdown cell: statement, hints and solution, folded
    expect=["done: True"]  code cell whose printed lines are kept, and compared when the notebook is tested (NBVAL_CHECK_OUTPUT)
    poster="circle"        code cell whose output is the committed file notebooks/text/posters/<poster>.png; tagged keep_output
"""

from __future__ import annotations

import ast
import base64
import hashlib
from pathlib import Path
from typing import Any, Literal

from contrastive_lab.exercises import card, get
from contrastive_lab.lab.colab import add_colab
from contrastive_lab.lab.teaching import teach

Edition = Literal["student", "solution", "instructor"]

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
KEEP = "keep_output"
RAISES = "raises-exception"


def build(source: Path, *, edition: Edition = "student") -> str:
    """The notebook of one percent script, as the text of an .ipynb file."""
    import jupytext
    import nbformat

    notebook = jupytext.read(source, fmt="py:percent")
    if edition == "instructor":
        teach(notebook, source.stem)
    add_colab(notebook, source)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        extra = dict(cell.metadata)
        cell.source = _filled(cell.source, extra, edition)
        if edition == "instructor" and cell.cell_type == "markdown":
            cell.source = cell.source.replace("<details>", "<details open>")
        tags = sorted(set(extra.get("tags", [])) | ({KEEP} if {"poster", "expect"} & set(extra) else set()))
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})  # type: ignore[no-untyped-call]
        cell.id = _identity(source.stem, cell.cell_type, extra.get("exercise", cell.source), seen)
        if cell.cell_type == "code":
            cell.outputs = _outputs(source, cell.source, extra)
            cell.execution_count = 1 if cell.outputs else None  # nbval refuses outputs of a cell that never ran
    notebook.metadata = nbformat.from_dict(METADATA)  # type: ignore[no-untyped-call]
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"  # type: ignore[no-untyped-call]


def sources(folder: Path) -> list[Path]:
    """The percent scripts in `folder`, in the order of their numbers."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def target(source: Path) -> Path:
    """The notebook that belongs to a percent script: one folder up."""
    return source.parents[1] / f"{source.stem}.ipynb"


def drifted(folder: Path) -> list[Path]:
    """Notebooks that differ from what their script gives, or are missing."""
    pairs = [(target(source), build(source)) for source in sources(folder)]
    return [path for path, text in pairs if not path.exists() or path.read_text("utf-8") != text]


def _filled(text: str, extra: dict[str, Any], edition: Edition) -> str:
    if "card" in extra:
        return card(get(extra["card"]))
    if "exercise" in extra:
        exercise = get(extra["exercise"])
        return exercise.stub if edition == "student" else exercise.solution_source
    return text


def _identity(notebook: str, kind: str, text: str, seen: dict[str, int]) -> str:
    """Eight letters that depend on the cell's text alone, so that inserting a cell changes no other id."""
    key = f"{notebook}/{kind}/{text}"
    seen[key] = seen.get(key, 0) + 1
    return hashlib.sha256(f"{key}/{seen[key]}".encode()).hexdigest()[:8]


def _outputs(source: Path, text: str, extra: dict[str, Any]) -> list[Any]:
    """What is kept in the notebook: still pictures, and the lines of the last check."""
    import nbformat

    if "poster" in extra:
        return [_poster(source, text, extra["poster"])]
    if "expect" in extra:
        lines = "".join(f"{line}\n" for line in extra["expect"])
        return [nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": lines})]  # type: ignore[no-untyped-call]
    return []


def _words(text: str) -> str | None:
    """The value of the argument `alt` in a cell's code."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    found = [word.value.value for call in calls for word in call.keywords if word.arg == "alt" and isinstance(word.value, ast.Constant)]
    return str(found[0]) if found else None


def _poster(source: Path, text: str, name: str) -> Any:
    import nbformat

    path = source.parent / "posters" / f"{name}.png"
    words = _words(text)
    if words is None:
        raise ValueError(f'{source.name}: the poster cell {name!r} has no alt="..."; say what the picture shows')
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; write it with `python scripts/notebooks.py --posters`")
    data = {"image/png": base64.b64encode(path.read_bytes()).decode(), "text/plain": words}
    output = {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": words}}}
    return nbformat.from_dict(output)  # type: ignore[no-untyped-call]
