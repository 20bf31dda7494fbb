import json

import pytest

from contrastive_lab.experiments import Trial, run_trials
from contrastive_lab.experiments.schedule import read_results


def test_results_are_kept_and_not_computed_again(tmp_path):
    path = tmp_path / "deep" / "results.json"
    first = run_trials([Trial("a", divmod_row, {"a": 7, "b": 2})], path)
    assert first["a"]["quotient"] == 3
    assert {"torch", "commit", "device"} <= first["a"]["environment"].keys()
    marked = json.loads(path.read_text())
    marked["a"]["quotient"] = -1
    path.write_text(json.dumps(marked))
    again = run_trials([Trial("a", divmod_row, {"a": 7, "b": 2}), Trial("b", divmod_row, {"a": 9, "b": 2})], path, jobs=2)
    assert again["a"]["quotient"] == -1
    assert again["b"]["quotient"] == 4
    assert read_results(path) == again


def test_a_failing_trial_is_recorded_and_tried_again(tmp_path):
    path = tmp_path / "results.json"
    trials = [Trial("bad", divmod_row, {"a": 1, "b": 0}), Trial("good", divmod_row, {"a": 1, "b": 1})]
    rows = run_trials(trials, path, jobs=2)
    assert "ZeroDivisionError" in rows["bad"]["error"]
    assert rows["good"]["quotient"] == 1
    assert run_trials([Trial("bad", divmod_row, {"a": 4, "b": 2})], path)["bad"]["quotient"] == 2


def test_no_time_starts_no_trial(tmp_path):
    assert run_trials([Trial("a", divmod_row, {"a": 1, "b": 1})], tmp_path / "r.json", minutes=0.0) == {}
    with pytest.raises(ValueError, match="jobs is 0"):
        run_trials([], tmp_path / "r.json", jobs=0)


def divmod_row(a, b):
    return {"quotient": a // b}
