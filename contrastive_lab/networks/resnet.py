"""ResNet-18 for small images, from torchvision's residual blocks, in any width."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.networks.backbone import Backbone

Stem = Literal["cifar", "stl", "imagenet"]


class ResNet18(Backbone):
    """torchvision's ResNet-18 without its classifier; with `width` 64 the parameters have torchvision's names and shapes.

    stem: "cifar" (below 64 px by default): 3 x 3 convolution, stride 1, no max-pool, total stride 8, the usual variant for 32 px.
        "stl" (from 64 px): 7 x 7, stride 2, no max-pool, total stride 16; at 96 px a 6 x 6 map at about 4 times the cost of
        "imagenet": 7 x 7, stride 2, max-pool, total stride 32, torchvision's own.
    dense: the last stage keeps the resolution (8 x 8 at 32 px, 12 x 12 at 96 px).
    """

    def __init__(self, *, width: int = 64, image_size: int = 32, dense: bool = False, stem: Stem | None = None) -> None:
        super().__init__()
        stem = stem or ("stl" if image_size >= 64 else "cifar")
        kernel, stride = (3, 1) if stem == "cifar" else (7, 2)
        self.conv1 = nn.Conv2d(3, width, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else nn.Identity()
        self.layer1 = _stage(width, width, stride=1)
        self.layer2 = _stage(width, 2 * width, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, stride=2)
        self.layer4 = _stage(4 * width, 8 * width, stride=1 if dense else 2)
        self.dim = 8 * width
        self.reset_parameters()

    def feature_map(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def _stage(channels: int, out: int, *, stride: int) -> nn.Sequential:
    from torchvision.models.resnet import BasicBlock

    shortcut = None
    if stride != 1 or channels != out:
        shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))
    return nn.Sequential(BasicBlock(channels, out, stride, shortcut), BasicBlock(out, out))
