"""Runs at the size of the published table: what is compared has that size, everything else stays out."""

import json

import pytest

from contrastive_lab.lab import results
from contrastive_lab.lab.full_size import SIZE, at_full_size, temperature_of


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """Write runs to a results folder."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)

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


def test_small_short_and_failed_runs_stay_out(keep):
    others = {"slim": run("simclr", width=16), "short": run("dcl", epochs=100), "failed": {"error": "out of memory"}}
    keep({"cifar10-simclr-w64-s0": run("simclr"), **others})
    assert at_full_size() == {"simclr": [run("simclr")]}


def test_a_method_with_other_settings_is_a_row_of_its_own(keep):
    keep({"cifar10-simclr-t0.1-w64-s0": run("simclr", temperature=0.1), "cifar10-simclr-w64-s0": run("simclr")})
    assert [(name, len(several)) for name, several in at_full_size().items()] == [("simclr", 1), ("simclr-t0.1", 1)]


def test_methods_that_nobody_published_a_number_for_are_there_too(keep):
    keep({"cifar10-pixpro-w64-s0": run("pixpro"), "cifar10-supcon-w64-s0": run("hydra")})
    assert list(at_full_size()) == ["pixpro", "supcon"]


@pytest.mark.parametrize(
    ("method", "options", "heat"),
    [("simclr", {}, 0.5), ("simclr", {"temperature": 0.1}, 0.1), ("mochi", {}, 0.2), ("cacr", {"t_neg": 0.9}, None)],
)
def test_a_temperature_is_the_option_else_the_default_of_the_class_or_its_base(method, options, heat):
    assert temperature_of({"method": method, "options": options}) == heat


def test_the_kept_results_have_both_methods_and_a_history_that_ends_at_the_last_epoch():
    found = at_full_size()
    assert {"simclr", "dcl"} <= found.keys()
    for several in found.values():
        for one in several:
            epochs, knn = one["history"]["knn"]
            assert epochs[-1] == SIZE["epochs"]
            assert knn[-1] == pytest.approx(one["measured"]["knn"], abs=0.005)
