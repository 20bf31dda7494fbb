"""q of the explorable is the package's, batch by batch; it grows with the batch and falls as positives get easier; the page agrees."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import explorables
from contrastive_lab.explorables import npc
from contrastive_lab.explorables.npc import Npc, batches, state_at, unit_pair
from contrastive_lab.methods import dcl_loss, npc_multiplier, nt_xent_loss

WEB = Path(explorables.__file__).parent / "web"
PAIRS = npc.shipped()
TRAINED = list(PAIRS.values())[-1]


def small(count=16, dim=5, seed=0):
    draw = np.random.default_rng(seed)
    one = draw.normal(size=(count, dim))
    return unit_pair(one, one + 0.4 * draw.normal(size=(count, dim)))


@pytest.mark.parametrize("batch", [2, 8, 16])
@pytest.mark.parametrize("tau", [0.05, 0.5])
def test_q_is_the_packages_in_every_batch(batch, tau):
    one, two = torch.tensor(small())
    parts = [npc_multiplier(one[i : i + batch], two[i : i + batch], temperature=tau).chunk(2) for i in range(0, 16, batch)]
    expected = torch.cat([torch.cat(views) for views in zip(*parts, strict=True)])
    state = state_at(small(), batch=batch, temperature=tau)
    np.testing.assert_allclose(state["q"], expected.numpy(), rtol=1e-9)
    gaps = [
        nt_xent_loss(one[i : i + batch], two[i : i + batch], temperature=tau)
        - dcl_loss(one[i : i + batch], two[i : i + batch], temperature=tau)
        for i in range(0, 16, batch)
    ]
    assert state["gap"] == pytest.approx(float(torch.stack(gaps).mean()))


@pytest.mark.parametrize("tau", [0.05, 0.1, 0.5])
def test_on_the_shipped_encoder_q_grows_with_the_batch_and_stays_below_one(tau):
    means = [state_at(TRAINED, batch=size, temperature=tau)["mean"] for size in batches(512)]
    assert means == sorted(means)
    assert 0 < means[0] < means[-1] < 1


def test_training_and_easier_positives_and_lower_temperatures_all_lower_q():
    stages = [state_at(pair, batch=8)["mean"] for pair in PAIRS.values()]
    assert stages[-1] < stages[0]
    eased = [state_at(TRAINED, batch=8, ease=ease)["mean"] for ease in (0.0, 0.5, 1.0)]
    assert eased == sorted(eased, reverse=True)
    heats = [state_at(TRAINED, batch=8, temperature=tau)["mean"] for tau in (1.0, 0.5, 0.1, 0.05)]
    assert heats == sorted(heats, reverse=True)


def test_broken_state_switches_the_gradient_off():
    state = state_at(TRAINED, batch=2, temperature=0.05, ease=1.0)
    assert state["mean"] < 0.1
    assert state["asleep"] > 0.75


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 3}, "batch is 3"),
        ({"batch": 1}, "batch is 1"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"ease": 1.5}, "ease is 1.5"),
    ],
)
def test_wrong_states_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        state_at(small(), **{"batch": 4, **changes})


def test_views_of_ones_own_are_cut_to_a_power_of_two_and_normalised():
    pair = unit_pair(3 * torch.randn(100, 4), torch.randn(100, 4))
    assert pair.shape == (2, 64, 4)
    np.testing.assert_allclose(np.linalg.norm(pair, axis=-1), 1)
    with pytest.raises(ValueError, match="at least 2 images"):
        unit_pair(np.ones((1, 4)), np.ones((1, 4)))
    mine = Npc({"mine": (torch.randn(70, 8), torch.randn(70, 8))}, batch=512)
    assert "of your own" in mine.html()
    assert "Batches of 64" in mine.describe(batch=64, temperature=0.1)


def test_the_page_is_small_offline_and_accessible():
    text = Npc().html("here")
    assert len(text) < 300_000
    assert "http://" not in text
    assert "https://" not in text
    assert text.count('type="range"') == text.count('step="') == 4
    assert 'data-part="collapse"' in text
    assert "Predict first" in text
    assert (WEB / "npc.js").stat().st_size < 15_000


def test_the_poster_is_a_png_of_moderate_size():
    png = Npc().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:4] == b"\x89PNG"
    assert 600 < width < 1000
    assert 200 < height < 400
    assert len(png) < 60_000


def test_the_live_version_repaints():
    box = Npc({"mine": (torch.randn(16, 4), torch.randn(16, 4))}).live()
    size, *_, picture, words = box.children
    before = picture.value
    size.value = 4
    assert picture.value != before
    assert "Batches of 4" in words.value


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    pair = small()
    views = {"flat": pair.ravel().tolist(), "shape": list(pair.shape)}
    ask = f"""
    const views = Float64Array.from({json.dumps(views["flat"])}); views.shape = {json.dumps(views["shape"])};
    const q = multipliers(potentials(cosines(views), 0.1), 4, 0.1, 0.3);
    console.log(JSON.stringify([q, summary(q)]));"""
    code = (WEB / "npc.js").read_text("utf-8") + ask
    answer = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True, timeout=60)
    q, numbers = json.loads(answer.stdout)
    expected = state_at(pair, batch=4, temperature=0.1, ease=0.3)
    np.testing.assert_allclose(q, expected["q"], rtol=1e-9)
    assert numbers == pytest.approx({name: expected[name] for name in numbers})
