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


def test_one_method_is_shown_with_the_options_that_set_takes(lab):
    from contrastive_lab.cli.changes import options_of
    from contrastive_lab.methods import METHODS

    assert {"n_hard", "queue_length", "momentum"} <= set(options_of("mochi"))  # MoCHi's own, and those of MoCo that it passes on
    for name, method in METHODS.items():
        assert set(method.recipe("scenes").options) <= set(options_of(name))
    output = lab("methods", "mochi").output
    assert all(option in output for option in options_of("mochi"))
    assert "weight_decay" in output


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


def test_a_name_that_both_have_reaches_the_one_that_is_meant(lab, tmp_path):
    changes = ("--set", "options.momentum=0.9", "--set", "settings.momentum=0.8")
    assert lab("train", "--method", "moco", *SMALL, "--epochs", 0, *changes, "--folder", "one").exit_code == 0
    settings = json.loads((tmp_path / "one/settings.json").read_text())
    assert (settings["options"]["momentum"], settings["momentum"]) == (0.9, 0.8)


def test_a_run_that_was_killed_is_measured_on_its_own_images(lab, tmp_path, monkeypatch):
    from contrastive_lab.methods import METHODS
    from contrastive_lab.report import load_probe

    def killed(self, batch):
        raise SystemExit("as a kill would, without a word")

    with monkeypatch.context() as patched:
        patched.setattr(METHODS["simclr"], "step", killed)
        lab("train", *SMALL, "--set", "data.label=colour", "--folder", "one")
    assert json.loads((tmp_path / "one/data.json").read_text()) == {"data": "scenes", "count": 64, "options": {"label": "colour"}}
    assert "red" in load_probe(tmp_path / "one").classes


def test_only_the_first_of_several_processes_measures_and_speaks(lab, tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    result = lab("train", *SMALL, "--folder", "one")
    assert (result.exit_code, [line for line in result.output.split("\n") if line.strip() and "step" not in line]) == (0, [])
    assert not (tmp_path / "one/evaluation.json").exists()


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
