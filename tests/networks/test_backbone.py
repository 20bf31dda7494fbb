import pytest
import torch

from contrastive_lab.networks import Backbone, Wrapped, check_backbone, make_backbone
from contrastive_lab.networks.convnet import ConvNet
from contrastive_lab.networks.resnet import ResNet18

CELLS = {32: 4, 48: 6, 64: 4, 96: 6}


@pytest.mark.parametrize("size", CELLS)
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("name", ["convnet", "resnet18"])
def test_maps_have_the_promised_cells_and_their_average_is_the_representation(name, dense, size):
    net = make_backbone(name, width=8, image_size=size, dense=dense).eval()
    x = torch.randn(2, 3, size, size)
    side = CELLS[size] * (2 if dense else 1)
    cells = net.feature_map(x)
    assert net.dim == 64
    assert cells.shape == (2, 64, side, side)
    torch.testing.assert_close(net(x), cells.mean(dim=(2, 3)))


@pytest.mark.parametrize("width", [16, 32, 64])
def test_width_scales_every_stage(width):
    net = ResNet18(width=width)
    assert [net.layer1[0].conv1.out_channels, net.layer4[1].conv2.out_channels, net.dim] == [width, 8 * width, 8 * width]
    assert ConvNet(width=width).dim == 8 * width


def test_width_64_with_the_imagenet_stem_is_torchvisions_resnet18():
    from torchvision.models import resnet18

    torch.manual_seed(0)
    theirs, ours = resnet18().eval(), ResNet18(width=64, stem="imagenet").eval()
    theirs.fc = torch.nn.Identity()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours(x), theirs(x))


def test_a_cifar_network_is_torchvisions_but_for_the_stem():
    from torchvision.models import resnet18

    theirs = {name: value.shape for name, value in resnet18().state_dict().items() if not name.startswith("fc")}
    ours = {name: value.shape for name, value in ResNet18(width=64).state_dict().items()}
    assert ours.pop("conv1.weight") == (64, 3, 3, 3)
    assert theirs.pop("conv1.weight") == (64, 3, 7, 7)
    assert ours == theirs


@pytest.mark.parametrize("name", ["convnet", "resnet18"])
def test_bfloat16_and_channels_last_change_the_rounding_only(name):
    torch.manual_seed(0)
    net = make_backbone(name, width=8).eval()
    x = torch.randn(4, 3, 32, 32)
    exact = net(x)
    net.to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(net(x), exact)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = net(x).float()
    assert torch.nn.functional.cosine_similarity(rough, exact).min() > 0.999


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "vgg"}, "network is 'vgg', but must be one of 'convnet', 'resnet18'"),
        ({"width": 0}, "width is 0"),
        ({"image_size": 4}, "image_size is 4"),
    ],
)
def test_wrong_arguments_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        make_backbone(**changes)


def test_a_bare_backbone_says_that_it_has_no_map():
    with pytest.raises(NotImplementedError):
        Backbone()(torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(("cut", "fits"), [(-1, True), (-2, True), (-3, False)])
def test_a_network_of_ones_own_is_wrapped(cut, fits):
    from torchvision.models import resnet18

    layers = list(resnet18().children())[:cut]
    net = Wrapped(torch.nn.Sequential(*layers, *([torch.nn.Flatten()] if cut == -1 else [])), dim=512).eval()
    x = torch.randn(2, 3, 64, 64)
    if not fits:
        with pytest.raises(ValueError, match=r"gives \(2, 256, 4, 4\), but with dim=512 must give \(N, 512\)"):
            net(x)
        return
    assert net(x).shape == (2, 512)
    if cut == -2:
        assert net.feature_map(x).shape == (2, 512, 2, 2)
        torch.testing.assert_close(net(x), net.feature_map(x).mean(dim=(2, 3)))
    else:
        with pytest.raises(ValueError, match="gives vectors, but cells are compared"):
            net.feature_map(x)


def test_what_is_no_backbone_is_named():
    with pytest.raises(TypeError, match=r"encoder is a Linear, but must be a Backbone; wrap it: networks\.Wrapped\(encoder, dim=512\)"):
        check_backbone(encoder=torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="dim is 0"):
        Wrapped(torch.nn.Identity(), dim=0)
