"""The map of mixtures shows MoCHi's loss and its gradient, and the page computes what Python computes."""

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
from contrastive_lab.explorables.mixing import Mixing, World, example, on_map, pair_ranks, state_at
from contrastive_lab.methods import hard_negative_indices, mochi_loss

WEB = Path(explorables.__file__).parent / "web"
CASES = [
    {},
    {"n_hard": 5, "s": 13, "s_prime": 7, "alpha": 0.2, "beta": 0.5},
    {"s": 0, "s_prime": 0},
    {"oracle": True, "temperature": 0.07},
]


def package(world, q=None, *, n_hard=8, s=8, s_prime=4, alpha=0.5, beta=0.25, temperature=0.2, oracle=False):
    """The package's loss for the mixtures that the explorable chose."""
    q = torch.tensor(world.q)[None] if q is None else q
    ranks = torch.tensor(pair_ranks(s, n_hard))[None]
    draws = (ranks, torch.full((1, s), alpha).double(), (torch.arange(s_prime) % n_hard)[None], torch.full((1, s_prime), beta).double())
    exclude = torch.tensor(world.same)[None] if oracle else None
    rows = torch.tensor(world.k)[None], torch.tensor(world.queue)
    return mochi_loss(q, *rows, temperature=temperature, n_hard=n_hard, draws=draws, exclude=exclude, return_parts=True)


@pytest.mark.parametrize("how", CASES, ids=str)
@pytest.mark.parametrize("broken", [False, True])
def test_loss_hard_set_and_cosines_are_the_packages(how, broken):
    world = example(broken=broken)
    state = state_at(world, **how)
    loss, parts = package(world, **how)
    tau = how.get("temperature", 0.2)
    assert state["loss"] == pytest.approx(loss.item())
    assert state["hard"].tolist() == parts.hard[0].tolist()
    np.testing.assert_allclose(state["cosines"]["pairs"], tau * parts.pairs[0].numpy(), atol=1e-9)
    np.testing.assert_allclose(state["cosines"]["queries"], tau * parts.queries[0].numpy(), atol=1e-9)
    assert sum(state["mass"].values()) == pytest.approx(1)


@pytest.mark.parametrize("how", CASES, ids=str)
def test_pull_and_push_are_the_gradient_on_the_sphere(how):
    world = example()
    state = state_at(world, **how)
    raw = torch.tensor(world.q)[None].requires_grad_()
    loss, _ = package(world, raw, **how)
    loss.backward()  # through the normalisation: the gradient lies in the tangent space already
    np.testing.assert_allclose(state["pull"] + state["push"], -how.get("temperature", 0.2) * raw.grad[0].numpy(), atol=1e-9)


def test_a_query_mixture_gets_harder_with_beta_and_never_passes_the_midpoint():
    world = example()
    for beta in np.linspace(0, 0.5, 11):
        state = state_at(world, s=0, s_prime=8, beta=beta)
        angle = np.arccos(state["cosines"]["queries"])
        parent = np.arccos(state["cosines"]["queue"][state["hard"]])
        assert (angle >= parent / 2 - 1e-9).all()
        assert (angle <= parent + 1e-9).all()
    losses = [state_at(world, s=0, s_prime=8, beta=b)["loss"] for b in np.linspace(0, 0.5, 11)]
    assert losses == sorted(losses)


def test_a_mixture_of_two_can_be_harder_than_both_parents():
    state = state_at(example())
    pairs, queue, hard = state["cosines"]["pairs"], state["cosines"]["queue"], state["hard"]
    assert max(pairs) > queue[hard[0]]


def test_the_oracle_leaves_no_false_weight_and_the_broken_world_almost_nothing_else():
    assert state_at(example(), oracle=True)["false_push"] == 0
    broken = state_at(example(broken=True))
    assert broken["false_hard"] == 1
    assert broken["false_push"] > 0.9
    assert state_at(example())["false_hard"] > state_at(example())["chance"]


