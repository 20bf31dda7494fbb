"""Vital signs: what a strip shows at an epoch, lamps as the thresholds say, and a page that carries all of it."""

import json
import re
import struct
from pathlib import Path

import pytest

from contrastive_lab.diagnosis import SIGNS, Course
from contrastive_lab.explorables import VitalSigns
from contrastive_lab.explorables.vitals import LONGEST, state_at, strip_of

SETTINGS = {"method": "simclr", "batch_size": 64, "lr": 1e-3, "optimizer": "adamw", "options": {}}


def course(epochs=6, *, std=0.125, dim=64, every=1):
    """A run whose spread grows up to `std`, with a row in the middle of each epoch that has the loss alone."""
    rows = []
    for epoch in range(0, epochs + 1, every):
        share = epoch / epochs
        numbers = {"std": 0.01 + share * (std - 0.01), "uniformity": -3.8 * share, "rankme": 1 + 40 * share, "alignment": 0.5 * share}
        rows.append({"step": 10 * epoch, "epoch": epoch, "dim": dim, "probe": 512, "knn": 0.2 + 0.3 * share, **numbers})
        rows.append({"step": 10 * epoch + 5, "epoch": epoch + 0.5, "loss": 3.0})
    return Course(rows[:-1], SETTINGS)


def test_a_strip_shows_what_was_measured_last():
    strips = [strip_of("one", course(6, every=2)), strip_of("two", course(3))]
    shown = state_at(strips, epoch=5)
    assert shown["one"]["epoch"] == 4
    assert shown["two"]["epoch"] == 3
    assert shown["one"]["knn"]["value"] == pytest.approx(100 * (0.2 + 0.3 * 4 / 6))
    assert shown["one"]["gap"] == {"value": None, "light": "none"}


def test_lamps_go_from_ill_to_good_while_the_cloud_opens():
    strip = strip_of("run", course(6))
    for key in ("std", "uniformity", "rankme", "knn"):
        order = [("ill", "watch", "good").index(light) for light in strip.lights[key]]
        assert order == sorted(order)
        assert order[-1] == 2
    assert strip.lights["std"][0] == "ill"
    assert set(strip.lights["participation_ratio"]) == {"none"}


def test_every_sign_has_axes_and_thresholds_in_one_direction():
    for sign in SIGNS:
        assert sign.low < sign.high
        if sign.good is not None:
            assert sign.light(sign.good, 0.0) == "good"
            assert sign.light(2 * sign.ill - sign.good, 0.0) == "ill"


def test_a_collapsed_run_has_red_lamps_where_alignment_stays_green():
    shown = state_at(VitalSigns.shipped().strips, epoch=1000)
    broken = shown["simclr without push"]
    assert broken["alignment"]["light"] == "good"
    assert broken["std"]["light"] == broken["uniformity"]["light"] == "ill"
    assert shown["simclr"]["std"]["light"] == "good"


def test_long_histories_are_thinned_and_keep_both_ends():
    strip = strip_of("long", course(300))
    assert len(strip.epochs) == LONGEST
    assert (strip.epochs[0], strip.epochs[-1]) == (0, 300)


def test_runs_without_measures_and_wrong_names_are_refused():
    with pytest.raises(ValueError, match="has no row at the end of an epoch"):
        strip_of("bare", Course([{"step": 1, "epoch": 1.0, "loss": 2.0}], SETTINGS))
    with pytest.raises(ValueError, match="runs is empty"):
        VitalSigns({})
    with pytest.raises(ValueError, match="broken is 'x'"):
        VitalSigns({"run": course()}, broken="x")


def test_the_page_is_small_offline_and_says_its_lamps_in_words():
    vitals = VitalSigns.shipped()
    text = vitals.html("here")
    assert len(text) < 100_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    assert text.count('type="range"') == 1
    assert 'data-part="epoch"' in text
    assert 'data-part="collapse"' in text
    assert "Predict first" in text
    assert 'dispatchEvent(new CustomEvent("clab:epoch"' in text
    assert json.loads(json.dumps(vitals.data()))["last"] == vitals.last
    assert "ill" in vitals.describe(epoch=vitals.last)


def test_every_method_of_the_workbook_has_a_strip_with_its_command():
    path = Path(__file__).parents[2] / "contrastive_lab" / "explorables" / "states" / "vitals.json"
    about = json.loads(path.read_text("utf-8"))["about"]
    assert about["command"].startswith("python scripts/states/vitals.py")
    assert {"seed", "torch", "device", "epochs"} <= set(about)
    labels = {strip.label for strip in VitalSigns.shipped().strips}
    assert {"swav", "pixpro", "mochi", "cacr", "dcl", "hydra", "simclr"} <= labels


def test_poster_and_live_version_draw():
    vitals = VitalSigns({"simclr": course(), "dcl": course(4)})
    png = vitals.poster()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I", png[16:20])[0] > 200
    slider, picture, words = vitals.live().children
    before = picture.value
    slider.value = 0
    assert picture.value != before
    assert "epoch 0" in words.value
