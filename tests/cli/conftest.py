"""Commands run in this process, in an empty folder, with wide output."""

import pytest
from typer.testing import CliRunner

from contrastive_lab.cli import app


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Run a command line; returns the result, whose `output` has both streams."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("CONTRASTIVE_LAB_DATA", raising=False)
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path / "cache"))

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    return run
