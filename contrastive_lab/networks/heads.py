"""Projectors: the part that is trained with the encoder and thrown away afterwards."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """Linear layers with batch norm and ReLU between them; the output is not normalised to unit length.

    last_norm: "none"; "bn" or "ln" end in a batch or layer norm without learned scale and shift (SimCLR's code has "bn").
    hidden_norm: "bn", or "none" as in MoCo v2, whose head has no batch norm.
    `num_layers` 1 is a single linear map.
    """

    def __init__(
        self,
        in_dim: int,
        *,
        hidden_dim: int = 512,
        out_dim: int = 128,
        num_layers: int = 2,
        last_norm: Literal["none", "bn", "ln"] = "none",
        hidden_norm: Literal["none", "bn"] = "bn",
    ) -> None:
        super().__init__()
        _check_sizes(in_dim=in_dim, hidden_dim=hidden_dim, out_dim=out_dim, num_layers=num_layers)
        _check_choice("last_norm", last_norm, ("none", "bn", "ln"))
        _check_choice("hidden_norm", hidden_norm, ("none", "bn"))
        layers: list[nn.Module] = []
        for before, after in zip([in_dim] + [hidden_dim] * (num_layers - 2), [hidden_dim] * (num_layers - 1), strict=False):
            normed = hidden_norm == "bn"
            layers += [nn.Linear(before, after, bias=not normed), *([nn.BatchNorm1d(after)] if normed else []), nn.ReLU(inplace=True)]
        layers.append(nn.Linear(in_dim if num_layers == 1 else hidden_dim, out_dim, bias=last_norm != "bn"))
        if last_norm == "bn":
            layers.append(nn.BatchNorm1d(out_dim, affine=False))
        elif last_norm == "ln":
            layers.append(nn.LayerNorm(out_dim, elementwise_affine=False))
        self.layers = nn.Sequential(*layers)
        self.dim = out_dim

    def forward(self, h: Float[Tensor, "N H"]) -> Float[Tensor, "N D"]:
        return self.layers(h)


class ConvProjector(nn.Module):
    """A projector of every cell of a map (PixPro): 1 x 1 convolution, batch norm, ReLU, 1 x 1 convolution, both with biases."""

    def __init__(self, in_dim: int, hidden_dim: int = 512, out_dim: int = 256) -> None:
        super().__init__()
        _check_sizes(in_dim=in_dim, hidden_dim=hidden_dim, out_dim=out_dim)
        self.layers = nn.Sequential(
            nn.Conv2d(in_dim, hidden_dim, 1), nn.BatchNorm2d(hidden_dim), nn.ReLU(inplace=True), nn.Conv2d(hidden_dim, out_dim, 1)
        )
        self.dim = out_dim

    def forward(self, cells: Float[Tensor, "N C h w"]) -> Float[Tensor, "N D h w"]:
        return self.layers(cells)


def _check_sizes(**sizes: int) -> None:
    for name, value in sizes.items():
        if value < 1:
            raise ValueError(f"{name} is {value}, but must be at least 1")


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(map(repr, allowed))}")
