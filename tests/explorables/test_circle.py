"""What the circle shows is the gradient of the loss, and the page computes what Python computes."""

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
from contrastive_lab.explorables import circle, particles
from contrastive_lab.explorables.circle import START, Circle, state_at
from contrastive_lab.explorables.particles import Particles, floor, simulate, start_angles
from contrastive_lab.methods import alignment_loss, nt_xent_loss, similarity_weights, uniformity_loss

WEB = Path(explorables.__file__).parent / "web"
TAUS = (0.05, 0.2, 1.0)


def points(angles):
    theta = torch.tensor(angles, dtype=torch.float64)
    return torch.stack([theta.cos(), theta.sin()], dim=1)


@pytest.mark.parametrize("tau", TAUS)
def test_weights_and_loss_are_those_of_the_package(tau):
    z1, z2 = points(START).chunk(2)
    rows = [state_at(START, anchor=a, temperature=tau) for a in range(len(START))]
    torch.testing.assert_close(torch.tensor(np.stack([r["weights"] for r in rows])), similarity_weights(z1, z2, temperature=tau))
    assert np.mean([r["loss"] for r in rows]) == pytest.approx(nt_xent_loss(z1, z2, temperature=tau).item())


@pytest.mark.parametrize("tau", TAUS)
def test_net_force_and_reactions_are_the_gradient_of_the_anchors_loss(tau):
    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    anchor, others = 3, [b for b in range(12) if b != 3]
    scores = (theta - theta[anchor]).cos() / tau
    (scores[others].logsumexp(dim=0) - scores[(anchor + 6) % 12]).backward()
    state = state_at(START, anchor=anchor, temperature=tau)
    # Forces are drawn as the temperature times minus the gradient; the anchor's own angle feels all of it.
    assert state["net"] == pytest.approx(-tau * theta.grad[anchor].item())
    np.testing.assert_allclose(state["reaction"][others], -tau * theta.grad[others].numpy())


def test_a_small_temperature_listens_to_one_negative_and_a_large_one_to_all():
    shares = circle.effective_negatives(START, [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0], anchor=3)
    assert shares == sorted(shares)
    assert shares[0] < 1.2
    assert shares[-1] > 9


def test_when_everything_coincides_nothing_moves_and_the_loss_is_that_of_guessing():
    state = state_at([1.0] * 12, anchor=5, temperature=0.07)
    assert state["loss"] == pytest.approx(math.log(11))
    assert state["effective"] == pytest.approx(10)
    assert state["net"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"angles": [0.0, 1.0, 2.0]}, "angles has shape"),
        ({"angles": [0.0, 1.0, 2.0, math.nan]}, "not finite"),
        ({"angles": START, "anchor": 12}, "anchor is 12"),
        ({"angles": START, "temperature": 0.0}, "temperature is 0.0"),
    ],
)
def test_wrong_states_are_refused(arguments, message):
    angles = arguments.pop("angles")
    with pytest.raises(ValueError, match=message):
        state_at(angles, **arguments)


def test_the_metrics_of_the_particles_are_the_packages():
    one, two = points(start_angles().tolist()).chunk(2)
    state = particles.state_at(start_angles())
    assert state["alignment"] == pytest.approx(alignment_loss(one, two).item())
    assert state["uniformity"] == pytest.approx((uniformity_loss(one) + uniformity_loss(two)).item() / 2)


def test_particles_move_down_the_gradient():
    theta = torch.tensor(start_angles(), requires_grad=True)
    one, two = torch.stack([theta.cos(), theta.sin()], dim=1).chunk(2)
    loss = 0.3 * alignment_loss(one, two) + 0.7 * (uniformity_loss(one, t=3.0) + uniformity_loss(two, t=3.0)) / 2
    loss.backward()
    moved = simulate(start_angles(), balance=0.7, t=3.0, steps=1) - start_angles()
    np.testing.assert_allclose(moved, -24 * 0.25 / 2.5 * theta.grad.numpy(), atol=1e-12)


