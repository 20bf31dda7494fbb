"""Two processes that hold half of a batch each compute what one process computes from the whole."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from two_processes import CASES, pieces, scores, trained, without_norm

from contrastive_lab.gather import gather, world_size
from contrastive_lab.methods import METHODS, sinkhorn, swav_loss
from contrastive_lab.networks import make_backbone

SCRIPT = Path(__file__).with_name("two_processes.py")


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What `torchrun` with two processes on this machine wrote."""
    file = tmp_path_factory.mktemp("two") / "results.pt"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(file)],
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "test"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    return torch.load(file, weights_only=True)


def test_one_process_gathers_its_own_rows():
    rows = torch.ones(2, 3, requires_grad=True)
    assert world_size() == 1
    assert gather(rows) is rows


def test_rows_are_stacked_by_rank(together):
    assert torch.equal(together["gather"]["rows"], pieces()[0])
    assert together["gather"]["dtype"] == "torch.bfloat16"


def test_gradients_are_summed_over_processes_and_each_keeps_its_rows(together):
    assert together["gather"]["gradient"].tolist() == [[2.0] * 3, [20.0] * 3]


def test_every_method_is_tried():
    assert {name for name, _, _ in CASES.values()} == METHODS.keys()


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one_does(together, case):
    """Loss of every step and everything a method keeps. The losses of SwAV and PixPro are means over the images of a process."""
    weights, losses = trained(case, 1)
    assert together[case]["losses"] == pytest.approx(losses, rel=1e-4, abs=1e-5)
    assert len(losses) == 8
    for key, value in weights.items():
        found = together[case]["weights"][key]
        torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-5, msg=lambda text, key=key: f"{key}: {text}")


def test_processes_balance_their_codes_together(together):
    one, two = scores()
    found = together["balance"]
    torch.testing.assert_close(found["codes"], sinkhorn(one))
    assert (found["alone"] - sinkhorn(one)).abs().max() > 0.01
    torch.testing.assert_close(found["loss"], swav_loss([one, two]))


def test_training_moved_the_weights(together):
    torch.manual_seed(0)
    start = without_norm(make_backbone(width=4, image_size=16)).state_dict()
    end = together["simclr"]["weights"]
    assert all(not torch.equal(end[f"encoder.{name}"], value) for name, value in start.items())
