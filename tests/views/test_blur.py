"""Blur and solarise against torchvision's own operations."""

import pytest
import torch
from torchvision.transforms import functional as TF

from contrastive_lab.views.blur import gaussian_blur, gaussian_weights, solarise


def pictures(size=16):
    return torch.rand(20, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("kernel", "size"), [(3, 16), (5, 16), (9, 32), (23, 32), (1, 4)])
def test_blur_equals_torchvision_for_each_sigma(kernel, size):
    images, sigma = pictures(size), torch.linspace(0.1, 2.0, 20)
    expected = torch.stack([TF.gaussian_blur(image, [kernel, kernel], [s, s]) for image, s in zip(images, sigma.tolist(), strict=True)])
    torch.testing.assert_close(gaussian_blur(images, sigma, kernel), expected, atol=2e-6, rtol=0)


def test_sigma_zero_leaves_the_image_as_it_is():
    images = pictures()
    sigma = torch.tensor([0.0, 2.0]).repeat(10)
    blurred = gaussian_blur(images, sigma, 5)
    assert blurred[::2].equal(images[::2])
    assert (blurred[1::2] - images[1::2]).abs().mean() > 0.05


def test_weights_by_hand():
    weights = gaussian_weights(torch.tensor([1.0]), 3)
    side = torch.tensor(-0.5).exp()
    torch.testing.assert_close(weights, torch.stack([side, torch.tensor(1.0), side])[None] / (1 + 2 * side))


def test_solarise_equals_torchvision_on_eight_bits():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    views = solarise(levels.float() / 255, torch.tensor([True, False]))
    expected = torch.stack([TF.solarize(levels[0], 128), levels[1]])
    assert (views * 255).round().to(torch.uint8).equal(expected)
