"""What the doors of notebooks 04 and 08 hand over, in the smallest profile."""

import pytest
import torch

from contrastive_lab import lab
from contrastive_lab.lab.sections import n08

pytestmark = pytest.mark.usefixtures("one_cache")


def test_mixtures_keep_the_proportions_of_the_recipe():
    here = lab.start("04-mochi")
    options = here.mochi_settings.options
    assert options["queue_length"] == here.settings.options["queue_length"] < len(here.train_images)
    assert options["n_hard"] == options["s"] == options["queue_length"] // 16
    assert options["warmup_epochs"] < here.mochi_settings.epochs


def test_nine_classes_are_three_colours_by_three_shapes():
    images = n08.nine_classes("train", 400)
    assert len(images.classes) == 9
    assert images.classes[:3] == ("red circle", "red square", "red cross")
    assert images.labels.unique().tolist() == list(range(9))
    # The class number says colour and shape, in the order of the scenes' own names.
    assert torch.equal(
        images.labels // 3, torch.tensor([n08.COLOURS.index(["red", "green", "blue"][c]) for c in images.factors["colour"].tolist()])
    )
