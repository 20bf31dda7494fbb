"""The toy of gates shows Hydra's loss; training with an open gate can't get below log(C - 1), and the page computes what Python does."""

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
from contrastive_lab.explorables.gates import BEST, VECTORS, Gates, mean_loss, pairs_of, random_vectors, state_at, train
from contrastive_lab.methods import gated_similarity, hydra_pair_loss

WEB = Path(explorables.__file__).parent / "web"
SOFT = (0.9, 0.2, 0.5, 0.1)


@pytest.mark.parametrize("pair", range(6))
@pytest.mark.parametrize("vectors", [VECTORS, random_vectors().tolist()], ids=["made", "random"])
def test_cosines_and_loss_are_the_packages(pair, vectors):
    state = state_at(vectors, SOFT, pair=pair)
    x, gate = torch.tensor(vectors, dtype=torch.float64), torch.tensor(SOFT, dtype=torch.float64)
    a, b = pairs_of(4)[pair]
    np.testing.assert_allclose(state["cosines"], gated_similarity(x, x, gate.expand(4, -1)).numpy(), atol=1e-9)
    seeks = hydra_pair_loss(
        x[[a, b]], x, gate.expand(2, -1), torch.tensor([a, b]), torch.tensor([b, a]), key_labels=torch.arange(4), temperature=0.5
    )
    assert state["loss"] == pytest.approx(seeks.item())
    assert state["agreement"].sum() == pytest.approx(state["cosines"][a, b])


def test_the_right_gates_reach_the_floor_and_an_open_one_guesses():
    for pair, gate in enumerate(BEST):
        state = state_at(VECTORS, gate, pair=pair)
        assert state["loss"] == pytest.approx(state["floor"])
        assert state_at(VECTORS, (1, 1, 1, 1), pair=pair)["loss"] == pytest.approx(math.log(3))
    assert state_at(VECTORS, (0, 0, 0, 1))["loss"] == pytest.approx(math.log(3))
    assert state_at(VECTORS, (0, 0, 0, 0))["cosines"].max() == 0


def test_the_mean_loss_is_that_of_all_pairs():
    gates = np.random.default_rng(1).random((6, 4))
    losses = [state_at(VECTORS, gate, pair=pair)["loss"] for pair, gate in enumerate(gates)]
    assert mean_loss(VECTORS, gates) == pytest.approx(np.mean(losses))


def test_the_size_of_a_gate_does_not_matter():
    one, half = (state_at(VECTORS, np.multiply(SOFT, factor).tolist()) for factor in (1, 0.5))
    np.testing.assert_allclose(one["cosines"], half["cosines"])


@pytest.mark.parametrize("seed", range(4))
def test_open_gates_never_beat_the_bound_and_gates_for_each_pair_do(seed):
    start = random_vectors(seed=seed)
    opened = train(start, gated=False, steps=40)
    assert min(opened["losses"]) >= math.log(3) - 1e-9
    assert opened["losses"][-1] < opened["losses"][0]
    gated = train(start, gated=True, steps=60)
    assert gated["losses"][-1] < 0.2
    assert mean_loss(gated["vectors"], gated["gates"]) == pytest.approx(gated["losses"][-1])


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_holds_for_any_vectors_under_one_gate(seed):
    draw = np.random.default_rng(seed)
    vectors, gate = draw.normal(size=(5, 3)), draw.random(3)
    assert mean_loss(vectors, np.tile(gate, (10, 1))) >= math.log(4) - 1e-9


@pytest.mark.parametrize(
    ("vectors", "gate", "how", "message"),
    [
        (VECTORS, (1.0, 1.0), {}, "gate is"),
        (VECTORS, (1.0, 1.0, -1.0, 0.0), {}, "gate is"),
        (VECTORS, SOFT, {"pair": 6}, "pair is 6"),
        (VECTORS, SOFT, {"temperature": 0.0}, "temperature is 0.0"),
        (VECTORS[:2], SOFT, {}, "2 classes"),
    ],
)
def test_wrong_states_are_refused(vectors, gate, how, message):
    with pytest.raises(ValueError, match=message):
        state_at(vectors, gate, **how)
    with pytest.raises(ValueError, match="steps is -1"):
        train(VECTORS, gated=True, steps=-1)


def test_the_page_is_small_offline_and_accessible():
    text = Gates().html("here")
    assert len(text) < 60_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    for needed in ('id="here"', "aria-live", "Predict first", "currentColor", 'data-part="collapse"', "noscript", "prefers-reduced-motion"):
        assert needed in text
    ranges = re.findall(r"<input type=\"range\"[^>]*>", text)
    assert len(ranges) == 5
    assert all("aria-label" in tag for tag in ranges)
    assert (WEB / "gates.js").stat().st_size < 15_000
    with pytest.raises(ValueError, match=r"use live\(\)"):
        Gates(np.eye(3)).html()


def test_the_poster_is_a_png_of_moderate_size():
    png = Gates().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 150 < height < 400
    assert len(png) < 60_000


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    start = random_vectors()
    ask = f"""
    let numbers = {json.dumps(start.ravel().tolist())}.concat(new Array(24).fill(0));
    for (let k = 0; k < 5; k++) numbers = gateDescend(numbers, true, 0.5, 0.5);
    const [vectors, gates] = gateSplit(numbers, true);
    console.log(JSON.stringify([gateState({json.dumps(VECTORS)}, {json.dumps(SOFT)}, 2, 0.5), vectors, gates]));"""
    code = (WEB / "gates.js").read_text("utf-8") + ask
    answer = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True, timeout=60)
    page, vectors, gates = json.loads(answer.stdout)
    state, trained = state_at(VECTORS, SOFT, pair=2), train(start, gated=True, steps=5)
    np.testing.assert_allclose(page["cosines"], state["cosines"], atol=1e-9)
    assert page["loss"] == pytest.approx(state["loss"])
    np.testing.assert_allclose(vectors, trained["vectors"], atol=1e-7)
    np.testing.assert_allclose(gates, trained["gates"], atol=1e-7)


def test_the_live_version_repaints_for_few_and_for_many_coordinates():
    box = Gates().live()
    *sliders, picture, words = box.children
    before = picture.value
    sliders[2].value = 0.0
    assert picture.value != before
    assert "A and B" in words.value
    draw = np.random.default_rng(0)
    many = Gates(draw.normal(size=(5, 40)), draw.random((10, 40)), tuple("vwxyz")).live()
    *sliders, picture, words = many.children
    assert len(sliders) == 2
    before = words.value
    sliders[1].value = True
    assert words.value != before
