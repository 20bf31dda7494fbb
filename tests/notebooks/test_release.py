"""nbgrader takes the release: its validator accepts it, a right submission gets all points, an empty and a wrong one none."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from contrastive_lab.exercises import EXERCISES
from contrastive_lab.lab.release import release

pytest.importorskip("nbgrader", reason="nbgrader is not installed (extra `teaching`)")

TEXT = """# %% [markdown]
# # Tiny

# %%
import torch
from torch import Tensor

from contrastive_lab import exercises

# %% [markdown] card="paired_difference"
# card

# %% exercise="paired_difference"
# stub

# %% tags=["raises-exception", "check"]
exercises.check("paired_difference", paired_difference)
"""


def nbgrader(course, *words):
    # nbgrader starts alembic by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1", "PATH": path}
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.run(command, cwd=course, env=quiet, capture_output=True, text=True, timeout=240, check=False)


def body(course, path, lines):
    """Write `lines` as the body of the exercise in a notebook of a submission."""
    notebook = json.loads(path.read_text("utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution"))
    source = "".join(cell["source"])
    assert "raise NotImplementedError" in source
    cell["source"] = source.replace("# YOUR CODE HERE", lines).replace("raise NotImplementedError()", "")
    path.write_text(json.dumps(notebook), "utf-8")


def test_release_and_autograding(tmp_path):
    text = tmp_path / "notebooks" / "text"
    text.mkdir(parents=True)
    (text / "90_tiny.py").write_text(TEXT, "utf-8")
    course = tmp_path / "course"
    (source,) = release(text, course)
    assert "<summary>Solution" not in source.read_text("utf-8")
    made = nbgrader(course, "generate_assignment", "90_tiny", "--create")
    assert made.returncode == 0, made.stderr
    handed_out = course / "release" / "90_tiny" / "90_tiny.ipynb"
    assert "differences.std()" not in handed_out.read_text("utf-8")
    valid = nbgrader(course, "validate", str(source))
    assert "Success" in valid.stdout + valid.stderr, valid.stderr

    right = "differences = ours - theirs\n    return torch.stack([differences.mean(), differences.std() / len(differences) ** 0.5])"
    wrong = "return torch.stack([(ours - theirs).mean(), (ours - theirs).std()])"
    for student, lines in (("ada", right), ("bo", None), ("cy", wrong)):
        path = course / "submitted" / student / "90_tiny" / "90_tiny.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(handed_out.read_text("utf-8"), "utf-8")
        if lines is not None:
            body(course, path, lines)
    graded = nbgrader(course, "autograde", "90_tiny", "--create")
    assert graded.returncode == 0, graded.stderr
    query = """select submitted_assignment.student_id, sum(grade.auto_score) from grade
        join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id group by 1"""
    with sqlite3.connect(course / "gradebook.db") as book:
        scores = dict(book.execute(query).fetchall())
    assert scores == {"ada": EXERCISES["paired_difference"].difficulty, "bo": 0, "cy": 0}
