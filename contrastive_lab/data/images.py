"""The one shape in which every data set reaches the rest of the lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """A set of images held as one uint8 tensor, with whatever is known about each of them.

    `labels` are class numbers into `classes`. `groups` marks membership in one of two sets (0 background, 1 target; SepCLR).
    `masks` hold 0 for background and 1 + class for object cells; their grid may be coarser than the image.
    `factors` are further integer labels by name (shape, colour, ...). `source` says in one line where the images came from.
    """

    pixels: UInt8[Tensor, "N C H W"]
    name: str
    split: str = "train"
    labels: Int64[Tensor, "N"] | None = None
    classes: tuple[str, ...] = ()
    groups: Int64[Tensor, "N"] | None = None
    masks: UInt8[Tensor, "N h w"] | None = None
    captions: tuple[tuple[str, ...], ...] | None = None
    factors: Mapping[str, Int64[Tensor, "N"]] = field(default_factory=dict)
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.25, 0.25, 0.25)
    source: str = ""

    def __post_init__(self) -> None:
        if self.pixels.dtype != torch.uint8 or self.pixels.ndim != 4:
            raise TypeError(
                f"pixels has dtype {self.pixels.dtype} and shape {tuple(self.pixels.shape)}, but must be uint8 (N, C, H, W); "
                "scale floats in [0, 1] with (255 * x).round().to(torch.uint8)"
            )
        for name in ("labels", "groups", "masks", "captions"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.pixels):
                raise ValueError(f"{name} has {len(value)} entries for {len(self.pixels)} images; give one for each image")

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def size(self) -> int:
        """Height of an image in pixels."""
        return int(self.pixels.shape[-2])

    @property
    def device(self) -> torch.device:
        return self.pixels.device

    def to(self, device: torch.device | str) -> Images:
        """The same images on another device."""
        return self._map(lambda tensor: tensor.to(device))

    def take(self, index: Int64[Tensor, "n"] | slice) -> Images:
        """The images at `index`, in that order."""
        captions = self.captions
        if captions is not None:
            rows = range(len(self))[index] if isinstance(index, slice) else index.tolist()
            captions = tuple(captions[row] for row in rows)
        return self._map(lambda tensor: tensor[index], captions=captions)

    def _map(self, change, **more) -> Images:  # type: ignore[no-untyped-def]
        tensors = {f.name: change(v) for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)}
        return replace(self, **tensors, factors={name: change(value) for name, value in self.factors.items()}, **more)

    def as_float(self) -> Float[Tensor, "N C H W"]:
        """Pixels scaled to [0, 1] and normalised with the set's own mean and deviation; what an encoder is evaluated on."""
        mean, std = (torch.tensor(v, device=self.device).view(1, -1, 1, 1) for v in (self.mean, self.std))
        return (self.pixels.float() / 255 - mean) / std
