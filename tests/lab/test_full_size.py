"""Runs at the size of the published table: what is compared has that size, everything else stays out."""

import json

import pytest

from contrastive_lab.lab import results
from contrastive_lab.lab.full_size import SIZE, at_full_size


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """Write runs to a results folder whose published table has two methods."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    (tmp_path / "published.json").write_text(json.dumps({"knn_200_epochs": {"rows": {"dcl": [84.4], "simclr": [84.7]}}}))

    def write(runs):
        (tmp_path / "runs-cifar10.json").write_text(json.dumps(runs))

    return write


def run(method, seed=0, **changes):
    return {"settings": {"method": method, "seed": seed, **SIZE, **changes}}


def test_the_seeds_of_a_method_stand_together_in_the_package_order(keep):
    keep({f"cifar10-{name}-w64-s{seed}": run(name, seed) for name, seed in (("dcl", 1), ("dcl", 0), ("simclr", 0))})
    found = at_full_size()
    assert list(found) == ["simclr", "dcl"]
    assert [one["settings"]["seed"] for one in found["dcl"]] == [0, 1]


def test_small_short_failed_and_unpublished_runs_stay_out(keep):
    others = {"b": run("simclr", width=16), "c": run("dcl", epochs=100), "d": run("pixpro"), "e": {"error": "out of memory"}}
    keep({"cifar10-simclr-w64-s0": run("simclr"), **others})
    assert at_full_size() == {"simclr": [run("simclr")]}


def test_a_method_with_other_settings_is_a_row_of_its_own(keep):
    keep({"cifar10-simclr-t0.1-w64-s0": run("simclr", temperature=0.1), "cifar10-simclr-w64-s0": run("simclr")})
    assert [(name, len(several)) for name, several in at_full_size().items()] == [("simclr", 1), ("simclr-t0.1", 1)]


def test_the_kept_results_have_both_methods_and_a_history_that_ends_at_the_last_epoch():
    found = at_full_size()
    assert {"simclr", "dcl"} <= found.keys()
    for several in found.values():
        for one in several:
            epochs, knn = one["history"]["knn"]
            assert epochs[-1] == SIZE["epochs"]
            assert knn[-1] == pytest.approx(one["measured"]["knn"], abs=0.005)
