"""What notebook 10 asks of pairs: embeddings over time, retrieval, one's own runs in the explorable."""

import dataclasses

import pytest
import torch

from contrastive_lab import measures
from contrastive_lab.data import scenes
from contrastive_lab.explorables import ModalityGap
from contrastive_lab.explorables.modality_gap import state_at
from contrastive_lab.lab.modalities import Pairs, embed_pairs, own_gap, pairs_at, recall
from contrastive_lab.methods import SimCLR, SketchCLIP
from contrastive_lab.networks import make_backbone
from contrastive_lab.training import Run, Settings, prepare, train


@pytest.fixture(scope="module")
def images():
    return scenes.load("test", preset="tiny", size=16)


def made_run(images, tau, folder=None):
    options = {"temperature": tau, "learn_temperature": False, "text_width": 8, "layers": 1, "heads": 2, "out_dim": 8}
    settings = Settings(method="clip", data="scenes", epochs=2, batch_size=32, width=2, image_size=16, device="cpu", options=options)
    return train(prepare(settings, images), images, settings, [Pairs(images)], folder=folder)


def test_frames_and_numbers_of_every_epoch_survive_on_disk(images, tmp_path):
    run = made_run(images, 0.07, tmp_path / "run")
    again = Run.load(tmp_path / "run")
    for one in (run, again):
        x, y = pairs_at(one)
        assert one.last("test gap") == pytest.approx(measures.modality_gap(x, y), abs=1e-3)
        assert one.last("recall") == pytest.approx(recall(x, y), abs=0.05)
        assert len(one.column("image cone")[0]) == 3
    close = torch.testing.assert_close
    close(torch.stack(embed_pairs(run.method, images)), torch.stack(pairs_at(run)), atol=2e-3, rtol=0)


def test_own_runs_become_a_layer_of_the_explorable(images):
    runs = {tau: made_run(images, tau) for tau in (0.05, 0.5)}
    mine = own_gap(runs)
    assert (mine.temperatures, mine.epochs, mine.count) == ((0.05, 0.5), (0, 1, 2), len(images))
    assert state_at(mine, temperature=0.05, epoch=2)["gap"] == pytest.approx(runs[0.05].last("test gap"), abs=1e-3)
    assert "your runs" in ModalityGap(own=mine).html()
    runs[0.5].snapshots.pop()
    with pytest.raises(ValueError, match="kept different epochs"):
        own_gap(runs)


def test_recall_counts_both_directions_and_ties_as_not_found():
    x = torch.eye(4)
    assert recall(x, x) == 1.0
    assert recall(x, torch.ones(4, 4)) == 0.0
    assert recall(x, x[[1, 0, 2, 3]]) == 0.5


def test_sketches_are_partners_too_and_one_encoder_is_refused(images):
    sketcher = SketchCLIP.build(lambda: make_backbone(width=2, image_size=16), out_dim=8)
    x, y = embed_pairs(sketcher, images)
    assert x.shape == y.shape == (len(images), 8)
    with pytest.raises(ValueError, match="have no captions"):
        embed_pairs(made_run(images, 0.07).method, dataclasses.replace(images, captions=None))
    with pytest.raises(TypeError, match="method is SimCLR"):
        embed_pairs(SimCLR.build(lambda: make_backbone(width=2, image_size=16)), images)
