"""The gap's arithmetic in the plane, the shipped table, the toy on the sphere, and that the page computes what Python computes."""

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_lab import measures
from contrastive_lab.explorables import ModalityGap, gap_states, modality_gap, table
from contrastive_lab.explorables.gap_states import SHARES, gather_run, measure_pair, shipped, slide
from contrastive_lab.explorables.modality_gap import best_tilt, state_at, toy_loss, toy_points
from contrastive_lab.methods import clip_loss

WEB = Path(modality_gap.__file__).parent / "web"


def made_pair(offset=1.0, count=60, dim=8, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, dim, generator=draw)
    shift = torch.zeros(dim)
    shift[0] = offset
    return x + shift, x + 0.3 * torch.randn(count, dim, generator=draw) - shift


@pytest.fixture(scope="module")
def run():
    states = {tau: {epoch: measure_pair(*made_pair(2 - epoch * tau), points=30) for epoch in (0, 1)} for tau in (0.1, 1.0)}
    return gather_run("made up", ("one", "other"), states, count=60)


def every_state():
    for run in shipped().values():
        for tau in run.temperatures:
            for epoch in run.epochs:
                for share in SHARES:
                    yield state_at(run, temperature=tau, epoch=epoch, share=share)


def test_alignment_is_never_below_the_squared_gap_and_the_rest_is_what_is_left():
    for state in every_state():
        assert state["gap"] ** 2 <= state["alignment"] + 1e-3
        assert state["rest"] == pytest.approx(state["alignment"] - state["gap"] ** 2)
        assert np.linalg.norm(np.concatenate([state["x"], state["y"]]), axis=1).max() <= 1 + 1e-3
        assert 0 <= state["recall"] <= 1


def test_closing_by_hand_closes_the_gap_and_pushing_apart_widens_it():
    for run in shipped().values():
        for tau in run.temperatures:
            for epoch in run.epochs:
                wide, still, closed = (state_at(run, temperature=tau, epoch=epoch, share=share)["gap"] for share in (-0.5, 0.0, 1.0))
                assert wide > still > closed
                # Renormalising bends cones of different width differently: what is left is small beside the gap, not zero.
                assert closed < 0.05 or closed < 0.35 * still


def test_before_training_all_temperatures_are_one_state_with_two_cones():
    for run in shipped().values():
        start = [state_at(run, temperature=tau, epoch=0) for tau in run.temperatures]
        assert all(np.allclose(one["x"], start[0]["x"], atol=1e-3) for one in start)
        cones = start[0]["cones"]
        assert start[0]["gap"] > 1
        assert min(cones) > 0.5
        assert start[0]["separability"] == pytest.approx(1.0, abs=1e-3)
        assert start[0]["gap"] ** 2 > 0.6 * start[0]["alignment"]


def test_training_at_a_higher_temperature_closes_more_of_the_gap_of_captions():
    run = shipped()["captions"]
    last = [state_at(run, temperature=tau, epoch=run.epochs[-1])["gap"] for tau in run.temperatures]
    assert last[0] > last[-1]


def test_what_is_measured_is_what_measures_say(run):
    x, y = made_pair(2.0)
    state = state_at(run, temperature=0.1, epoch=0)
    gap = measures.modality_gap(x, y)
    (closed,) = measures.shift_along_gap(x, y, [gap], sides="two")
    assert state["gap"] == pytest.approx(gap)
    assert state["alignment"] == pytest.approx(measures.alignment(x, y))
    assert state["cones"] == pytest.approx((measures.mean_cosine(x), measures.mean_cosine(y)))
    shut = state_at(run, temperature=0.1, epoch=0, share=1.0)
    assert shut["gap"] == pytest.approx(closed["gap"])
    assert shut["recall"] == pytest.approx((closed["recall_x_to_y@1"] + closed["recall_y_to_x@1"]) / 2)
    assert state["floor"] == pytest.approx(measures.gap_noise_floor(60, 60))


def test_points_in_the_plane_slide_as_their_vectors_do(run):
    x, y = (torch.nn.functional.normalize(z.double(), dim=1) for z in made_pair(2.0))
    offset = x.mean(0) - y.mean(0)
    axis = offset / offset.norm()
    moved = torch.nn.functional.normalize(x - 0.4 * offset.norm() / 2 * axis, dim=1)
    state = state_at(run, temperature=0.1, epoch=0, share=0.4)
    np.testing.assert_allclose(state["x"][:, 0], (moved @ axis)[:30].numpy(), atol=1e-9)
    np.testing.assert_allclose(slide(np.array([[0.6, 0.8]]), 0.6), [[0.0, 1.0]])


