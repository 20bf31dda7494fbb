"""The first code cell of every notebook gets the lab on Colab, leaves torch alone, and does nothing anywhere else."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from contrastive_lab.lab import build, colab

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_badge_and_cell_come_first(path):
    title, cell = json.loads(path.read_text("utf-8"))["cells"][:2]
    assert f"/blob/main/notebooks/{path.name})" in "".join(title["source"])
    assert cell["metadata"]["tags"] == ["colab"]
    assert "".join(cell["source"]) == colab.CELL.format(repository=colab.repository(FOLDER.parent))


def run(monkeypatch, *, on_colab, installed):
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if installed else None)
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(colab.CELL.format(repository="a/b"), {})
    return asked


def test_nothing_happens_elsewhere_or_a_second_time(monkeypatch):
    assert run(monkeypatch, on_colab=False, installed=False) == []
    assert run(monkeypatch, on_colab=True, installed=True) == []


def test_only_what_is_missing_is_installed(monkeypatch):
    asked = run(monkeypatch, on_colab=True, installed=False)
    words = [word for command in asked for word in command[5:]]
    assert "git+https://github.com/a/b" in words
    assert not {"torch", "numpy", "torchvision"} & set(words)
    assert "--no-deps" in asked[-1]


def test_the_repository_is_that_of_the_readme(tmp_path):
    assert colab.repository(tmp_path) == colab.UNKNOWN
    (tmp_path / "README.md").write_text("(https://colab.research.google.com/github/me/mine/blob/main/x.ipynb)", "utf-8")
    assert colab.repository(tmp_path) == "me/mine"


def test_a_text_outside_a_repository_builds_too(tmp_path):
    text = tmp_path / "notebooks" / "text"
    text.mkdir(parents=True)
    (text / "00_tiny.py").write_text("# %% [markdown]\n# # A title\n\n# %%\n1 + 1\n", "utf-8")
    assert colab.UNKNOWN in build.build(text / "00_tiny.py")
