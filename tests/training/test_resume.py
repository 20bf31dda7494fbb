"""A run that is really killed, by a signal that no program can catch, goes on as if nothing had happened."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from killable import made_run

from contrastive_lab.training import folder as disk
from contrastive_lab.training import prepare, train

SCRIPT = Path(__file__).with_name("killable.py")


def wait_for(condition, process, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < end, "the run made no progress"
        time.sleep(0.002)


def epochs_kept(folder):
    state = disk.read_checkpoint(folder)
    return 0 if state is None else state["epoch"]


@pytest.mark.parametrize(("method", "epochs"), [("mochi", 1), ("swav", 4)])
def test_a_killed_run_ends_with_the_same_bits(tmp_path, method, epochs):
    process = subprocess.Popen([sys.executable, str(SCRIPT), method, str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: epochs_kept(tmp_path) >= epochs, process)
    finally:
        process.kill()
        process.wait()
    kept = epochs_kept(tmp_path)
    assert epochs <= kept < 12
    whole, resumed = made_run(method, None), made_run(method, str(tmp_path))
    for name, value in whole.method.state_dict().items():
        assert torch.equal(resumed.method.state_dict()[name], value), name
    assert [row | {"seconds": 0} for row in resumed.history] == [row | {"seconds": 0} for row in whole.history]
    assert torch.equal(resumed.frames(), whole.frames())
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".unfinished")]


@pytest.mark.parametrize(("method", "step"), [("simclr", 2), ("simclr", 47), ("pixpro", 17), ("cacr", 17), ("hydra", 17)])
def test_optimiser_schedule_and_order_go_on_from_the_checkpoint(tmp_path, monkeypatch, method, step):
    """The same within one process, at chosen steps: everything the optimiser holds is compared too."""
    from contrastive_lab.methods import METHODS

    class Stopped(Exception):
        pass

    original = METHODS[method].after_update

    def stop(self, progress):
        original(self, progress)
        if progress.step == step:
            raise Stopped

    whole = made_run(method, str(tmp_path / "whole"))
    monkeypatch.setattr(METHODS[method], "after_update", stop)
    with pytest.raises(Stopped):
        made_run(method, str(tmp_path / "resumed"))
    assert epochs_kept(tmp_path / "resumed") == (step - 1) // 4
    monkeypatch.setattr(METHODS[method], "after_update", original)
    made_run(method, str(tmp_path / "resumed"))
    one, two = (disk.read_checkpoint(tmp_path / name) for name in ("whole", "resumed"))
    assert one["optimizer"]["param_groups"] == two["optimizer"]["param_groups"]
    for number, state in one["optimizer"]["state"].items():
        assert all(
            torch.equal(torch.as_tensor(value), torch.as_tensor(two["optimizer"]["state"][number][name])) for name, value in state.items()
        )
    weights = [(tmp_path / name / disk.WEIGHTS).read_bytes() for name in ("whole", "resumed")]
    assert weights[0] == weights[1]
    assert whole.state == "finished"


def test_other_images_of_the_same_name_and_number_are_another_run(images, made_settings, tmp_path):
    settings = made_settings(epochs=1)
    train(prepare(settings, images), images, settings, folder=tmp_path)
    other = dataclasses.replace(images, pixels=images.pixels.flip(0))
    with pytest.raises(ValueError, match=r"holds a run of other settings \(images\.fingerprint"):
        train(prepare(settings, other), other, settings, folder=tmp_path)


def test_a_run_that_was_kept_before_images_had_fingerprints_goes_on(images, made_settings, tmp_path):
    settings = made_settings(epochs=1)
    train(prepare(settings, images), images, settings, folder=tmp_path)
    state = json.loads((tmp_path / "run.json").read_text())
    del state["images"]["fingerprint"]
    (tmp_path / "run.json").write_text(json.dumps(state))
    assert train(prepare(settings, images), images, settings, folder=tmp_path).state == "finished"


def test_a_start_that_failed_does_not_claim_its_folder(images, made_settings, tmp_path):
    options = {"dim": 8, "hidden_dim": 8, "queue_length": 32}
    wrong = dataclasses.replace(made_settings(), method="moco", options={**options, "splits": 7})
    with pytest.raises(ValueError, match="splits"):
        train(prepare(wrong, images), images, wrong, folder=tmp_path)
    right = dataclasses.replace(wrong, options={**options, "splits": 8})
    assert train(prepare(right, images), images, right, folder=tmp_path).state == "finished"
