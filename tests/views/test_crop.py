"""Crops against torchvision's own crop, resize and mirror; boxes against hand-computed corners."""

import pytest
import torch
from scipy import stats
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms import functional as TF

from contrastive_lab.views import Augmentation, crop_box
from contrastive_lab.views.crop import crop_boxes, crop_by_filter, crop_by_sampling, triangle_filter
from contrastive_lab.views.parameters import TRIES, crops

FULL, SHAPES = (0.08, 1.0), (3 / 4, 4 / 3)


def source(height=32, width=32, count=40):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def draw(count, image_size, scale=FULL, ratio=SHAPES, seed=0):
    return crops(torch.rand(count, 2 * TRIES + 2, generator=torch.Generator().manual_seed(seed)), image_size, scale, ratio)


def by_torchvision(images, crop, flip, size):
    views = []
    for image, (top, left, height, width), mirrored in zip(images, crop.tolist(), flip.tolist(), strict=True):
        view = TF.resized_crop(image, top, left, height, width, [size, size], antialias=True)
        views.append(TF.hflip(view) if mirrored else view)
    return torch.stack(views)


@pytest.mark.parametrize(("height", "width", "size"), [(32, 32, 32), (24, 32, 40), (32, 32, 48)])
def test_sampling_equals_torchvision_where_no_crop_shrinks(height, width, size):
    images, crop = source(height, width), draw(40, (height, width))
    flip = torch.arange(40) % 2 == 0
    torch.testing.assert_close(crop_by_sampling(images, crop, flip, size), by_torchvision(images, crop, flip, size), atol=5e-6, rtol=0)


@pytest.mark.parametrize(("height", "width", "size"), [(32, 32, 32), (32, 32, 18), (96, 96, 36), (40, 64, 48), (20, 20, 1), (1, 1, 5)])
def test_filter_equals_antialiased_torchvision_at_every_size(height, width, size):
    images, crop = source(height, width), draw(40, (height, width))
    flip = torch.arange(40) % 3 == 0
    torch.testing.assert_close(crop_by_filter(images, crop, flip, size), by_torchvision(images, crop, flip, size), atol=5e-6, rtol=0)


def test_looking_up_points_would_alias_where_a_crop_shrinks():
    images, crop = source(96, 96), draw(40, (96, 96), scale=(0.5, 1.0))
    flip = torch.zeros(40, dtype=torch.bool)
    gap = crop_by_sampling(images, crop, flip, 36) - crop_by_filter(images, crop, flip, 36)
    assert gap.abs().max() > 0.1


def test_nothing_bleeds_in_from_outside_the_crop():
    images = torch.zeros(1, 3, 16, 16)
    images[:, :, 4:8, 4:8] = 1
    crop, flip = torch.tensor([[4, 4, 4, 4]]), torch.tensor([False])
    for resize in (crop_by_sampling, crop_by_filter):
        torch.testing.assert_close(resize(images, crop, flip, 16), torch.ones(1, 3, 16, 16))


def test_a_crop_of_two_pixels_shown_with_four():
    images = torch.tensor([0.0, 1.0]).expand(1, 3, 2, 2)
    view = crop_by_filter(images, torch.tensor([[0, 0, 2, 2]]), torch.tensor([True]), 4)
    torch.testing.assert_close(view[0, 0, 0], torch.tensor([1.0, 0.75, 0.25, 0.0]))


def test_filter_rows_sum_to_one_and_stay_inside_the_crop():
    weight = triangle_filter(torch.tensor([3.0]), torch.tensor([5.0]), torch.tensor([False]), 12, 4)
    torch.testing.assert_close(weight.sum(-1), torch.ones(1, 4))
    assert weight[:, :, :3].count_nonzero() == 0
    assert weight[:, :, 8:].count_nonzero() == 0


@pytest.mark.parametrize(
    ("image_size", "scale", "ratio"),
    [((32, 32), FULL, SHAPES), ((96, 96), (0.2, 1.0), SHAPES), ((64, 30), (0.3, 0.9), SHAPES), ((20, 80), (0.5, 1.0), (0.5, 2.0))],
)
def test_crops_are_distributed_as_in_torchvision(image_size, scale, ratio):
    torch.manual_seed(0)
    image = torch.zeros(3, *image_size)
    theirs = torch.tensor([RandomResizedCrop.get_params(image, list(scale), list(ratio)) for _ in range(4000)])
    ours = draw(20_000, image_size, scale, ratio)
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001
    # the corner depends on the size of the crop, so the far edges are compared as well
    for start, length in ((0, 2), (1, 3)):
        assert stats.ks_2samp(ours[:, start] + ours[:, length], theirs[:, start] + theirs[:, length]).pvalue > 0.001


