"""A shipped run opens as what was trained, and damage is noticed."""

import importlib
import json
import shutil

import pytest
import torch
from tiny_run import made_run

from contrastive_lab import runs


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    run, images = made_run("moco")
    card = {"settings": json.loads(run.settings.to_json()), "data": {"name": "scenes"}, "measured": {"knn": 0.5}, "train_seconds": 3.0}
    card |= {"environment": {"device": "CPU"}, "command": "python benchmarks/runs.py scenes"}
    runs.ship(run, folder / "tiny", card, labels=images.labels)
    return run, images, folder


def test_a_shipped_run_gives_its_method_back(shipped):
    run, images, folder = shipped
    found = runs.open_run("tiny", folder=folder)
    assert runs.available(folder) == ["tiny"]
    with torch.no_grad():
        torch.testing.assert_close(
            found.method().represent(images.as_float()), run.method.eval().represent(images.as_float()), atol=2e-2, rtol=2e-2
        )
    assert "remade" not in str(found)
    assert "benchmarks/runs.py" in str(found)


def test_history_and_path_follow_the_run(shipped):
    run, images, folder = shipped
    found = runs.open_run("tiny", folder=folder)
    epochs, values = found.column("knn")
    assert values == pytest.approx(run.column("knn")[1], rel=1e-4)
    frames, places, labels = found.path
    assert places.shape == (len(frames), len(images), 2)
    assert frames[0] == 0
    assert frames[-1] == epochs[-1] == run.settings.epochs
    assert torch.equal(labels, images.labels)
    assert float(places.abs().max()) > 0
    with pytest.raises(ValueError, match="has no 'nonsense'"):
        found.column("nonsense")


def test_only_what_an_encoder_needs_travels(shipped):
    _, _, folder = shipped
    names = runs.open_run("tiny", folder=folder)._tensors("weights.safetensors")
    assert not [name for name in names if name.startswith(("twin", "queue"))]
    assert all(value.dtype in (torch.float16, torch.int64) for value in names.values())


def test_damage_is_noticed(shipped, tmp_path):
    _, _, folder = shipped
    shutil.copytree(folder / "tiny", tmp_path / "tiny")
    weights = tmp_path / "tiny" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ValueError, match="md5"):
        runs.open_run("tiny", folder=tmp_path).method()


def test_unknown_names_are_answered_with_known_ones(shipped):
    with pytest.raises(ValueError, match="'tiny'"):
        runs.open_run("large", folder=shipped[2])


def test_heavy_weights_do_not_travel(shipped, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.import_module("contrastive_lab.runs.ship"), "LARGEST", 1000)
    with pytest.raises(ValueError, match="smaller width"):
        runs.ship(shipped[0], tmp_path / "x", {})


@pytest.mark.parametrize("name", runs.available())
def test_every_run_of_the_package_opens(name):
    found = runs.open_run(name)
    method = found.method()
    size = found.settings.image_size
    with torch.no_grad():
        assert method.represent(torch.zeros(2, 3, size, size)).isfinite().all()
    assert found.path[1].isfinite().all()
    assert found.card["command"].startswith("python benchmarks/")
