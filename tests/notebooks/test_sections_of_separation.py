"""The doors of notebook 07: every section named in its text opens in a fresh cache, in the smallest profile."""

import re
from pathlib import Path

import pytest

from contrastive_lab import lab
from contrastive_lab.methods import SepCLR

TEXT = Path(__file__).parents[2] / "notebooks" / "text" / "07_common_and_salient.py"
SECTIONS = sorted(set(re.findall(r'lab\.start\("([^"]+)"\)', TEXT.read_text("utf-8"))))


@pytest.fixture(autouse=True)
def _smoke(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("LAB_PROFILE", "smoke")
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path_factory.getbasetemp() / "doors"))  # one cache: the run is trained once


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(section, capsys):
    here = lab.start(section)
    assert "is ready" in capsys.readouterr().out
    if hasattr(here, "run"):
        assert isinstance(here.run.method, SepCLR)
    if hasattr(here, "train_images"):
        assert here.train_images.groups.bincount().tolist() == [256, 256]
