import pytest
import torch
from torch import nn

from contrastive_lab.networks import ConvProjector, ProjectionHead


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_layers_are_counted_in_linear_maps(layers):
    head = ProjectionHead(16, hidden_dim=8, out_dim=4, num_layers=layers)
    linear = [m for m in head.modules() if isinstance(m, nn.Linear)]
    assert len(linear) == layers
    assert [linear[0].in_features, linear[-1].out_features] == [16, 4]
    assert head(torch.randn(3, 16)).shape == (3, 4)


def test_last_batch_norm_centres_and_scales_every_dimension():
    z = ProjectionHead(16, hidden_dim=8, out_dim=4, last_norm="bn")(torch.randn(50, 16))
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.std(dim=0, correction=0), torch.ones(4), atol=0.02, rtol=0)


def test_last_layer_norm_centres_and_scales_every_row():
    z = ProjectionHead(16, hidden_dim=8, out_dim=32, last_norm="ln")(torch.randn(5, 16))
    torch.testing.assert_close(z.mean(dim=1), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.std(dim=1, correction=0), torch.ones(5), atol=0.02, rtol=0)


def test_a_head_without_batch_norm_treats_images_one_by_one():
    head = ProjectionHead(16, hidden_dim=8, out_dim=4, hidden_norm="none")
    h = torch.randn(6, 16)
    torch.testing.assert_close(head(h)[:2], head(h[:2]))
    assert not any(isinstance(m, nn.BatchNorm1d) for m in head.modules())


def test_conv_projector_is_the_same_map_in_every_cell():
    projector = ConvProjector(6, 8, 4).eval()
    cells = torch.randn(2, 6, 3, 5)
    out = projector(cells)
    assert out.shape == (2, 4, 3, 5)
    torch.testing.assert_close(projector(cells[:, :, 1:2, 2:3]), out[:, :, 1:2, 2:3])
    assert [m.bias is not None for m in projector.modules() if isinstance(m, nn.Conv2d)] == [True, True]


@pytest.mark.parametrize(("changes", "words"), [({"out_dim": 0}, "out_dim is 0"), ({"num_layers": 0}, "num_layers is 0")])
def test_wrong_sizes_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        ProjectionHead(16, **changes)
