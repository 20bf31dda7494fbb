"""Locality joins the history, is blind where features carry nothing, and needs masks."""

import dataclasses

import pytest
import torch

from contrastive_lab.data import scenes
from contrastive_lab.methods import Method
from contrastive_lab.networks import Backbone
from contrastive_lab.training import Locality, Settings, prepare, train
from contrastive_lab.training.locality import map_locality, object_cells


@pytest.fixture(scope="module")
def masked():
    return scenes.load("test", count=24, two=0.0)


def test_locality_joins_the_history_at_epoch_ends(masked):
    settings = Settings.recommended("simclr", "scenes", epochs=2, batch_size=12, width=4, device="cpu")
    run = train(prepare(settings, masked), masked, settings, [Locality(masked, every=2, count=12)])
    epochs, values = run.column("locality")
    assert epochs == [0.0, 2.0]
    assert all(0 < value < 1 for value in values)


def test_equal_cells_are_blind_and_the_mask_itself_sees_all(masked):
    class Map(Backbone):
        def __init__(self, seen):
            super().__init__()
            self.seen = seen

        def feature_map(self, pixels):
            inside = object_cells(masked, (8, 8)).float() if self.seen else torch.ones(len(pixels), 8, 8)
            return torch.stack([inside, 1 - inside + (0 if self.seen else 1)], dim=1)

    def painted(seen):
        method = Method()
        method.anchor, method.encoder = torch.nn.Parameter(torch.zeros(())), Map(seen)
        return method

    assert map_locality(painted(False), masked) == pytest.approx(0.5)
    assert map_locality(painted(True), masked) == pytest.approx(1.0)


def test_images_without_masks_are_refused(masked):
    with pytest.raises(ValueError, match="have no masks"):
        Locality(dataclasses.replace(masked, masks=None))
