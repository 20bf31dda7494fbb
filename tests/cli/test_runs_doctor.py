"""`doctor RUN` speaks of runs, `train --live` keeps a page, and train ends with what the doctor says."""

import json

from made_up_runs import made_up_run

SMALL = ("--count", 64, "--epochs", 1, "--batch-size", 32, "--width", 8, "--device", "cpu")


def test_the_doctor_names_an_ill_run_and_its_notebook(lab, tmp_path):
    folder = made_up_run(tmp_path / "ill", "simclr")
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text("utf-8").splitlines()]
    rows = [row | {"std": 0.001, "dim": 32} for row in rows]
    (folder / "history.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    healthy = made_up_run(tmp_path / "well", "simclr")
    result = lab("doctor", folder, healthy)
    assert result.exit_code == 0, result.output
    assert "complete collapse" in result.output
    assert "See notebook 09, three lamps." in result.output
    assert "well: no illness that the doctor knows" in result.output


def test_nothing_is_said_of_a_run_without_an_epoch(lab, tmp_path):
    folder = made_up_run(tmp_path / "early")
    (folder / "history.jsonl").unlink()
    assert "early: no epoch is finished yet" in lab("doctor", folder).output


def test_a_folder_without_a_run_is_refused(lab, tmp_path):
    result = lab("doctor", tmp_path)
    assert result.exit_code == 1
    assert "holds no run" in result.output


def test_training_keeps_a_live_page(lab, tmp_path):
    result = lab("train", "--method", "simclr", *SMALL, "--live", "--folder", "runs/x")
    assert result.exit_code == 0, result.output
    assert "live.html" in result.output
    page = (tmp_path / "runs" / "x" / "live.html").read_text("utf-8")
    assert "step 2 of 2" in page
