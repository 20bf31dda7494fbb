"""The Sinkhorn explorable shows the package's codes and loss, collapse included, and the page computes what Python computes."""

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

from contrastive_lab import explorables
from contrastive_lab.data import scenes
from contrastive_lab.explorables.explorable import Explorable
from contrastive_lab.explorables.sinkhorn import COUNT, NETWORKS, Sinkhorn, scene_numbers, state_at, table
from contrastive_lab.methods import sinkhorn, swav_loss

WEB = Path(explorables.__file__).parent / "web"


def scores(name="balanced"):
    return table()[name]


@pytest.mark.parametrize("sweeps", [1, 3, 5])
@pytest.mark.parametrize("epsilon", [0.01, 0.05, 0.5])
def test_whole_sweeps_give_the_codes_and_the_loss_of_the_package(sweeps, epsilon):
    one, two = scores()
    state = state_at(one, two, epsilon=epsilon, steps=2 * sweeps)
    views = [torch.tensor(one), torch.tensor(two)]
    np.testing.assert_allclose(state["codes"], sinkhorn(views[0], epsilon=epsilon, iterations=sweeps).numpy(), atol=1e-9)
    assert state["loss"] == pytest.approx(swav_loss(views, epsilon=epsilon, iterations=sweeps).item(), abs=1e-9)


def test_odd_half_sweeps_make_columns_even_and_even_ones_rows():
    one, two = scores("untrained")
    for steps in range(1, 9):
        state = state_at(one, two, steps=steps)
        wanted, sums = (2.0, state["masses"]) if steps % 2 else (1.0, state["sums"])
        np.testing.assert_allclose(sums, wanted, atol=1e-9)
    assert state_at(one, two, steps=0)["sums"].sum() == pytest.approx(16)


def test_more_sweeps_balance_better_and_a_larger_epsilon_smears():
    one, two = scores()
    off = [state_at(one, two, steps=steps)["imbalance"] for steps in (2, 6, 12, 40)]
    assert off == sorted(off, reverse=True)
    assert off[-1] < 0.05
    entropies = [state_at(one, two, epsilon=epsilon)["entropy"] for epsilon in (0.01, 0.05, 0.2, 1.0)]
    assert entropies == sorted(entropies)
    assert entropies[-1] > 0.95


def test_the_two_collapses():
    """Without balance everybody moves to one prototype and pays nothing; scores without information cost ln K whatever the codes."""
    broken = state_at(*scores("softmax"), balance=False)
    assert broken["used"] == 1
    assert broken["masses"].max() > 15
    assert broken["loss"] < 0.1 * broken["log_k"]
    flat = np.zeros((16, 8))
    for balance in (True, False):
        state = state_at(flat, flat, balance=balance)
        assert state["loss"] == pytest.approx(math.log(8))
        assert state["entropy"] == pytest.approx(1)


def test_training_with_balance_beats_ln_k_and_the_untrained_network_smears():
    trained, untrained = (state_at(*scores(name)) for name in ("balanced", "untrained"))
    assert trained["loss"] < trained["log_k"] - 0.3
    assert untrained["loss"] > trained["log_k"] - 0.1  # it may cost more than knowing nothing: its scores favour one prototype
    assert untrained["entropy"] > trained["entropy"]


def test_the_table_says_where_it_comes_from_and_its_scenes_are_four_of_each_background():
    assert table()["about"]["settings"]["method"] == "swav"
    assert {"command", "versions", "images"} <= set(table()["about"])
    for name in NETWORKS:
        assert table()[name].shape == (2, 16, 8)
        assert np.abs(table()[name]).max() <= 1.001
    kinds = scenes.load("test", count=COUNT, two=0.0, label="background").labels[list(scene_numbers())]
    assert kinds.tolist() == sorted([0, 1, 2, 3] * 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.0}, "epsilon is 0"),
        ({"steps": -1}, "steps is -1"),
        ({"scores1": np.zeros((16, 1)), "scores2": np.zeros((16, 1))}, "at least two prototypes"),
    ],
)
def test_wrong_states_are_refused(change, message):
    one, two = scores()
    arguments = {"scores1": one, "scores2": two, **change}
    with pytest.raises(ValueError, match=message):
        state_at(**arguments)


def test_the_page_is_small_offline_and_accessible():
    text = Sinkhorn().html("here")
    assert isinstance(Sinkhorn(), Explorable)
    assert len(text) < 60_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    ranges = re.findall(r"<input type=\"range\"[^>]*>", text)
    assert len(ranges) == 3
    assert all("aria-label" in tag for tag in ranges)
    for part in ("collapse", "step", "net-untrained", "net-balanced", "net-softmax"):
        assert f'data-part="{part}"' in text
    assert "Predict first" in text
    assert "currentColor" in text
    assert (WEB / "sinkhorn.js").stat().st_size < 15_000


def test_scores_of_your_own():
    own = np.random.default_rng(0).uniform(-1, 1, (2, 10, 4))
    assert "your own" in Sinkhorn(own).html()
    assert "4.00" not in Sinkhorn(own).describe(epsilon=0.05, steps=6)
    with pytest.raises(ValueError, match=r"scores has shape \(2, 30, 4\)"):
        Sinkhorn(np.zeros((2, 30, 4))).html()


def test_the_poster_is_a_png_of_moderate_size():
    png = Sinkhorn().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 200 < height < 450
    assert len(png) < 40_000


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    one, two = scores()
    states = [(0.05, 6, True), (0.02, 3, True), (0.3, 0, True), (0.05, 6, False)]
    calls = ",".join(f"sinkhornState(one, two, {e}, {n}, {str(b).lower()}, 0.1)" for e, n, b in states)
    program = (WEB / "sinkhorn.js").read_text("utf-8")
    program += f"const one = {json.dumps(one.tolist())}, two = {json.dumps(two.tolist())}; console.log(JSON.stringify([{calls}]));"
    answer = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True, timeout=60)
    for found, (epsilon, steps, balance) in zip(json.loads(answer.stdout), states, strict=True):
        expected = state_at(one, two, epsilon=epsilon, steps=steps, balance=balance)
        for name in ("codes", "masses", "sums", "entropy", "used", "loss", "prediction", "imbalance"):
            np.testing.assert_allclose(found[name], expected[name], atol=1e-9)


def test_the_live_version_repaints_in_place():
    box = Sinkhorn().live()
    epsilon, steps, picture, words = box.children
    before = picture.value
    epsilon.value = 0.5
    assert picture.value != before
    assert "ε = 0.5" in words.value
    steps.value = 1
    assert "0.5 sweeps" in words.value
