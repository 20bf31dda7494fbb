"""The runs of notebook 09: enough images for the ranks it prints, arms that differ in what they say they do."""

import warnings

import pytest
import torch

from contrastive_lab import lab, measures
from contrastive_lab.lab.sections import n09


@pytest.mark.parametrize("profile", ["smoke", "laptop", "full"])
def test_there_are_four_images_for_each_dimension_in_every_profile(profile, monkeypatch):
    monkeypatch.setenv("LAB_PROFILE", profile)
    settings = n09.settings_for("alignment only")
    test_images = {"smoke": 256, "laptop": 600, "full": 2000}[profile]
    assert test_images >= 4 * settings.options["out_dim"]
    assert test_images >= 4 * 8 * settings.width


def test_one_arm_has_the_large_temperature():
    assert [n09.settings_for(arm).options["temperature"] for arm in n09.ARMS] == [0.2, 2.0, 0.2, 0.2]


def test_the_toy_cloud_falls_like_one_over_the_rank(capsys):
    cloud = lab.start("09-ranks").cloud
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = measures.spectrum(cloud)
    expected = 1 / torch.arange(1, 33, dtype=torch.float64)
    torch.testing.assert_close(values, expected, rtol=0.15, atol=0)
    assert "09-ranks is ready" in capsys.readouterr().out
