"""The leak dial: background at the origin with a background set and not without, the leak by lambda, and the page agrees with Python."""

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from contrastive_lab import explorables
from contrastive_lab.explorables import table
from contrastive_lab.explorables.separation import NAMES, LeakDial, state_at

WEB = Path(explorables.__file__).parent / "web"


@pytest.fixture(scope="module")
def shipped():
    return LeakDial.shipped()


def last(shipped, arm):
    return shipped.state(arm=arm, epoch=len(shipped.epochs) - 1)


def test_a_background_set_brings_background_to_the_origin_and_without_one_it_stays_out(shipped):
    for arm in range(len(shipped.lambdas)):
        state = last(shipped, arm)
        assert state["background"] < 0.2 * state["targets"]
    alone = last(shipped, shipped.arms.index("no background set"))
    assert alone["background"] > 0.5 * alone["targets"]


def test_the_largest_lambda_leaves_less_of_the_digit_in_the_common_code_than_none(shipped):
    leaks = [last(shipped, arm)["probes"]["digit from common"] for arm in range(len(shipped.lambdas))]
    assert leaks[-1] < leaks[0]


def test_all_arms_start_from_the_same_weights(shipped):
    for arm in range(1, len(shipped.arms)):
        np.testing.assert_array_equal(shipped.probes[arm, 0], shipped.probes[0, 0])


def test_the_table_says_how_it_was_made_and_is_small():
    kept = table.read("separation")
    assert {"seed", "command", "versions", "settings", "tested"} <= set(kept.about)
    assert kept["common"].shape == kept["salient"].shape
    assert kept["probes"].shape == (*kept["common"].shape[:2], 4)
    assert (Path(explorables.__file__).parent / "states" / "separation.npz").stat().st_size < 150_000


def test_numbers_by_hand():
    state = state_at(np.array([[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]]), np.array([1, 0, 0]), np.array([0.3, 0.8, 0.9, 0.5]))
    assert state["targets"] == pytest.approx(5)
    assert state["background"] == pytest.approx(0.5)
    assert state["separation"] == pytest.approx({"digit": 0.5, "texture": 0.4})
    assert list(state["probes"]) == list(NAMES)


@pytest.mark.parametrize(
    ("target", "probes", "message"),
    [
        ([1, 1], [0.1] * 4, "both groups"),
        ([0, 1, 1], [0.1] * 4, "salient has shape"),
        ([0, 1], [0.1] * 3, "four shares"),
        ([0, 1], [2.0] * 4, "four shares"),
    ],
)
def test_wrong_states_are_refused(target, probes, message):
    with pytest.raises(ValueError, match=message):
        state_at(np.zeros((2, 2)), np.array(target), np.array(probes))


def test_the_page_is_small_offline_and_accessible(shipped):
    text = shipped.html("here")
    assert len(text) < 300_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    for word in ('id="here"', "aria-live", "Predict first", "currentColor", 'data-part="broken"'):
        assert word in text
    assert len(re.findall(r'<input type="range"[^>]*aria-label', text)) == 2
    assert (WEB / "separation.js").stat().st_size <= 15_000


def test_the_poster_is_a_png_of_moderate_size(shipped):
    png = shipped.poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 300 < height < 600
    assert len(png) < 90_000


def test_the_live_version_repaints(shipped):
    *sliders, picture, words = shipped.live().children
    assert [slider.options[slider.index][0] for slider in sliders] == [shipped.arms[0], str(shipped.epochs[-1])]
    before = picture.value
    sliders[0].value = len(shipped.arms) - 1
    assert picture.value != before
    assert "no background set" in words.value


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes(shipped):
    salient, probes = shipped.salient[1, -1], shipped.probes[1, -1]
    code = (WEB / "separation.js").read_text("utf-8")
    given = ", ".join(json.dumps(values.tolist()) for values in (salient.reshape(-1), shipped.target, probes))
    ask = f"console.log(JSON.stringify(separationState({given})));"
    answer = json.loads(subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60).stdout)
    expected = last(shipped, 1)
    for name in ("targets", "background"):
        assert answer[name] == pytest.approx(expected[name])
    assert answer["separation"] == pytest.approx(expected["separation"])
