"""Picking modality 2: every kind trains, measures as the package does, lands on the shipped axes, and the widgets say what happens."""

import dataclasses

import pytest
import torch

from contrastive_lab import measures
from contrastive_lab.data import scenes
from contrastive_lab.explorables.modality_gap import state_at
from contrastive_lab.lab.modalities import embed_pairs
from contrastive_lab.lab.second_modality import KINDS, SecondModality, prepare_pair
from contrastive_lab.methods import CLIP, SketchCLIP


@pytest.fixture(scope="module")
def images():
    return scenes.load("train", preset="tiny", size=16, count=48)


def small(images, **changes):
    return SecondModality(images, images.take(slice(0, 24)), **{"epochs": 1, "width": 2} | changes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_two_encoders_and_starts_from_their_measures(images, kind):
    chosen = small(images)
    shares = []
    run = chosen.train(kind, 0.07, progress=shares.append)
    assert (run.temperatures, run.epochs, run.count) == ((0.07,), (0, 1), 24)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    fresh = prepare_pair(kind, chosen.settings(0.07), images)
    assert type(fresh) is (CLIP if kind == "captions" else SketchCLIP)
    gap = measures.modality_gap(*embed_pairs(fresh, chosen.probe))
    assert state_at(run, temperature=0.07, epoch=0)["gap"] == pytest.approx(gap, abs=1e-6)
    assert KINDS[kind] in chosen.describe(kind, 0.07)


def test_temperatures_of_one_kind_gather_in_one_layer_and_start_alike(images):
    chosen = small(images)
    chosen.train("sketch", 0.5)
    run = chosen.train("sketch", 0.02)
    assert run.temperatures == (0.02, 0.5)
    one, two = (state_at(run, temperature=tau, epoch=0)["gap"] for tau in run.temperatures)
    assert one == pytest.approx(two, abs=1e-6)


def test_without_captions_the_kind_is_not_offered(images):
    silent = dataclasses.replace(images, captions=None)
    chosen = small(silent)
    assert "captions" not in chosen.kinds
    with pytest.raises(ValueError, match="kind is 'captions'"):
        chosen.train("captions", 0.07)


def test_the_learner_picks_a_partner_trains_and_closes_the_gap(images):
    box = small(images).live()
    kind, heat, button, bar, picture, words, clouds = box.children
    assert [label for label, _ in kind.options] == list(KINDS.values())
    before = picture.value
    kind.value, heat.value = "blur", 0.2
    button.click()
    assert bar.value == 1
    assert not button.disabled
    assert picture.value[:4] == b"\x89PNG"
    assert picture.value != before
    assert "Yours, grey, blurred, temperature 0.2" in words.value
    assert "Shipped, scenes and sketches" in words.value
    *sliders, still, said = clouds.children[0].children
    unclosed = still.value
    sliders[2].value = 1.0
    assert still.value != unclosed
    assert "100% of the gap closed" in said.value


def test_what_goes_wrong_is_said_and_an_interrupted_training_keeps_nothing(images, monkeypatch):
    chosen = small(images)
    box = chosen.live()
    _, _, button, _, _, words, clouds = box.children

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.AdamW, "step", interrupt)
        button.click()
    assert "interrupted after 0 of 1 epochs" in words.value
    assert chosen.states == {}
    assert clouds.children == ()
    button.click()
    assert "Yours" in words.value
