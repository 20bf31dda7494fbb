import dataclasses

import pytest
import torch

from contrastive_lab.training.batches import draw, epoch_indices, seed_for, steps_per_epoch, view_generator
from contrastive_lab.views import Batch


def still(pixels, *, generator=None):
    view = pixels.float() / 255
    boxes = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(len(pixels), 4)
    return Batch(views=(view, view + torch.rand((), generator=generator)), boxes=(boxes, boxes))


def test_an_epoch_sees_every_image_once_but_for_the_incomplete_batch(images, made_settings):
    settings = made_settings(batch_size=15)
    steps = list(epoch_indices(images, settings, 0))
    assert [len(step) for step in steps] == [15] * 4
    assert len(torch.cat(steps).unique()) == 60


def test_every_epoch_has_its_own_order_and_repeats_it(images, made_settings):
    settings = made_settings()
    first, again, second = (torch.cat(list(epoch_indices(images, settings, epoch))) for epoch in (0, 0, 1))
    other = torch.cat(list(epoch_indices(images, dataclasses.replace(settings, seed=4), 0)))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_processes_share_each_batch_in_equal_slices(images, made_settings):
    one = list(epoch_indices(images, made_settings(), 0))
    shares = [list(epoch_indices(images, made_settings(devices=2), 0, rank=rank)) for rank in (0, 1)]
    for whole, left, right in zip(one, *shares, strict=True):
        assert torch.equal(whole, torch.cat([left, right]))


def test_seeds_differ_by_purpose_epoch_and_process_and_never_change():
    seeds = [seed_for(0, epoch, purpose, rank) for epoch in (0, 1) for purpose in ("order", "views") for rank in (0, 1)]
    assert len(set(seeds)) == 8
    assert seed_for(0, 0, "order") == 6713679890297296649


def test_a_batch_carries_what_is_known_about_its_images(images, made_settings):
    captioned = dataclasses.replace(
        images, captions=tuple((f"image {i}",) for i in range(len(images))), groups=torch.arange(len(images)) % 2
    )
    index = torch.tensor([5, 2])
    batch = draw(captioned, index, still, view_generator(images, made_settings(), 0), captions=True)
    assert torch.equal(batch.index, index)
    assert batch.labels.tolist() == [1, 2]
    assert batch.groups.tolist() == [1, 0]
    assert batch.captions == (("image 5",), ("image 2",))
    assert batch.views[0].is_contiguous(memory_format=torch.channels_last)
    assert draw(captioned, index, still, view_generator(images, made_settings(), 0)).captions is None


def test_a_batch_larger_than_the_set_is_refused_with_a_remedy(images, made_settings):
    with pytest.raises(ValueError, match="batch_size is 128, but the set 'noise' has 64 images; take batch_size=32"):
        steps_per_epoch(images, made_settings(batch_size=128))
