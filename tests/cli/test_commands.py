"""The command line as a user meets it: examples, one clear message for a mistake, and a run from training to report."""

import pytest
from typer.testing import CliRunner

from contrastive_lab.cli.app import app
from contrastive_lab.methods import METHODS

COMMANDS = ("methods", "data", "train", "evaluate", "compare", "report", "doctor", "demo")


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"contrastive-lab {command}" in result.output


def test_methods_lists_every_method():
    result = call("methods")
    assert result.exit_code == 0
    for name in METHODS:
        assert name in result.output


def test_a_run_from_training_to_report(tmp_path):
    run, page = tmp_path / "run", tmp_path / "report.html"
    size = ("--epochs", 1, "--count", 96, "--batch-size", 32, "--width", 8, "--device", "cpu")
    trained = call("train", "--method", "dcl", "--data", "scenes", *size, "--folder", run)
    assert trained.exit_code == 0, trained.output
    assert call("evaluate", run).exit_code == 0
    assert call("compare", run).exit_code == 0
    assert call("report", run, "-o", page).exit_code == 0
    text = page.read_text("utf-8")
    assert "<html" in text
    assert 'src="http' not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--method", "dlc", "--data", "scenes"), "dcl"),
        (("train", "--method", "dcl", "--data", "cifar11"), "cifar10"),
        (("train", "--method", "dcl", "--data", "scenes", "--epochs", "-1"), "epochs"),
        (("train", "--method", "dcl", "--data", "scenes", "--count", "16", "--batch-size", "64"), "batch_size"),
        (("train", "--method", "dcl", "--data", "scenes", "--device", "gpu9"), "device"),
        (("train", "--method", "dcl", "--data", "scenes", "--set", "temperature=-1"), "temperature"),
        (("report", "no/such/folder"), "no/such/folder"),
    ],
)
def test_a_mistake_gets_one_message_and_no_traceback(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*words)
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output
