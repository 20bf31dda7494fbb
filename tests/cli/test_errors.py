"""Wrong input: one clear message, a non-zero exit, no traceback, and nothing lost."""

import pytest
from made_up_runs import made_up_run

from contrastive_lab.cli import trial

CASES = {
    "unknown command": (("trian",), "did you mean 'train'"),
    "unknown method": (("train", "--method", "dlc"), "method is 'dlc', did you mean 'dcl'?; there are simclr"),
    "unknown data": (("train", "--data", "cifra10"), "data is 'cifra10', did you mean 'cifar10'?"),
    "unknown data to show": (("data", "cifra10"), "did you mean 'cifar10'?"),
    "unknown network": (("train", "--network", "resnet"), "did you mean 'resnet18'?"),
    "unknown device": (("train", "--device", "gpu"), "device is 'gpu'"),
    "unknown profile": (("demo", "--profile", "smok"), "profile is 'smok', did you mean 'smoke'?"),
    "unknown demo method": (("demo", "--method", "simcrl"), "did you mean 'simclr'?"),
    "negative epochs": (("train", "--epochs", "-1"), "epochs is -1"),
    "count of zero": (("train", "--count", "0"), "count is 0"),
    "batch larger than the set": (("train", "--count", "10", "--batch-size", "64", "--device", "cpu"), "64"),
    "temperature of zero": (("train", "--set", "temperature=0.0", "--count", "64", "--device", "cpu"), "temperature is 0.0"),
    "unknown option": (("train", "--set", "temprature=0.1"), "did you mean 'temperature'?; options of simclr are hidden_dim, out_dim"),
    "unknown setting": (("train", "--set", "optimiser=adam"), "did you mean 'optimizer'?"),
    "name of a setting and an option": (
        ("train", "--method", "moco", "--set", "momentum=0.9"),
        "write settings.momentum or options.momentum",
    ),
    "seed among the changes": (("train", "--set", "seed=3"), "--seed 3"),
    "unknown part": (("train", "--set", "view.flip=false"), "one of settings, options, augmentation, data"),
    "unknown option of the data": (("train", "--set", "data.labels=colour"), "labels can't be used with scenes; it takes preset"),
    "data of one's own": (("train", "--data", "own"), "data is 'own'; there are scenes, digits, cifar10, cifar100, stl10, flickr8k, auto"),
    "unknown method to show": (("methods", "simcrl"), "did you mean 'simclr'?"),
    "malformed change": (("train", "--set", "temperature"), "must be NAME=VALUE"),
    "absent data": (("train", "--data", "cifar10"), "CIFAR-10 was not found"),
    "absent data and its remedy": (("data", "cifar10"), "on the command line --download"),
    "no run": (("evaluate", "nothing"), "settings.json is missing"),
    "no run to report": (("report", "nothing"), "settings.json is missing"),
    "no run to compare": (("compare", "nothing"), "settings.json is missing"),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_input_gets_one_message(lab, tmp_path, case):
    words, message = CASES[case]
    result = lab(*words)
    assert result.exit_code not in (0, None)
    assert message in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.glob("**/weights.safetensors"))


def test_a_folder_of_other_settings_is_left_alone(lab, tmp_path):
    made_up_run(tmp_path / "one", "dcl")
    settings = (tmp_path / "one/settings.json").read_text()
    result = lab("train", "--method", "simclr", "--folder", "one", "--count", 64, "--batch-size", 32, "--device", "cpu")
    assert result.exit_code == 1
    assert "settings" in result.output
    assert "Traceback" not in result.output
    assert (tmp_path / "one/settings.json").read_text() == settings


def test_a_missing_data_folder_is_named(lab, monkeypatch):
    monkeypatch.setenv("CONTRASTIVE_LAB_DATA", "/nowhere/at/all")
    assert "/nowhere/at/all" in lab("train", "--data", "cifar10").output
    result = lab("doctor", "--quick")
    assert result.exit_code == 1
    assert "is no folder" in result.output


def test_an_unforeseen_error_asks_for_a_report_and_debug_shows_it(lab, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(trial, "load_sets", broken)
    result = lab("train", "--device", "cpu")
    assert result.exit_code == 1
    assert "something unforeseen happened (ZeroDivisionError: a bug)" in result.output
    assert isinstance(lab("train", "--device", "cpu", "--debug").exception, ZeroDivisionError)


def test_ctrl_c_has_its_own_exit_code(lab, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(trial, "load_sets", stopped)
    result = lab("train", "--device", "cpu")
    assert result.exit_code == 130
    assert "goes on from there" in result.output


def test_a_folder_that_cannot_be_written(lab, tmp_path):
    (tmp_path / "taken").write_text("a file")
    result = lab("train", "--folder", "taken/run", "--count", 64, "--batch-size", 32, "--device", "cpu")
    assert result.exit_code == 1
    assert "taken" in result.output
    assert "Traceback" not in result.output


def test_a_run_on_images_of_ones_own_is_measured_elsewhere(lab, tmp_path):
    assert lab("train", "--count", 64, "--batch-size", 32, "--width", 8, "--epochs", 0, "--device", "cpu", "--folder", "one").exit_code == 0
    settings = tmp_path / "one/settings.json"
    settings.write_text(settings.read_text().replace('"scenes"', '"own"'))
    (tmp_path / "one/data.json").unlink()
    assert "images of your own" in lab("evaluate", "one").output