def test_alignment_alone_joins_the_pairs_without_collapse_and_uniformity_alone_parts_them():
    start = particles.state_at(start_angles())
    pull = particles.state_at(simulate(start_angles(), balance=0.0))
    push = particles.state_at(simulate(start_angles(), balance=1.0))
    both = particles.state_at(simulate(start_angles(), balance=0.5))
    assert pull["alignment"] < 1e-6
    assert -0.7 < pull["uniformity"] < -0.3
    assert push["uniformity"] == pytest.approx(floor(24), abs=0.02)
    assert push["alignment"] > 1 > start["alignment"]
    assert both["alignment"] < 0.01
    assert both["uniformity"] == pytest.approx(floor(24), abs=0.02)


def test_a_narrow_kernel_feels_neighbours_only_and_fills_the_circle_later():
    wide, narrow = (particles.state_at(simulate(start_angles(), balance=0.5, t=t, steps=60))["uniformity"] for t in (2.0, 50.0))
    assert wide < narrow - 0.2


@pytest.mark.parametrize(("name", "value"), [("balance", 1.2), ("t", 0.0), ("steps", -1)])
def test_wrong_settings_of_the_particles_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is"):
        simulate(start_angles(), **{"balance": 0.5, name: value})


@pytest.mark.parametrize("explorable", [Circle(), Particles()], ids=lambda e: type(e).__name__)
def test_the_page_is_small_offline_and_accessible(explorable):
    text = explorable.html("here")
    assert len(text) < 60_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    assert 'id="here"' in text
    assert "aria-live" in text
    assert "aria-label" in text
    assert text.count('type="range"') == 2
    assert "Predict first" in text
    assert "currentColor" in text
    assert 'data-part="collapse"' in text
    ranges = re.findall(r"<input type=\"range\"[^>]*>", text)
    assert all("aria-label" in tag for tag in ranges)


@pytest.mark.parametrize("explorable", [Circle(), Particles()], ids=lambda e: type(e).__name__)
def test_the_poster_is_a_png_of_moderate_size(explorable):
    png = explorable.poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1000
    assert 200 < height < 400
    assert len(png) < 90_000


def test_scripts_stay_short_and_particles_keep_still_for_those_who_asked():
    for path in WEB.glob("*.js"):
        assert path.stat().st_size < 15_000
    assert "prefers-reduced-motion" in (WEB / "particles.js").read_text("utf-8")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    code = (WEB / "circle.js").read_text("utf-8") + (WEB / "particles.js").read_text("utf-8")
    cloud = start_angles().tolist()
    ask = f"""
    let moved = {json.dumps(cloud)};
    for (let k = 0; k < 40; k++) moved = descend(moved, 0.4, 3);
    console.log(JSON.stringify([stateAt({json.dumps(START)}, 3, 0.07), measure({json.dumps(cloud)}, 2), moved]));"""
    answer = subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60)
    state, metrics, moved = json.loads(answer.stdout)
    expected = state_at(START, anchor=3, temperature=0.07)
    for name in ("loss", "pull", "push", "net", "effective", "weights", "reaction", "twin"):
        np.testing.assert_allclose(state[name], expected[name], atol=1e-9)
    assert metrics == pytest.approx(particles.state_at(cloud))
    np.testing.assert_allclose(moved, simulate(cloud, balance=0.4, t=3.0, steps=40), atol=1e-9)


def test_the_live_version_repaints_in_place_with_core_widgets_only():
    box = Circle().live()
    *sliders, picture, words = box.children
    before = picture.value
    sliders[0].value = 0.05
    assert picture.value != before
    assert picture.value[:4] == b"\x89PNG"
    assert "temperature 0.05" in words.value
    sliders[1].value = 7
    assert "Point 7" in words.value
    moving = Particles().live()
    before = moving.children[-2].value
    moving.children[0].value = 1.0
    assert moving.children[-2].value != before
