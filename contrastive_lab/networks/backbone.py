"""What every encoder offers: a dense feature map and its average, the representation that is evaluated."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

NETWORKS = ("convnet", "resnet18")


class Backbone(nn.Module):
    """An image encoder without a head. `dim` is the number of channels D of its map and of its representation."""

    dim: int

    def reset_parameters(self) -> None:
        """First weights of the kind that a new backbone has: convolutions by He and others, fan-out; PyTorch's own are smaller."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()

    def feature_map(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        """The last map before pooling; cell (i, j) stands over the pixels around (i, j) times the network's stride."""
        raise NotImplementedError

    def forward(self, x: Float[Tensor, "N C H W"], *, pooled: bool = True) -> Float[Tensor, "N D"] | Float[Tensor, "N D h w"]:
        """The representation or, with `pooled` false, the map; unlike `feature_map` this is what torch.compile speeds up."""
        cells = self.feature_map(x)
        return cells.mean(dim=(2, 3)) if pooled else cells


class Wrapped(Backbone):
    """A network of yours as a backbone of `dim` features: any module that gives vectors (N, dim) or maps (N, dim, h, w), to be averaged.

    PixPro and PixContrast need maps; `nn.Sequential(*list(torchvision.models.resnet50().children())[:-2])` gives them, with `dim` 2048.
    """

    def __init__(self, network: nn.Module, dim: int) -> None:
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim is {dim}, but must be the number of features that the network gives, at least 1")
        self.network, self.dim = network, dim

    def feature_map(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        return self(x, pooled=False)

    def forward(self, x: Float[Tensor, "N C H W"], *, pooled: bool = True) -> Float[Tensor, "N D"] | Float[Tensor, "N D h w"]:
        features: Tensor = self.network(x)
        if features.ndim not in (2, 4) or features.shape[1] != self.dim:
            raise ValueError(
                f"the wrapped network gives {tuple(features.shape)}, but with dim={self.dim} must give (N, {self.dim}) or "
                f"(N, {self.dim}, h, w)"
            )
        if features.ndim == 2 and not pooled:
            raise ValueError(
                "the wrapped network gives vectors, but cells are compared; leave its pooling out, so that it gives maps (N, dim, h, w)"
            )
        return features.mean(dim=(2, 3)) if features.ndim == 4 and pooled else features


def check_backbone(**networks: nn.Module) -> None:
    """Raise unless every named network says how many features it gives."""
    for name, network in networks.items():
        if not isinstance(getattr(network, "dim", None), int):
            raise TypeError(f"{name} is a {type(network).__name__}, but must be a Backbone; wrap it: networks.Wrapped({name}, dim=512)")


def checked(encoder: Backbone) -> Backbone:
    """The encoder, if it is one that says how many features it gives."""
    check_backbone(encoder=encoder)
    return encoder


def make_backbone(name: str = "convnet", *, width: int = 32, image_size: int = 32, dense: bool = False) -> Backbone:
    """A freshly initialised backbone for images of `image_size` pixels.

    name: "convnet" (four convolutions, made for two CPU cores) or "resnet18".
    width: channels of the first stage; the last has 8 times as many, which is `dim`. Published ResNet-18 results have width 64.
    image_size: decides how fast the stem shrinks the image; other sizes can be fed to the result all the same.
    dense: halve the stride, for methods that compare cells of the map: at least 8 x 8 cells at 32 and 64 px, 12 x 12 at 48 and 96 px.
    """
    from contrastive_lab.networks.convnet import ConvNet
    from contrastive_lab.networks.resnet import ResNet18

    if name not in NETWORKS:
        raise ValueError(f"network is {name!r}, but must be one of {', '.join(map(repr, NETWORKS))}")
    if width < 1:
        raise ValueError(f"width is {width}, but must be at least 1; 16, 32 and 64 are usual")
    if image_size < 8:
        raise ValueError(f"image_size is {image_size}, but must be at least 8 pixels; the networks are made for 32 to 96")
    network: type[ConvNet] | type[ResNet18] = {"convnet": ConvNet, "resnet18": ResNet18}[name]
    return network(width=width, image_size=image_size, dense=dense)
