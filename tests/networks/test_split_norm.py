import pytest
import torch
from torch import nn

from contrastive_lab.networks import SplitBatchNorm2d, make_backbone, split_batch_norm


def test_each_part_is_normed_by_its_own_statistics():
    torch.manual_seed(0)
    split, plain = SplitBatchNorm2d(3, splits=4), nn.BatchNorm2d(3)
    for norm in (split, plain):
        nn.init.constant_(norm.weight, 1.5)
        nn.init.constant_(norm.bias, -0.5)
    x = torch.randn(12, 3, 5, 5)
    out = split(x)
    for part in range(4):
        torch.testing.assert_close(out[part::4], plain(x[part::4]))


def test_running_statistics_are_the_average_over_the_parts():
    split = SplitBatchNorm2d(3, splits=2)
    parts = [nn.BatchNorm2d(3), nn.BatchNorm2d(3)]
    x = torch.randn(8, 3, 4, 4)
    split(x)
    for i, norm in enumerate(parts):
        norm(x[i::2])
    torch.testing.assert_close(split.running_mean, (parts[0].running_mean + parts[1].running_mean) / 2)
    torch.testing.assert_close(split.running_var, (parts[0].running_var + parts[1].running_var) / 2)
    assert split.num_batches_tracked == 1


def test_at_rest_it_is_ordinary_batch_norm():
    split = SplitBatchNorm2d(3, splits=4)
    split(torch.randn(8, 3, 4, 4) + 2)
    plain = nn.BatchNorm2d(3)
    plain.load_state_dict(split.state_dict())
    x = torch.randn(5, 3, 4, 4)
    assert torch.equal(split.eval()(x), plain.eval()(x))


def test_one_part_is_ordinary_batch_norm_in_training_too():
    x = torch.randn(6, 3, 4, 4)
    torch.testing.assert_close(SplitBatchNorm2d(3, splits=1)(x), nn.BatchNorm2d(3)(x))


def test_channels_last_input_gives_the_same_values_and_gradients():
    x = torch.randn(4, 3, 5, 5)
    gradients = []
    for form in (torch.contiguous_format, torch.channels_last):
        leaf = x.clone().requires_grad_()
        SplitBatchNorm2d(3, splits=2)(leaf.contiguous(memory_format=form)).pow(3).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)


def test_a_network_is_converted_with_its_weights():
    net = make_backbone("resnet18", width=8)
    net(torch.randn(8, 3, 32, 32))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert split_batch_norm(net, 4) is net
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 20
    assert all(isinstance(m, SplitBatchNorm2d) and m.splits == 4 for m in norms)
    after = net.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_batch_that_does_not_split_is_refused():
    with pytest.raises(ValueError, match="batch of 6 images can't be cut into splits=4"):
        SplitBatchNorm2d(3, splits=4)(torch.randn(6, 3, 4, 4))
    with pytest.raises(ValueError, match="splits is 0"):
        SplitBatchNorm2d(3, splits=0)


def test_a_network_is_converted_where_it_is_and_keeps_its_optimiser():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4))).double().eval()
    net[1].bias.requires_grad_(False)
    tensors = [*net.parameters(), *net.buffers()]
    split_batch_norm(net, 2)
    assert all(new is old for new, old in zip([*net.parameters(), *net.buffers()], tensors, strict=True))
    assert not net[1].training
    net = nn.Sequential(nn.BatchNorm2d(4, device="meta"))
    assert split_batch_norm(net, 2)[0].weight.is_meta


def test_double_precision_stays_double():
    x = torch.randn(8, 3, 4, 4, dtype=torch.float64)
    split, plain = SplitBatchNorm2d(3, splits=2).double(), nn.BatchNorm2d(3).double()
    torch.testing.assert_close(split(x)[::2], plain(x[::2]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("choice", ["affine", "track_running_stats"])
def test_a_norm_without_weights_or_statistics_is_refused(choice):
    with pytest.raises(ValueError, match="needs affine=True and track_running_stats=True"):
        split_batch_norm(nn.Sequential(nn.BatchNorm2d(4, **{choice: False})), 2)
