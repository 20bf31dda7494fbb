import pytest
import torch
from torch import nn

from contrastive_lab.networks import MomentumTwin, rising_momentum


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_parameters_move_by_the_moving_average():
    source = net()
    twin = MomentumTwin(source)
    start = [p.clone() for p in twin.module.parameters()]
    with torch.no_grad():
        for p in source.parameters():
            p += 1
    twin.update(source, 0.75)
    for before, after in zip(start, twin.module.parameters(), strict=True):
        torch.testing.assert_close(after, before + 0.25)
    twin.update(source, 0.0)
    for ours, theirs in zip(twin.module.parameters(), source.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_running_statistics_are_its_own():
    source = net()
    twin = MomentumTwin(source)
    source(torch.randn(8, 3) + 5)
    before = twin.module[1].running_mean.clone()
    twin.update(source, 0.0)
    assert torch.equal(twin.module[1].running_mean, before)
    twin(torch.randn(8, 3))
    assert not torch.equal(twin.module[1].running_mean, before)


def test_no_gradient_enters_and_no_parameter_is_trained():
    twin = MomentumTwin(net())
    x = torch.randn(4, 3, requires_grad=True)
    assert not twin(x).requires_grad
    assert not any(p.requires_grad for p in twin.parameters())


def test_a_copy_of_a_resting_module_uses_batch_statistics():
    source = net().eval()
    assert MomentumTwin(source).module.training
    assert not source.training


def test_it_is_saved_with_its_owner():
    owner, other = nn.ModuleDict({"twin": MomentumTwin(net())}), nn.ModuleDict({"twin": MomentumTwin(net())})
    other.load_state_dict(owner.state_dict())
    assert torch.equal(other["twin"].module[0].weight, owner["twin"].module[0].weight)


def test_wrong_momentum_and_strange_sources_are_refused():
    twin = MomentumTwin(net())
    with pytest.raises(ValueError, match=r"momentum is 1.5, but must lie in \[0, 1\]"):
        twin.update(net(), 1.5)
    with pytest.raises(ValueError, match="other parameters"):
        twin.update(nn.Linear(3, 5), 0.9)


def test_a_rising_momentum_begins_at_its_base_and_ends_at_one():
    assert [rising_momentum(0.9, done) for done in (0.0, 0.5, 1.0)] == pytest.approx([0.9, 0.95, 1.0])