@pytest.mark.parametrize("image_size", [(8, 100), (100, 8), (32, 32)])
def test_the_way_out_when_no_try_fits_is_torchvisions(image_size):
    ratio = (1.0, 1.0) if image_size[0] != image_size[1] else (3.0, 4.0)
    expected = RandomResizedCrop.get_params(torch.zeros(3, *image_size), [1.0, 1.0], list(ratio))
    assert draw(5, image_size, scale=(1.0, 1.0), ratio=ratio).tolist() == [list(expected)] * 5


def test_first_fitting_try_is_taken():
    u = torch.full((1, 2 * TRIES + 2), 0.5)
    u[0, 0], u[0, TRIES] = 1.0, 1.0  # whole area at ratio 4: too wide
    u[0, 1] = 0.0  # a quarter of the area at ratio 1
    assert crops(u, (32, 32), (0.25, 1.0), (0.25, 4.0)).tolist() == [[8, 8, 16, 16]]


def test_crops_stay_inside_the_image():
    top, left, height, width = draw(20_000, (17, 23), scale=(0.001, 1.0)).unbind(1)
    assert min(top.min(), left.min()) == 0
    assert min(height.min(), width.min()) >= 1
    assert (top + height).max() == 17
    assert (left + width).max() == 23


def test_whole_image_is_returned_unchanged():
    images = source()
    crop = draw(40, (32, 32), scale=(1.0, 1.0), ratio=(1.0, 1.0))
    for resize in (crop_by_sampling, crop_by_filter):
        torch.testing.assert_close(resize(images, crop, torch.zeros(40, dtype=torch.bool), 32), images)


def test_boxes_by_hand():
    crop = torch.tensor([[4, 8, 16, 12], [4, 8, 16, 12]])
    boxes = crop_boxes(crop, torch.tensor([False, True]), (32, 40))
    expected = torch.tensor([[0.2, 0.125, 0.5, 0.625], [0.5, 0.125, 0.2, 0.625]])
    torch.testing.assert_close(boxes, expected)
    for box, mirrored in zip(boxes, (False, True), strict=True):
        torch.testing.assert_close(crop_box(top=4, left=8, height=16, width=12, image_size=(32, 40), hflip=mirrored), box)
    upside_down = crop_box(top=0, left=0, height=16, width=8, image_size=32, vflip=True)
    torch.testing.assert_close(upside_down, torch.tensor([0.0, 0.5, 0.25, 0.0]))


def test_ramp_image_shows_the_coordinates_of_its_box():
    """A view of an image whose colours are its coordinates must show what the box says, also when mirrored."""
    line = (torch.arange(64) + 0.5) / 64
    ramp = torch.stack([line.expand(64, 64), line[:, None].expand(64, 64), torch.zeros(64, 64)]).expand(50, 3, 64, 64)
    augmentation = Augmentation(size=16, scale=(0.3, 1.0), jitter_p=0.0, grey=0.0)
    parameters = augmentation.draw(50, (64, 64), generator=torch.Generator().manual_seed(0))
    x1, y1, x2, y2 = crop_boxes(parameters.crop, parameters.flip, (64, 64)).unbind(1)
    view = crop_by_filter(ramp, parameters.crop, parameters.flip, 16)
    cell = (torch.arange(16) + 0.5) / 16
    expected_x, expected_y = x1[:, None] + cell * (x2 - x1)[:, None], y1[:, None] + cell * (y2 - y1)[:, None]
    inner = slice(2, -2)  # at its border the triangle filter is cut off and leans inwards
    torch.testing.assert_close(view[:, 0, 8, inner], expected_x[:, inner], atol=1e-3, rtol=0)
    torch.testing.assert_close(view[:, 1, inner, 8], expected_y[:, inner], atol=1e-3, rtol=0)
    assert parameters.flip.any()
    assert (x1 > x2).equal(parameters.flip)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"height": 0}, "height is 0"), ({"width": -2}, "width -2"), ({"left": 30}, "leaves the image"), ({"top": -1}, "leaves the image")],
)
def test_impossible_boxes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        crop_box(**{"top": 0, "left": 0, "height": 8, "width": 8, "image_size": 32} | change)
