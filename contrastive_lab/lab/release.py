"""The notebooks as assignments of an nbgrader course: one folder for each, solutions marked, checks locked and worth points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contrastive_lab.exercises import EXERCISES
from contrastive_lab.lab import build

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
SOLUTION = "<details><summary>Solution</summary>"
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "contrastive_lab"\n'


def release(text: Path, course: Path) -> list[Path]:
    """Write a course folder for nbgrader: source/NAME/NAME.ipynb for every notebook that has exercises, and nbgrader_config.py.

    `nbgrader generate_assignment NAME` inside it makes what students get, `nbgrader autograde NAME` grades what they hand in. An exercise
    is worth as many points as it is difficult; its check gives all of them or none.
    """
    import nbformat

    course.mkdir(parents=True, exist_ok=True)
    (course / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    written = []
    for source in build.sources(text):
        notebook = nbformat.reads(build.build(source, edition="solution"), as_version=4)  # type: ignore[no-untyped-call]
        if not _mark(notebook):
            continue
        target = course / "source" / source.stem / f"{source.stem}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)  # type: ignore[no-untyped-call]
        written.append(target)
    return written


def _mark(notebook: Any) -> int:
    """Give every exercise and its check nbgrader's metadata and take the folded solutions out; returns how many exercises there are."""
    found = 0
    for cell in notebook.cells:
        cell.source = cell.source.split(SOLUTION)[0].rstrip() if cell.cell_type == "markdown" else cell.source
        answered = next((name for name in EXERCISES if cell.source.startswith(f"def {name}(")), None)
        checked = next((name for name in EXERCISES if cell.source.startswith(f'exercises.check("{name}"')), None)
        if answered is not None:
            cell.source, found = _with_marks(cell.source), found + 1
            cell.metadata["nbgrader"] = _about(answered, solution=True)
        elif checked is not None:
            cell.metadata["nbgrader"] = {**_about(f"{checked}-check", grade=True), "points": EXERCISES[checked].difficulty}
            cell.metadata["tags"] = [tag for tag in cell.metadata.get("tags", []) if tag != build.RAISES]
    return found


def _with_marks(solution: str) -> str:
    """The solution with its body between nbgrader's marks; students get the signature, the docstring and a place to write."""
    lines = solution.splitlines()
    ends = [number for number, line in enumerate(lines) if '"""' in line]
    last = ends[0] if lines[ends[0]].count('"""') > 1 else ends[1]
    return "\n".join([*lines[: last + 1], f"    {BEGIN}", *lines[last + 1 :], f"    {END}"])


def _about(identity: str, *, solution: bool = False, grade: bool = False) -> dict[str, Any]:
    return {"grade": grade, "grade_id": identity, "locked": grade, "schema_version": 3, "solution": solution, "task": False}
