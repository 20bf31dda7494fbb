"""The shipped table of Hydra's class relations is complete, says where it comes from, and its last matrix follows from its gates."""

import numpy as np
import pytest
import torch

from contrastive_lab.explorables import table
from contrastive_lab.methods import class_relations


@pytest.fixture(scope="module")
def kept():
    return table.read("hydra_relations")


def test_a_matrix_of_cosines_for_each_epoch_of_all_classes(kept):
    count = len(kept.about["classes"])
    assert kept["relations"].shape == (len(kept["epochs"]), count, count)
    assert kept["epochs"].tolist() == list(range(kept.about["settings"]["epochs"] + 1))
    for one in kept["relations"].astype(float):
        np.testing.assert_allclose(one, one.T, atol=2e-3)
        np.testing.assert_allclose(np.diag(one), 1, atol=2e-3)
    assert np.abs(kept["means"].astype(float)).max() < 1.01


def test_the_last_matrix_follows_from_the_gates_of_each_class_with_itself(kept):
    gates = torch.tensor(kept["pair_gates"].astype("float32") / 255)
    own = gates[range(len(gates)), range(len(gates))]
    np.testing.assert_allclose(class_relations(own).numpy(), kept["relations"][-1].astype(float), atol=0.02)
    torch.testing.assert_close(gates, gates.transpose(0, 1), atol=0.006, rtol=0)


def test_it_says_how_it_was_made(kept):
    assert kept.about["command"].startswith("python scripts/states/hydra_relations.py")
    assert kept.about["seed"] == kept.about["settings"]["seed"]
    assert {"python", "torch"} <= set(kept.about["versions"])
