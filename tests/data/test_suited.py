"""Groups and captions for sets that have neither."""

import dataclasses

import pytest
import torch

from contrastive_lab import data
from contrastive_lab.data.suited import TEMPLATES


@pytest.fixture
def plain():
    labels = torch.arange(12) % 3
    pixels = torch.full((12, 3, 32, 32), 100, dtype=torch.uint8)
    return data.Images(pixels=pixels, name="plain", labels=labels, classes=("cat", "dog", "ship"), source="made for a test")


def test_nothing_changes_where_nothing_is_missing(plain):
    assert data.suited(plain, ()) is plain
    assert data.suited(plain, {"labels", "boxes"}) is plain
    scenes = data.load("scenes", count=4)
    assert data.suited(scenes, {"captions"}) is scenes


def test_groups_are_half_and_half_in_each_class_and_only_targets_carry_a_digit(plain):
    made = data.suited(plain, {"groups"})
    assert len(made) == len(plain)
    for label in range(3):
        assert made.groups[made.labels == label].bincount(minlength=2).tolist() == [2, 2]
    flat = made.pixels.flatten(1)
    assert torch.equal(flat.amax(1) == flat.amin(1), made.groups == 0), "a background is one grey, a target is not"
    assert "digits over made for a test" in made.source


def test_captions_name_the_class_of_the_image(plain):
    made = data.suited(plain, {"captions"})
    assert made.captions[1] == tuple(template.format("dog") for template in TEMPLATES)
    assert made.captions[1] == made.captions[4]
    assert "names of their classes" in made.source
    assert torch.equal(made.pixels, plain.pixels)


def test_images_without_classes_stay_without_captions(plain):
    nameless = dataclasses.replace(plain, labels=None, classes=())
    assert data.suited(nameless, {"captions"}).captions is None