def test_a_table_comes_back(run, tmp_path):
    size = gap_states.save(tmp_path / "gap.npz", {"made": run}, {"command": "none", "seed": 0})
    assert size < 60_000
    again = gap_states.load(table.load((tmp_path / "gap.npz").read_bytes()))["made"]
    assert (again.title, again.names, again.temperatures, again.epochs) == (run.title, run.names, run.temperatures, run.epochs)
    for part in ("plane", "numbers", "sweep"):
        np.testing.assert_allclose(getattr(again, part), getattr(run, part), atol=1e-4)


@pytest.mark.parametrize("value", [{"temperature": 0.3}, {"epoch": 7}, {"share": 0.05}])
def test_states_that_are_not_in_the_table_are_refused(run, value):
    with pytest.raises(ValueError, match=f"{next(iter(value))} is"):
        state_at(run, **{"temperature": 0.1, "epoch": 0} | value)


def test_the_toy_is_clip_loss_and_the_worked_numbers():
    images, texts = (torch.from_numpy(z) for z in toy_points(30))
    assert toy_loss(30, 50) == pytest.approx(clip_loss(images, texts, temperature=1 / 50).item())
    assert [round(toy_loss(tilt, 50), 3) for tilt in (0, 30, 60)] == [1.083, 0.985, 0.816]
    assert [round(toy_loss(tilt, 5), 3) for tilt in (0, 30)] == [1.095, 1.139]


def test_the_toy_prefers_a_gap_at_small_temperatures_only_and_only_with_false_pairs():
    assert [best_tilt(scale) for scale in (1, 5)] == [0, 0]
    assert all(30 < best_tilt(scale) < 85 for scale in (35, 50, 100))
    assert {best_tilt(scale, exchanged=False) for scale in (1, 5, 35, 50, 100)} == {0}


def test_in_the_toy_a_tilt_is_a_higher_temperature_and_nothing_else():
    for tilt in (20, 60):
        assert toy_loss(tilt, 50) == pytest.approx(toy_loss(0, 50 * np.cos(np.radians(tilt))))
    scales = [scale * np.cos(np.radians(best_tilt(scale))) for scale in (35, 50, 100)]
    assert max(scales) - min(scales) < 1


@pytest.mark.parametrize("call", [lambda: toy_loss(-1, 5), lambda: toy_loss(10, 0)])
def test_the_toy_refuses_what_cannot_be(call):
    with pytest.raises(ValueError, match=r"is -1|is 0"):
        call()


def test_the_page_is_small_offline_and_accessible(run):
    text = ModalityGap(own=run).html("here")
    assert len(text) < 300_000
    assert not re.search(r"https?://|//cdn|<link|import\(", text)
    assert 'id="here"' in text
    assert text.count('type="range"') == 5
    assert "aria-live" in text
    assert "Predict first" in text
    assert "prefers-reduced-motion" in text
    assert 'data-part="collapse"' in text
    assert 'data-part="run-own"' in text
    assert all("aria-label" in tag for tag in re.findall(r"<input type=\"range\"[^>]*>", text))


def test_the_poster_and_the_live_picture_are_pngs(run):
    png = ModalityGap().poster()
    width, height = struct.unpack(">II", png[16:24])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < width < 1100
    assert 200 < height < 400
    assert len(png) < 90_000
    box = ModalityGap(own=run).live()
    *sliders, picture, words = box.children
    before = picture.value
    sliders[2].value = 1.0
    assert picture.value != before
    assert "100% of the gap closed" in words.value
    assert "made up" in words.value


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's arithmetic can't be run here")
def test_the_page_computes_what_python_computes():
    code = (WEB / "modality_gap.js").read_text("utf-8")
    ask = """console.log(JSON.stringify([slide(0.3, -0.5, 0.4), toyLoss([-20, 0, 20, 40, 60, 80], 30, 50, true)]));"""
    answer = subprocess.run(["node", "-e", code + ask], capture_output=True, text=True, check=True, timeout=60)
    moved, loss = json.loads(answer.stdout)
    np.testing.assert_allclose(moved, slide(np.array([0.3, -0.5]), 0.4))
    assert loss == pytest.approx(toy_loss(30, 50))
