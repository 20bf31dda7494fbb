"""Each command does its work, says what it did, and shows an example."""

import json

import pytest
from made_up_runs import made_up_run

COMMANDS = ("demo", "methods", "data", "train", "evaluate", "compare", "report", "doctor")
SMALL = ("--count", 64, "--epochs", 1, "--batch-size", 32, "--width", 8, "--device", "cpu")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(lab, command):
    result = lab(command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"contrastive-lab {command}" in result.output


def test_methods_are_listed_with_their_papers(lab):
    from contrastive_lab.methods import METHODS

    output = lab("methods").output
    assert all(name in output for name in METHODS)
    assert "arXiv" in output


def test_data_sets_are_listed_and_described(lab):
    assert "built in" in lab("data").output
    assert "2,000" in lab("data", "scenes").output


def test_train_evaluate_compare_and_report_go_hand_in_hand(lab, tmp_path):
    trained = lab(
        "train", "--method", "dcl", *SMALL, "--set", "temperature=0.3", "--set", "data.two=0.0", "--set", "lr=0.002", "--folder", "one"
    )
    assert trained.exit_code == 0, trained.output
    settings = json.loads((tmp_path / "one/settings.json").read_text())
    assert (settings["options"]["temperature"], settings["lr"], settings["epochs"]) == (0.3, 0.002, 1)
    assert json.loads((tmp_path / "one/data.json").read_text()) == {"data": "scenes", "count": 64, "options": {"two": 0.0}}
    first = json.loads((tmp_path / "one/evaluation.json").read_text())
    assert 0 <= first["knn"] <= 1
    assert 0 <= first["linear"] <= 1
    (tmp_path / "one/evaluation.json").unlink()
    evaluated = lab("evaluate", "one", "--device", "cpu")
    assert evaluated.exit_code == 0, evaluated.output
    again = json.loads((tmp_path / "one/evaluation.json").read_text())
    assert set(again) == set(first)
    for name in ("knn", "linear", "alignment", "uniformity", "rankme"):
        assert again[name] == pytest.approx(first[name], rel=1e-4)
    assert lab("train", "--method", "simclr", *SMALL, "--epochs", 0, "--folder", "two").exit_code == 0
    compared = lab("compare", "one", "two").output
    assert "untrained" in compared
    assert "epochs" in compared
    written = lab("report", "one", "two", "-o", "page.html")
    assert "file://" in written.output
    assert "untrained" in (tmp_path / "page.html").read_text("utf-8")


def test_the_same_command_goes_on_instead_of_starting_again(lab, tmp_path):
    command = ("train", *SMALL, "--folder", "one")
    assert lab(*command).exit_code == 0
    before = (tmp_path / "one/history.jsonl").read_text()
    assert lab(*command).exit_code == 0
    assert (tmp_path / "one/history.jsonl").read_text() == before


def test_auto_says_what_it_took(lab):
    result = lab("train", "--data", "auto", *SMALL, "--folder", "one")
    assert result.exit_code == 0, result.output
    assert "took scenes" in result.output


def test_doctor_fits_into_a_bug_report(lab):
    result = lab("doctor", "--quick")
    assert result.exit_code == 0, result.output
    for word in ("python", "torch", "device", "memory", "cores", "data", "disk"):
        assert f" {word} " in result.output
    assert len(result.output) < 3000


def test_compare_reads_runs_without_their_weights(lab, tmp_path):
    folders = [made_up_run(tmp_path / name, name) for name in ("simclr", "dcl")]
    output = lab("compare", *folders).output
    assert "88.0%" in output
