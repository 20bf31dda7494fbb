"""The demo: every method in seconds, it goes on where it stopped, and one broken method doesn't take the others along."""

import json

import pytest

from contrastive_lab.demo import BUDGETS, run_demo
from contrastive_lab.methods import METHODS, SimCLR


@pytest.mark.filterwarnings("ignore:.*samples for.*prototypes")
def test_every_method_reaches_the_table_and_the_report(lab, tmp_path):
    result = lab("demo", "--profile", "smoke", "--folder", "demo")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "demo/report.html").read_text("utf-8")
    for name in ("untrained", *METHODS):
        assert name in result.output
        assert f'data-chip="{name}' in page
        assert json.loads((tmp_path / f"demo/smoke-0/{name}/evaluation.json").read_text())["linear"] > 0


def test_a_killed_demo_goes_on(tmp_path, monkeypatch):
    trained = []

    def note_and_stop(self, batch):
        trained.append("dcl")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(METHODS["dcl"], "step", note_and_stop)
        with pytest.raises(KeyboardInterrupt):
            run_demo("smoke", folder=tmp_path, only=["simclr", "dcl"])
    weights = (tmp_path / "smoke-0/simclr/weights.safetensors").stat().st_mtime_ns
    assert run_demo("smoke", folder=tmp_path, only=["simclr", "dcl"]) == {}
    assert trained == ["dcl"]
    assert (tmp_path / "smoke-0/simclr/weights.safetensors").stat().st_mtime_ns == weights
    assert (tmp_path / "report.html").exists()


def test_one_broken_method_leaves_the_others(tmp_path, monkeypatch, capsys):
    def broken(self, batch):
        raise RuntimeError("does not work")

    monkeypatch.setattr(METHODS["dcl"], "step", broken)
    assert "does not work" in run_demo("smoke", folder=tmp_path, only=["dcl", "simclr"])["dcl"]
    assert "simclr" in capsys.readouterr().out
    assert (tmp_path / "report.html").exists()


def test_the_baseline_is_the_network_before_training(tmp_path):
    run_demo("smoke", folder=tmp_path, only=["simclr"])
    before, after = (json.loads((tmp_path / f"smoke-0/{name}/settings.json").read_text()) for name in ("untrained", "simclr"))
    assert (before["epochs"], after["epochs"]) == (0, BUDGETS["smoke"].epochs)
    assert before["method"] == SimCLR.name
