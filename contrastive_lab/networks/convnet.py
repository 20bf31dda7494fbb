"""A network small enough to learn something in a minute on two cores."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from contrastive_lab.networks.backbone import Backbone


class ConvNet(Backbone):
    """Four 3 x 3 convolutions with batch norm and ReLU, of `width` times 1, 2, 4 and 8 channels; `dim` is 8 `width`.

    Total stride: 8 below 64 px and 16 from there on (4 x 4 cells at 32 and 64 px, 6 x 6 at 48 and 96); `dense` halves it.
    """

    def __init__(self, *, width: int = 32, image_size: int = 32, dense: bool = False) -> None:
        super().__init__()
        halvings = (4 if image_size >= 64 else 3) - dense
        channels = [3, width, 2 * width, 4 * width, 8 * width]
        self.blocks = nn.Sequential(
            *(_block(channels[i], channels[i + 1], stride=2 if i < halvings else 1) for i in range(4)),
        )
        self.dim = channels[-1]

    def feature_map(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N D h w"]:
        return self.blocks(x)


def _block(channels: int, out: int, *, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True))
