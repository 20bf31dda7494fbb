"""Twins and strangers: the measures are the package's, collapse aligns best, strength parts the twins, and the page agrees with Python."""

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import explorables, measures
from contrastive_lab.data import scenes
from contrastive_lab.explorables import pairs
from contrastive_lab.explorables.alignment import Alignment, state_at
from contrastive_lab.training import Settings, prepare

WEB = Path(explorables.__file__).parent / "web"


@pytest.fixture(scope="module")
def shipped():
    return Alignment.shipped()


@pytest.fixture(scope="module")
def images():
    return scenes.load("test", count=40, two=0.0)


@pytest.fixture(scope="module")
def method(images):
    return prepare(Settings.recommended("simclr", "scenes", width=4), images)


def encoder(shipped, name):
    return next(number for number, title in enumerate(shipped.encoders) if title.startswith(name))


def test_alignment_alone_aligns_best_at_every_strength_and_is_the_worst_at_finding_twins(shipped):
    collapsed = encoder(shipped, "alignment only")
    for strength in pairs.STRENGTHS[1:]:
        state = shipped.state(strength=strength, encoder=collapsed)
        assert state["alignment"] < 0.02
        assert state["found"] < shipped.state(strength=strength, encoder=shipped.start)["found"]


def test_training_finds_more_twins_than_random_weights(shipped):
    for strength in (1, 2, 3):
        trained, untrained = (shipped.state(strength=strength, encoder=e)["found"] for e in (shipped.start, encoder(shipped, "untrained")))
        assert trained > untrained


def test_stronger_augmentation_never_brings_the_trained_twins_nearer(shipped):
    means = [shipped.state(strength=s, encoder=shipped.start)["mean"] for s in pairs.STRENGTHS]
    assert means == sorted(means)
    assert means[0] == pytest.approx(0, abs=1e-6)


def test_the_state_is_what_the_measures_say():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(50, 12, generator=draw, dtype=torch.float64)
    y = x + 0.7 * torch.randn(50, 12, generator=draw, dtype=torch.float64)
    own, stranger = pairs.measure(lambda view: view.flatten(1), *(v.float().view(50, 3, 2, 2) for v in (x, y)))
    for alpha in (1, 2, 3):
        assert state_at(own, stranger, alpha=alpha)["alignment"] == pytest.approx(measures.alignment(x, y, alpha=alpha), rel=1e-5)
    state = state_at(own, stranger)
    margins = measures.retrieval_margins(x, y).numpy()
    np.testing.assert_allclose(state["margin"], margins, atol=1e-5)
    assert state["found"] == pytest.approx((margins > 0).mean())
    assert state["alignment"] == pytest.approx(2 - 2 * state["cosine"].mean())
    assert state["bars"].sum() == 50


def test_two_pairs_by_hand():
    state = state_at(np.array([np.sqrt(2), 0.0]), np.array([np.sqrt(2), 0.0]))
    assert state["alignment"] == pytest.approx(1.0)
    assert state_at(np.array([np.sqrt(2), 0.0]), np.array([1.0, 1.0]), alpha=1)["alignment"] == pytest.approx(np.sqrt(2) / 2)
    assert state["found"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((np.ones(3), np.ones(2)), "own has shape"), ((np.ones(0), np.ones(0)), "own has shape"), ((np.ones(2), np.ones(2), 4), "alpha is 4")],
)
def test_wrong_states_are_refused(arguments, message):
    own, stranger, *alpha = arguments
    with pytest.raises(ValueError, match=message):
        state_at(own, stranger, alpha=alpha[0] if alpha else 2)


def test_strength_zero_changes_nothing_and_the_same_seed_gives_the_same_views(images):
    one, two = pairs.twins(images, 0)
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(one, images.as_float(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(pairs.twins(images, 3), pairs.twins(images, 3))
    with pytest.raises(ValueError, match="strength is 6"):
        pairs.twins(images, 6)


def test_your_own_encoder_beside_raw_pixels_and_fresh_weights(method, images):
    method.train()
    own = Alignment.of(method, images)
    assert own.encoders == ("raw pixels", "untrained network", "your network")
    assert all(module.training for module in method.modules())
    one, two = pairs.twins(images, 2)
    method.eval()
    with torch.no_grad():
        expected = measures.alignment(method.embed(one), method.embed(two))
    assert own.state(strength=2, encoder=2)["alignment"] == pytest.approx(expected, rel=1e-4)
    text = own.html()
    assert len(text) < 300_000
    assert re.search(r'id="clab-alignment-[0-9a-f]{8}"', text).group(0) not in Alignment.shipped().html()
    with pytest.raises(ValueError, match="methods is empty"):
        Alignment.of({}, images)


def test_clicking_a_bar_shows_the_pairs_of_that_distance(shipped):
    reach = shipped.distances[2, shipped.start, 0][shipped.shown[2]]
    near = shipped.state(strength=2, encoder=shipped.start, at=float(reach.max()))["pairs"]
    assert int(reach.argmax()) in near
    assert len(near) == 6
    assert reach[near].tolist() == sorted(reach[near].tolist())


def test_the_page_is_small_offline_and_accessible(shipped):
    text = shipped.html("here")
    assert len(text) < 300_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    for word in ('id="here"', "aria-live", "Predict first", "currentColor", 'data-part="collapse"'):
        assert word in text
    assert len(re.findall(r'<input type="range"[^>]*aria-label', text)) == 3


def test_the_poster_is_a_png_of_moderate_size(shipped):
    png = shipped.poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 200 < height < 500
    assert len(png) < 90_000


def test_the_live_version_repaints(shipped):
    *sliders, picture, words = shipped.live().children
    before = picture.value
    sliders[0].value = 5
    assert picture.value != before
    assert "strength 5" in words.value


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes(shipped):
    own, stranger = shipped.distances[2, shipped.start]
    code = (WEB / "alignment.js").read_text("utf-8")
    ask = f"console.log(JSON.stringify(alignmentState({json.dumps(own.tolist())}, {json.dumps(stranger.tolist())}, 3, 40)));"
    answer = json.loads(subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60).stdout)
    expected = state_at(own, stranger, alpha=3)
    for name in ("alignment", "mean", "root", "cosine", "rival", "margin", "found", "bars"):
        np.testing.assert_allclose(answer[name], expected[name], atol=1e-9)
