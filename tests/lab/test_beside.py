"""Rows of several methods beside SimCLR's: what is printed is what lies in the file."""

import json

import pytest

from contrastive_lab import lab
from contrastive_lab.lab import results


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Three seeds of four methods, DCL 0.1 above SimCLR for each seed, and one row that failed."""
    level = {"untrained": 0.2, "simclr": 0.4, "dcl": 0.5, "moco": 0.45}
    content = {f"{name}/{seed}": row(seed, knn + seed / 100) for name, knn in level.items() for seed in range(3)}
    content["dcl/3"] = {"error": "out of memory"}
    content["moco/2"]["knn"] -= 0.1
    path = tmp_path / "methods-cifar10.json"
    path.write_text(json.dumps(content))
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return path


def row(seed, knn):
    settings = {"network": "convnet", "width": 8, "epochs": 2, "seed": seed, "batch_size": 64, "optimizer": "sgd", "lr": 0.12}
    return {
        "settings": {**settings, "options": {"temperature": 0.1}},
        "data": {"name": "cifar10", "train": 2000},
        "environment": {"device": "a machine"},
        "knn": knn,
        **dict.fromkeys(("linear", "alignment", "uniformity", "participation_ratio"), 1.0),
    }


def test_untrained_and_simclr_stand_beside_the_method_with_mean_and_deviation_over_seeds(capsys):
    lab.beside("dcl")
    printed = capsys.readouterr().out
    assert "cifar10, 2,000 images, convnet of width 8, 2 epochs, 3 seeds; a machine; results/methods-cifar10.json" in printed
    assert "dcl: batch 64, sgd, rate 0.12, temperature 0.1" in printed
    assert [line.split()[0] for line in printed.splitlines() if "±" in line][:3] == ["untrained", "simclr", "dcl"]
    assert "0.410 ± 0.010" in printed
    assert "0.510 ± 0.010" in printed
    assert "dcl: +0.100 ± 0.000 (95 %)" in printed


def test_differences_are_taken_seed_by_seed_from_the_method_that_is_named(capsys):
    lab.beside("moco", against="dcl")
    printed = capsys.readouterr().out
    differences = printed.partition("kNN minus that of dcl")[2]
    assert "simclr: -0.100 ± 0.000 (95 %)" in differences
    assert "moco: -0.083 ± 0.143 (95 %)" in differences  # -0.05, -0.05, -0.15: standard error 1/30, times 4.303


def test_a_method_that_nobody_measured_is_named_with_those_that_somebody_did():
    with pytest.raises(ValueError, match="'swav', but the results only have dcl, moco, simclr, untrained"):
        lab.beside("swav")


def test_a_method_whose_runs_failed_is_named_with_the_reason(kept):
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"swav/0": {"error": "out of memory"}}))
    with pytest.raises(ValueError, match="'swav', but the results only have dcl, moco, simclr, untrained; swav/0 failed: out of memory"):
        lab.beside("swav")


@pytest.mark.parametrize(("change", "told"), [({"epochs": 1}, "epochs 1 instead of 2"), ({"width": 4}, "width 4 instead of 8")])
def test_runs_of_another_size_are_not_compared(kept, change, told):
    content = json.loads(kept.read_text())
    content["dcl/1"]["settings"] |= change
    kept.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"dcl was not trained like simclr, so the two can't be compared: {told}"):
        lab.beside("dcl")


def test_every_machine_that_made_a_row_is_named(kept, capsys):
    content = json.loads(kept.read_text())
    content["dcl/1"]["environment"]["device"] = "another machine"
    kept.write_text(json.dumps(content))
    lab.beside("dcl")
    assert "3 seeds; a machine and another machine; results/" in capsys.readouterr().out
