"""Healthy runs of every method hear nothing, nor does a network that was never trained; pages lead to notebooks."""

import re
from pathlib import Path

import pytest

from contrastive_lab.diagnosis import PAGES, Course, Illness, examine, examine_folder
from contrastive_lab.methods import METHODS

TEXT = Path(__file__).parents[2] / "notebooks" / "text"
EPOCHS = {"pixpro": 2, "pixcontrast": 2, "clip": 16}


@pytest.mark.parametrize("method", METHODS)
def test_the_doctor_is_silent_on_healthy_runs(method, healthy):
    history, settings, state = healthy(method, EPOCHS.get(method, 8), 512, 64, 8)
    assert [str(ill) for ill in examine(history, settings, state=state)] == []


def test_an_untrained_network_is_not_ill(healthy):
    history, settings, state = healthy("simclr", 0, 512, 64, 8)
    assert examine(history, settings, state=state) == []


def test_a_history_without_measures_hears_nothing_about_the_cloud():
    rows = [{"step": 10 * k, "epoch": k, "loss": 3.0 - 0.1 * k, "lr": 1e-3} for k in range(1, 5)]
    settings = {"method": "simclr", "batch_size": 64, "lr": 1e-3, "optimizer": "adamw", "options": {}}
    assert examine(rows, settings) == []
    assert examine([], settings) == []


def test_a_folder_is_read_and_a_strange_one_refused(tmp_path, made_up):
    folder = made_up(tmp_path / "run")
    assert examine_folder(folder) == []
    with pytest.raises(ValueError, match="holds no run"):
        examine_folder(tmp_path)


def test_every_page_is_a_notebook_that_speaks_of_it():
    for number, words in PAGES.values():
        assert 0 <= int(number) <= 12
        for source in TEXT.glob(f"{number}_*.py"):
            assert re.search(words, source.read_text("utf-8"), re.IGNORECASE), f"{source.name} never says {words!r}"


def test_an_illness_must_have_a_page():
    with pytest.raises(ValueError, match="must be one of"):
        Illness("hiccups", "It hiccups.", "Wait.")


def test_a_course_reads_what_the_rules_need():
    course = Course([{"step": 0, "epoch": 0, "std": 0.125, "dim": 64, "probe": 128}], {"method": "moco", "batch_size": 8, "options": {}})
    assert course.spread == pytest.approx(1.0)
    assert course.directions == 32
    assert course.rivals == 4096
    assert course.temperature == 0.2
    assert not course.trained


def test_a_query_of_hydra_meets_third_classes_only():
    settings = {"method": "hydra", "batch_size": 64, "options": {"num_classes": 8, "temperature": 5.0}, "optimizer": "adam", "lr": 1e-3}
    rows = [{"step": 10 * k, "epoch": k, "loss": 4.84, "lr": 1e-3} for k in range(1, 5)]
    course = Course(rows, settings)
    assert course.rivals == 48  # six eighths of the keys of the other view
    assert course.guess is None  # it depends on the classes that a batch happens to hold
    (found,) = examine(rows, settings)
    assert "all 48 negatives count alike" in str(found)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(ValueError, match=r"settings\.json is broken"):
        examine_folder(tmp_path)
