"""Fill the circle: bounds hold in every shipped state, the two forces add up to the loss, and the page measures as Python does."""

import json
import math
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import explorables, measures
from contrastive_lab.explorables import uniformity
from contrastive_lab.explorables.table import read
from contrastive_lab.explorables.uniformity import Uniformity, angles_of, state_at
from contrastive_lab.figures import Track
from contrastive_lab.methods import nt_xent_loss

WEB = Path(explorables.__file__).parent / "web"


def points(angles):
    theta = torch.as_tensor(angles, dtype=torch.float64)
    return torch.stack([theta.cos(), theta.sin()], dim=1)


def states(run=None):
    kept = read("uniformity")
    taus = kept.about["temperatures"]
    for k in range(len(kept.about["circle"])) if run is None else [run]:
        for epoch in range(len(kept.about["epochs"])):
            tau = taus[k] if k < len(taus) else 0.5
            yield tau, state_at(*angles_of(kept, k, epoch), temperature=tau)


def last_states():
    return [list(states(k))[-1][1] for k in range(len(read("uniformity").about["temperatures"]))]


def test_the_numbers_are_those_of_the_package():
    draw = np.random.default_rng(0)
    one = draw.normal(0, 1.2, 40)
    two = one + draw.normal(0, 0.3, 40)
    state = state_at(one, two, temperature=0.3, t=3.0)
    x, y = points(one), points(two)
    assert state["alignment"] == pytest.approx(measures.alignment(x, y))
    assert state["uniformity"] == pytest.approx((measures.uniformity(x, t=3.0) + measures.uniformity(y, t=3.0)) / 2)
    assert state["mean_cosine"] == pytest.approx((measures.mean_cosine(x) + measures.mean_cosine(y)) / 2)
    assert state["loss"] == pytest.approx(nt_xent_loss(x, y, temperature=0.3).item())


def test_every_shipped_state_lies_above_the_floor_and_above_jensens_bound():
    for _, state in states():
        assert state["uniformity"] >= state["floor"] - 1e-9
        assert state["uniformity"] >= state["bound"] - 1e-9


def test_the_two_forces_add_up_to_the_loss_where_the_points_are_spread():
    turn = np.linspace(-math.pi, math.pi, 150, endpoint=False)
    two = turn + np.random.default_rng(0).normal(0, 0.2, 150)
    for tau in (0.2, 0.5, 1.0, 2.0):
        state = state_at(turn, two, temperature=tau)
        assert state["sum"] == pytest.approx(state["loss"], rel=0.02)


def test_after_training_on_the_circle_the_sum_is_within_two_per_cent_of_the_loss():
    for tau, state in zip(read("uniformity").about["temperatures"], last_states(), strict=True):
        if tau >= 0.2:
            assert state["sum"] == pytest.approx(state["loss"], rel=0.02)


def test_in_64_dimensions_the_sum_is_the_measured_loss_from_a_temperature_of_0_2_on():
    kept = read("uniformity")
    place = {name: k for k, name in enumerate(kept.about["columns"])}
    guess = math.log(2 * kept.about["sizes"]["probe"] - 1)
    for k, tau in enumerate(kept.about["temperatures"]):
        row = kept["wide"][k, -1]
        total = row[place["alignment"]] / (2 * tau) + row[place["uniformity_tied"]] + guess
        if tau >= 0.2:
            assert total == pytest.approx(row[place["loss"]], rel=0.02)


def test_for_uneven_states_the_sum_errs_upwards_from_large_temperatures_on():
    # log of a mean >= mean of logs, so the push of the sum is too large; the twin's own term in the loss works against that.
    for tau, state in states():
        if tau >= 0.5:
            assert state["sum"] == pytest.approx(state["loss"], rel=0.1)


def test_a_temperature_in_the_middle_spreads_best_and_the_smallest_still_sits_in_a_cone():
    kept = read("uniformity")
    place = {name: k for k, name in enumerate(kept.about["columns"])}
    for group, apart in (("circle", 0.5), ("wide", 0.3)):
        last = kept[group][: len(kept.about["temperatures"]), -1]
        best = int(np.argmin(last[:, place["uniformity"]]))
        assert 0 < best < len(last) - 1
        assert last[0, place["mean_cosine"]] > last[best, place["mean_cosine"]] + apart


def test_alignment_alone_is_one_place_on_the_circle():
    kept = read("uniformity")
    *_, (_, state) = states(len(kept.about["temperatures"]))
    assert state["uniformity"] > -0.1
    assert state["mean_cosine"] > 0.9


def test_a_wrong_temperature_is_refused():
    with pytest.raises(ValueError, match="temperature is 0"):
        state_at([0.0, 1.0], [0.1, 0.9], temperature=0)


def test_the_page_is_small_offline_and_accessible():
    text = Uniformity(yours=Track([0, 1], [0.1, 0.4], [-0.2, -2.0]), dim=128).html("here")
    assert len(text) < 300_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    assert text.count('type="range"') == 3
    assert all("aria-label" in tag for tag in re.findall(r'<input type="range"[^>]*>', text))
    for part in ("collapse", "stage", "plane", "bars", "dims", "tie"):
        assert f'data-part="{part}"' in text
    assert '"dim":128' in text
    assert (WEB / "uniformity.js").stat().st_size < 15_000


def test_the_answer_to_the_prediction_comes_from_the_table():
    kept = read("uniformity")
    question = uniformity._question(kept)
    kept = read("uniformity")
    last = kept["circle"][: len(kept.about["temperatures"]), -1, kept.about["columns"].index("uniformity")].tolist()
    worst = int(np.argmax(last))
    assert question.right == (0 if worst == 0 else 2 if worst == len(last) - 1 else 1)
    assert all(f"{last[k]:.2f}" in question.answer for k in (worst, int(np.argmin(last))))
    assert last[worst] - sorted(last)[-2] > 0.1, "one seed tells the worst from the next"


def test_the_poster_is_a_png_of_moderate_size():
    png = Uniformity().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 200 < height < 400
    assert len(png) < 90_000


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    code = "".join((WEB / name).read_text("utf-8") for name in ("table.js", "uniformity.js"))
    draw = np.random.default_rng(1)
    one = draw.normal(0, 1.2, 30)
    two = one + draw.normal(0, 0.3, 30)
    ask = f"console.log(JSON.stringify(uniformityState({json.dumps(one.tolist())}, {json.dumps(two.tolist())}, 0.07, 2)));"
    answer = subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60)
    state = json.loads(answer.stdout)
    expected = state_at(one, two, temperature=0.07)
    for name in state:
        assert state[name] == pytest.approx(expected[name], abs=1e-9), name


def test_the_live_version_draws_other_epochs():
    *sliders, picture, words = Uniformity().live().children
    before = picture.value
    sliders[1].value = 0
    assert picture.value != before
    assert "epoch 0" in words.value
