"""Scores of dense maps over images: perfect features score 1, blind ones one half; mosaics; the observer."""

import pytest
import torch

from contrastive_lab.data import scenes
from contrastive_lab.experiments import locality
from contrastive_lab.experiments.claims.dense import matched
from contrastive_lab.training import Settings, train
from contrastive_lab.training.locality import object_cells


@pytest.fixture(scope="module")
def images():
    return scenes.load("test", count=12, size=40, two=0.0)


def test_features_that_are_the_mask_are_perfect(images):
    inside = object_cells(images, (10, 10)).double()
    maps = torch.stack([inside, 1 - inside], dim=1)
    found = locality.scores(maps, images)
    assert found["auroc"] == found["iou"] == found["iou_fixed"] == found["pointing"] == found["seed"] == 1
    assert found["corloc"] > 80  # some objects fall into two parts on ten cells
    assert found["images"] == sum(1 < int(mask.sum()) < 100 for mask in inside)


def test_features_that_are_all_equal_are_blind(images):
    found = locality.scores(torch.ones(12, 3, 10, 10), images)
    assert found["auroc"] == 0.5
    assert found["corloc"] == 0


def test_scores_do_not_depend_on_the_length_of_cells_nor_on_a_rotation(images):
    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(12, 4, 10, 10, generator=draw, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=draw, dtype=torch.float64)).Q
    turned = 3 * torch.einsum("ij,njhw->nihw", turn, maps)
    one, two = locality.scores(maps, images), locality.scores(turned, images)
    assert one == pytest.approx(two)


def test_middle_and_box_of_a_mask_by_hand():
    mask = torch.zeros(4, 5, dtype=torch.bool)
    mask[1:4, 2:5] = True
    assert locality.middle(mask) == 2 * 5 + 3
    assert locality.bounding_box(mask, 4.0) == (8.0, 4.0, 20.0, 16.0)


def test_mosaics_hold_four_tiles_and_their_quadrants_are_the_truth(images):
    pieces = locality.mosaics(images, 3)
    assert pieces.pixels.shape == (3, 3, 80, 80)
    assert torch.equal(pieces.pixels[0, :, 40:, :40], images.pixels[2])
    assert pieces.masks[0, 0, 0] == 1
    assert pieces.masks[0, -1, -1] == 4
    quadrant = torch.nn.functional.one_hot(pieces.masks[:, ::8, ::8].long() - 1, 4).movedim(-1, 1).float()
    assert locality.mosaic_auroc(quadrant) == 1
    with pytest.raises(ValueError, match="tiles has 3"):
        locality.mosaics(images.take(slice(0, 3)), 1)


def test_the_observer_writes_into_the_history_from_the_untrained_network_on(images):
    settings = Settings.recommended("simclr", "scenes", width=2, image_size=40, batch_size=6, epochs=1)
    run = train(matched(settings, images), images, settings, [locality.watch(images)])
    epochs, values = run.column("auroc")
    assert epochs == [0, 1]
    assert all(0 < value < 1 for value in values)
