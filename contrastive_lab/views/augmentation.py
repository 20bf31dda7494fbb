"""How strongly views of an image differ: the settings of one random view, and making such views of a whole batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from contrastive_lab.views.blur import gaussian_blur, solarise
from contrastive_lab.views.colour import greyscale, jitter, jitter_affine
from contrastive_lab.views.crop import as_float, crop_boxes, crop_by_filter, crop_by_sampling
from contrastive_lab.views.parameters import Parameters, blur_sigmas, crops, jitter_factors, random_order, uniforms

_OBJECTS = {"scale": (0.2, 1.0), "jitter": (0.4, 0.4, 0.4, 0.1), "jitter_p": 0.8, "grey": 0.2}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "cifar10": _OBJECTS,
    "cifar100": _OBJECTS,
    "stl10": {**_OBJECTS, "blur": 0.5},
    "flickr8k": {**_OBJECTS, "blur": 0.5},
    "scenes": {"scale": (0.3, 1.0), "jitter": (0.4, 0.4, 0.2, 0.02), "jitter_p": 0.8, "grey": 0.0},
    "digits": {"scale": (0.4, 1.0), "flip": 0.0, "jitter": (0.4, 0.4, 0.4, 0.1), "jitter_p": 0.8, "grey": 0.2},
}


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """One random view: crop, mirror, colour jitter, greyscale, blur, solarise, normalise, in this order.

    `size` is the side of the view in pixels. `scale` and `ratio` bound the crop's share of the area and its width / height. `jitter` is the
    strength for brightness, contrast, saturation and hue in torchvision's meaning. `flip`, `jitter_p`, `grey`, `blur` and `solarise`
    are probabilities for each image. `blur_sigma` is in pixels of the view; `blur_kernel` None means an odd number near `size` / 10.
    `colour` "exact" equals torchvision; "fast" makes the jitter one matrix for each image (see `colour.jitter_affine`).
    Change one with `dataclasses.replace`.
    """

    size: int
    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    jitter: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.1)
    jitter_p: float = 0.8
    grey: float = 0.2
    blur: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    blur_kernel: int | None = None
    solarise: float = 0.0
    colour: Literal["exact", "fast"] = "exact"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.25, 0.25, 0.25)

    @classmethod
    def for_data(cls, kind: str, *, size: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Self:
        """The usual augmentation for a data set."""
        if kind not in _DEFAULTS:
            raise ValueError(f"kind is {kind!r}, but must be one of {', '.join(map(repr, _DEFAULTS))}")
        return cls(size=size, mean=mean, std=std, **_DEFAULTS[kind])

    def draw(
        self, count: int, image_size: tuple[int, int], *, device: torch.device | str = "cpu", generator: torch.Generator | None = None
    ) -> Parameters:
        """Random parameters for views of `count` images of `image_size` (height, width)."""
        u = uniforms(count, device=device, generator=generator)
        jittered = self.jitter_p > 0 and any(self.jitter)
        return Parameters(
            crop=crops(u["crop"], image_size, self.scale, self.ratio),
            flip=u["flip"][:, 0] < self.flip,
            factors=jitter_factors(u["jitter"][:, :5], self.jitter, self.jitter_p) if jittered else None,
            order=random_order(u["jitter"][:, 5:]) if jittered else None,
            grey=u["grey"][:, 0] < self.grey if self.grey > 0 else None,
            sigma=blur_sigmas(u["blur"], self.blur_sigma, self.blur) if self.blur > 0 else None,
            solarise=u["solarise"][:, 0] < self.solarise if self.solarise > 0 else None,
        )

    def apply(self, pixels: UInt8[Tensor, "N 3 H W"], parameters: Parameters) -> Float[Tensor, "N 3 S S"]:
        """The views that `parameters` describe, normalised; no randomness in here."""
        images = as_float(pixels)
        crop_and_resize = crop_by_sampling if self._samples(pixels) else crop_by_filter
        images = crop_and_resize(images, parameters.crop, parameters.flip, self.size)
        if parameters.factors is not None and parameters.order is not None:
            if self.colour == "fast":
                images = jitter_affine(images, parameters.factors, parameters.order)
            else:
                images = jitter(images, parameters.factors, parameters.order, with_hue=self.jitter[3] > 0)
        if parameters.grey is not None:
            images = greyscale(images, parameters.grey)
        if parameters.sigma is not None:
            images = gaussian_blur(images, parameters.sigma, self.kernel_size)
        if parameters.solarise is not None:
            images = solarise(images, parameters.solarise)
        mean, std = (torch.tensor(value, device=images.device).view(1, 3, 1, 1) for value in (self.mean, self.std))
        return (images - mean) / std

    def __call__(
        self, pixels: Tensor, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "N 3 S S"], Float[Tensor, "N 4"]]:
        """One random view of each image and the box it shows."""
        image_size = (pixels.shape[2], pixels.shape[3])
        parameters = self.draw(len(pixels), image_size, device=pixels.device, generator=generator)
        return self.apply(pixels, parameters), crop_boxes(parameters.crop, parameters.flip, image_size)

    @property
    def kernel_size(self) -> int:
        """Side of the blur's kernel in pixels."""
        return self.blur_kernel if self.blur_kernel is not None else max(3, self.size // 10 | 1)

    def _samples(self, pixels: Tensor) -> bool:
        """Whether looking up single points is both right (no crop can be larger than the view) and the cheaper form (a CPU)."""
        return not pixels.is_cuda and max(pixels.shape[-2:]) <= self.size
