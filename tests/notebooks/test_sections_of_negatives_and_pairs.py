"""The doors of notebooks 04 and 08: every section named in their text opens in a fresh cache, in the smallest profile."""

import re
from pathlib import Path

import pytest
import torch

from contrastive_lab import lab
from contrastive_lab.lab.sections import n04, n08

TEXT = Path(__file__).parents[2] / "notebooks" / "text"
NOTEBOOKS = {"04_hard_negatives": n04, "08_arbitrary_pairs": n08}


@pytest.fixture(autouse=True)
def _smoke(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("LAB_PROFILE", "smoke")
    monkeypatch.setenv("CONTRASTIVE_LAB_CACHE", str(tmp_path_factory.getbasetemp() / "doors"))  # one cache: each run is trained once


def named(notebook):
    return sorted(set(re.findall(r'lab\.start\("([^"]+)"\)', (TEXT / f"{notebook}.py").read_text("utf-8"))))


@pytest.mark.parametrize("section", [name for notebook in NOTEBOOKS for name in named(notebook)])
def test_every_section_opens(section, capsys):
    here = lab.start(section)
    assert "is ready" in capsys.readouterr().out
    if hasattr(here, "run"):
        assert here.run.state == "finished"


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
