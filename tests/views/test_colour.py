"""Colour jitter and greyscale against torchvision's own operations, image by image."""

from itertools import permutations

import pytest
import torch
from scipy import stats
from torchvision.transforms import ColorJitter
from torchvision.transforms import functional as TF

from contrastive_lab.views.colour import greyscale, jitter, jitter_affine, shift_hue
from contrastive_lab.views.parameters import jitter_factors, random_order

OPERATIONS = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)
MILD, STRONG = (0.4, 0.4, 0.4, 0.1), (0.8, 0.8, 0.8, 0.2)


def pictures(count=96, size=12):
    """Eight-bit colours: noise, and as many with grey, black, white and equal channels, where hue has no or two meanings."""
    generator = torch.Generator().manual_seed(3)
    noise = torch.randint(0, 256, (count, 3, size, size), generator=generator)
    few = torch.randint(0, 2, (count, 3, size, size), generator=generator) * 255
    return torch.cat([noise, few]).float() / 255


def draw(count, strength, probability=1.0, seed=0):
    u = torch.rand(count, 9, generator=torch.Generator().manual_seed(seed))
    return jitter_factors(u[:, :5], strength, probability), random_order(u[:, 5:])


def by_torchvision(images, factors, order):
    views = []
    for image, factor, steps in zip(images, factors.tolist(), order.tolist(), strict=True):
        for step in steps:
            image = OPERATIONS[step](image, factor[step])
        views.append(image)
    return torch.stack(views)


@pytest.mark.parametrize("strength", [MILD, STRONG])
def test_jitter_equals_torchvision(strength):
    images = pictures()
    factors, order = draw(len(images), strength)
    torch.testing.assert_close(jitter(images, factors, order), by_torchvision(images, factors, order), atol=5e-6, rtol=0)


def test_each_of_the_24_orders_equals_torchvision():
    order = torch.tensor(list(permutations(range(4))))
    images = pictures(12)
    factors = torch.tensor([1.7, 0.4, 1.8, 0.2]).expand(24, 4)
    expected = by_torchvision(images, factors, order)
    torch.testing.assert_close(jitter(images, factors, order), expected, atol=5e-6, rtol=0)
    assert (expected[0] - by_torchvision(images[:1], factors[:1], order[-1:])[0]).abs().max() > 0.1


def test_jitter_without_hue_leaves_hue_out_and_nothing_else():
    images = pictures()
    factors, order = draw(len(images), (0.8, 0.8, 0.8, 0.0))
    torch.testing.assert_close(jitter(images, factors, order, with_hue=False), by_torchvision(images, factors, order), atol=5e-6, rtol=0)


@pytest.mark.parametrize("form", [jitter, jitter_affine])
def test_neutral_factors_change_nothing(form):
    images = pictures()
    factors, order = draw(len(images), STRONG, probability=0.0)
    torch.testing.assert_close(form(images, factors, order), images, atol=2e-4, rtol=0)


def test_a_third_of_a_turn_makes_red_green():
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    turned = shift_hue(red, torch.tensor([1 / 3])).flatten()
    torch.testing.assert_close(turned, torch.tensor([0.0, 1.0, 0.0]), atol=1e-5, rtol=0)
    yiq = jitter_affine(red / 2, torch.tensor([[1.0, 1.0, 1.0, 1 / 3]]), torch.tensor([[0, 1, 2, 3]])).flatten()
    assert yiq.argmax() == 1


def test_fast_jitter_without_hue_is_exact_as_long_as_nothing_is_limited():
    images = 0.4 + 0.2 * pictures()
    factors, order = draw(len(images), (0.2, 0.2, 0.2, 0.0))
    torch.testing.assert_close(jitter_affine(images, factors, order), by_torchvision(images, factors, order), atol=2e-5, rtol=0)


def test_fast_jitter_is_near_on_mild_colours():
    """The error stays well below the change that the jitter makes."""
    generator = torch.Generator().manual_seed(0)
    images = (0.5 + 0.15 * torch.randn(100, 3, 8, 8, generator=generator)).clamp(0, 1)
    factors, order = draw(100, MILD)
    exact = by_torchvision(images, factors, order)
    error, change = (jitter_affine(images, factors, order) - exact).abs().mean(), (images - exact).abs().mean()
    assert error < 0.25 * change


def test_greyscale_equals_torchvision_on_the_chosen_images():
    images = pictures()
    chosen = torch.arange(len(images)) % 2 == 0
    views = greyscale(images, chosen)
    torch.testing.assert_close(views[chosen], TF.rgb_to_grayscale(images[chosen], 3))
    assert views[~chosen].equal(images[~chosen])


@pytest.mark.parametrize("strength", [MILD, (1.5, 0.2, 0.0, 0.5)])
def test_factors_are_distributed_as_in_torchvision(strength):
    torch.manual_seed(0)
    theirs = ColorJitter(*strength)
    ranges = theirs.brightness, theirs.contrast, theirs.saturation, theirs.hue
    drawn = [ColorJitter.get_params(*ranges) for _ in range(4000)]
    factors, _ = draw(20_000, strength)
    for column in range(4):
        if ranges[column] is None:  # torchvision skips the operation
            assert (factors[:, column] == (0 if column == 3 else 1)).all()
        else:
            assert stats.ks_2samp(factors[:, column], [row[column + 1] for row in drawn]).pvalue > 0.001


def test_share_of_jittered_images():
    factors, _ = draw(20_000, MILD, probability=0.8)
    touched = int((factors != torch.tensor([1.0, 1.0, 1.0, 0.0])).any(dim=1).sum())
    assert stats.binomtest(touched, 20_000, 0.8).pvalue > 0.001


def test_all_orders_are_equally_likely_and_drawn_for_each_image():
    _, order = draw(24_000, MILD)
    assert order.sort(dim=1).values.equal(torch.arange(4).expand(24_000, 4))
    _, counts = (order * torch.tensor([64, 16, 4, 1])).sum(dim=1).unique(return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 0.001
