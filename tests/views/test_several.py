"""Two, many and multi-resolution views of each image."""

from dataclasses import replace

import pytest
import torch

from contrastive_lab.views import Augmentation, Batch, ManyViews, MultiCrop, TwoCropsWithBoxes, TwoViews

MILD = Augmentation(size=16, scale=(0.3, 1.0))


def pixels(count=12, size=24):
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def make(views, seed=0):
    return views(pixels(), generator=torch.Generator().manual_seed(seed))


def test_two_views_differ_and_come_with_their_boxes():
    batch = make(TwoViews(MILD))
    assert isinstance(batch, Batch)
    assert [view.shape for view in batch.views] == [(12, 3, 16, 16)] * 2
    assert [box.shape for box in batch.boxes] == [(12, 4)] * 2
    assert not batch.boxes[0].equal(batch.boxes[1])
    assert len(batch) == 12


def test_the_second_view_may_be_of_another_kind():
    batch = make(TwoCropsWithBoxes(MILD, replace(MILD, grey=1.0)))
    colourful = [(view[:, 0] - view[:, 1]).abs().max() for view in batch.views]
    assert colourful[0] > 0.1
    assert colourful[1] < 1e-5


def test_the_first_views_do_not_depend_on_the_number_of_views():
    many = make(ManyViews(MILD, 5))
    assert len(many.views) == len(many.boxes) == 5
    for one, other in zip(many.views, make(TwoViews(MILD)).views, strict=False):
        assert one.equal(other)


def test_multi_crop_gives_large_crops_first():
    small = Augmentation(size=8, scale=(0.05, 0.3))
    batch = make(MultiCrop(MILD, small, n_large=2, n_small=3))
    assert [view.shape[-1] for view in batch.views] == [16, 16, 8, 8, 8]
    areas = [((x2 - x1).abs() * (y2 - y1)).mean() for x1, y1, x2, y2 in (box.unbind(1) for box in batch.boxes)]
    assert max(areas[2:]) < min(areas[:2])


def test_the_same_seed_gives_the_same_batch():
    views = MultiCrop(MILD, replace(MILD, size=8))
    for one, other in zip(make(views, 3).views, make(views, 3).views, strict=True):
        assert one.equal(other)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ManyViews(MILD, 0), "count is 0"),
        (lambda: MultiCrop(MILD, MILD, n_large=0), "n_large is 0"),
        (lambda: MultiCrop(MILD, MILD, n_small=-1), "n_small -1"),
    ],
)
def test_impossible_numbers_of_views_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("colour", ["exact", "fast"])
def test_a_gpu_makes_the_same_views_without_waiting_for_the_cpu(colour):
    augmentation = Augmentation(size=16, scale=(0.1, 1.0), blur=0.5, solarise=0.2, colour=colour)
    images = pixels(size=32)
    parameters = augmentation.draw(12, (32, 32), generator=torch.Generator().manual_seed(0))
    expected = augmentation.apply(images, parameters)
    on_gpu, there = images.cuda(), parameters.to("cuda")
    generator = torch.Generator("cuda").manual_seed(0)
    views = TwoViews(augmentation)
    views(on_gpu, generator=generator)
    torch.cuda.set_sync_debug_mode("error")
    try:
        again = views(on_gpu, generator=generator.manual_seed(0))
        made = augmentation.apply(on_gpu, there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert again.views[0].equal(views(on_gpu, generator=generator.manual_seed(0)).views[0])
    differs = (made.cpu() - expected).abs() > 1e-3
    assert differs.float().mean() < 1e-3