def test_more_synthetic_points_raise_the_loss_and_none_is_moco():
    losses = [state_at(example(), s=s, s_prime=s // 2)["loss"] for s in (0, 4, 8, 16)]
    assert losses == sorted(losses)
    state = state_at(example(), s=0, s_prime=0)
    assert state["loss"] == state["plain loss"]


def test_pairs_are_distinct_and_the_map_keeps_angles_in_any_dimension():
    ranks = pair_ranks(56, 8)
    assert (ranks[:, 0] != ranks[:, 1]).all()
    assert len({tuple(r) for r in ranks.tolist()}) == 56
    draw = np.random.default_rng(0)
    world = World.of(*(draw.normal(size=shape) for shape in ((12,), (12,), (50, 12))), draw.random(50) < 0.2)
    np.testing.assert_allclose(np.linalg.norm(on_map(world, world.queue), axis=1), np.degrees(np.arccos(world.queue @ world.q)), atol=1e-6)
    rows = hard_negative_indices(torch.tensor(world.q)[None], torch.tensor(world.queue), n_hard=5)
    assert state_at(world, n_hard=5)["hard"].tolist() == rows[0].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_hard": 0}, "n_hard is 0"),
        ({"n_hard": 40, "oracle": True}, "n_hard is 40"),
        ({"s": -1}, "s is -1"),
        ({"n_hard": 1, "s": 2}, "pairs need n_hard"),
        ({"alpha": 1.5}, "alpha is 1.5"),
        ({"beta": 0.6}, "beta is 0.6"),
        ({"temperature": math.nan}, "temperature is nan"),
    ],
)
def test_wrong_states_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        state_at(example(), **change)
    with pytest.raises(ValueError, match="q, k and queue"):
        World.of([1.0, 0.0], [1.0, 0.0], [[1.0, 0.0, 0.0]], [False])


def test_the_page_is_small_offline_and_accessible():
    text = Mixing().html("here")
    assert len(text) < 60_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    for needed in ('id="here"', "aria-live", "Predict first", "currentColor", 'data-part="collapse"', "noscript"):
        assert needed in text
    ranges = re.findall(r"<input type=\"range\"[^>]*>", text)
    assert len(ranges) == 5
    assert all("aria-label" in tag for tag in ranges)
    assert (WEB / "mixing.js").stat().st_size < 15_000
    with pytest.raises(ValueError, match="use live"):
        Mixing(World.of(np.ones(4), np.ones(4), np.eye(4), np.zeros(4, dtype=bool))).html()


def test_the_poster_is_a_png_of_moderate_size():
    png = Mixing().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 150 < height < 400
    assert len(png) < 60_000


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
@pytest.mark.parametrize("how", CASES, ids=str)
def test_the_page_computes_what_python_computes(how):
    world = example()
    data = re.search(r"mountMixing\(document.getElementById\(\"[^\"]+\"\), (.*)\);", Mixing().html()).group(1)
    values = {"n_hard": 8, "s": 8, "s_prime": 4, "alpha": 0.5, "beta": 0.25, "temperature": 0.2, "oracle": False} | how
    ask = f"const data = {data};\nconsole.log(JSON.stringify(mixState(data.worlds[0], ...{json.dumps(list(values.values()))})));"
    answer = subprocess.run(
        ["node", "-e", (WEB / "mixing.js").read_text("utf-8") + ask], capture_output=True, text=True, check=True, timeout=60
    )
    page, state = json.loads(answer.stdout), state_at(world, **how)
    assert page["hard"] == state["hard"].tolist()
    assert page["loss"] == pytest.approx(state["loss"], abs=1e-4)  # the page's points are rounded to hundredths of a degree
    assert page["plain"] == pytest.approx(state["plain loss"], abs=1e-4)
    assert page["falsePush"] == pytest.approx(state["false_push"], abs=1e-4)
    np.testing.assert_allclose(
        [page["mass"][k] for k in ("positive", "others", "own", "pairs", "queries")], list(state["mass"].values()), atol=1e-4
    )
    np.testing.assert_allclose(np.array(page["pull"]) + page["push"], (state["pull"] + state["push"])[:2], atol=1e-3)


def test_the_live_version_repaints_for_vectors_of_any_dimension():
    draw = np.random.default_rng(0)
    world = World.of(*(draw.normal(size=shape) for shape in ((12,), (12,), (50, 12))), draw.random(50) < 0.2)
    box = Mixing(world).live()
    *sliders, picture, words = box.children
    before = picture.value
    assert before[:4] == b"\x89PNG"
    sliders[-1].value = True
    assert picture.value != before
    assert "0% of the repelling weight" in words.value
