import pytest
import torch

from contrastive_lab.data import Images
from contrastive_lab.training import Settings


def made_images(count=64, size=16, classes=4):
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)
    return Images(pixels, "noise", labels=torch.arange(count) % classes, classes=tuple("abcdefgh"[:classes]))


def made_settings(method="simclr", **changes):
    usual = {"epochs": 2, "batch_size": 16, "width": 4, "image_size": 16, "device": "cpu", "seed": 3}
    options = {"hidden_dim": 8, "out_dim": 8} | changes.pop("options", {})
    return Settings(method=method, data="own", **(usual | changes), options=options)


@pytest.fixture
def images():
    return made_images()


@pytest.fixture(name="made_settings")
def settings_fixture():
    return made_settings
