"""How strongly views of an image differ: the settings of one random view, and making such views of a whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from contrastive_lab.views.blur import gaussian_blur, solarise
from contrastive_lab.views.checks import check_colours, check_jitter, check_kernel, check_pixels, check_probability, check_range
from contrastive_lab.views.colour import greyscale, jitter, jitter_affine
from contrastive_lab.views.constant import constant
from contrastive_lab.views.crop import crop_boxes, crop_by_filter, crop_by_sampling
from contrastive_lab.views.parameters import Parameters, blur_sigmas, by_operation, crops, jitter_factors, random_order, uniforms

_PIXELS_AT_ONCE = {"exact": 65_536, "fast": 262_144}

_OBJECTS = {"scale": (0.2, 1.0), "jitter": (0.4, 0.4, 0.4, 0.1), "jitter_p": 0.8, "grey": 0.2}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "cifar10": _OBJECTS,
    "cifar100": _OBJECTS,
    "stl10": {**_OBJECTS, "blur": 0.5},
    "flickr8k": {**_OBJECTS, "blur": 0.5},
    "scenes": {"scale": (0.5, 1.0), "jitter": (0.4, 0.4, 0.4, 0.05), "jitter_p": 0.8, "grey": 0.1},
    "digits": {"scale": (0.4, 1.0), "flip": 0.0, "jitter": (0.4, 0.4, 0.4, 0.1), "jitter_p": 0.8, "grey": 0.2},
}


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """One random view: crop, mirror, colour jitter, greyscale, blur, solarise, normalise, in this order.

    `size` is the side of the view in pixels. `scale` and `ratio` bound the crop's share of the area and its width / height. `jitter` is the
    strength for brightness, contrast, saturation and hue in torchvision's meaning. `flip`, `jitter_p`, `grey`, `blur` and `solarise`
    are probabilities for each image. `blur_sigma` is in pixels of the view; `blur_kernel` None means an odd number near `size` / 10.
    `colour` "exact" equals torchvision; "fast" makes the jitter one matrix for each image (see `colour.jitter_affine`).
    `compile` fuses all arithmetic with torch.compile: the same views within rounding, several times faster on a GPU, after a pause.
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
    compile: bool = False
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.25, 0.25, 0.25)

    def __post_init__(self) -> None:
        for name in ("scale", "ratio", "jitter", "blur_sigma", "mean", "std"):
            # settings read back from JSON arrive as lists, and with 1 where 1.0 was meant
            values = getattr(self, name)
            if not isinstance(values, list | tuple):
                raise ValueError(f"{name} is {values!r}, but must be a tuple of numbers")
            object.__setattr__(self, name, tuple(float(value) for value in values))
        if self.size < 1:
            raise ValueError(f"size is {self.size}, but a view needs a side of at least 1 pixel")
        for name in ("flip", "jitter_p", "grey", "blur", "solarise"):
            object.__setattr__(self, name, float(getattr(self, name)))
            check_probability(name, getattr(self, name))
        check_range("scale", self.scale, highest=1.0)
        check_range("ratio", self.ratio)
        check_range("blur_sigma", self.blur_sigma)
        check_jitter(self.jitter)
        check_kernel(self.kernel_size if self.blur > 0 else self.blur_kernel, self.size)
        check_colours(self.mean, self.std)
        if self.colour not in ("exact", "fast"):
            raise ValueError(f"colour is {self.colour!r}, but must be 'exact' (equal to torchvision) or 'fast' (one matrix per image)")

    @classmethod
    def for_data(cls, kind: str, *, size: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Augmentation:
        """The usual augmentation for a data set: SimCLR's CIFAR recipe for photographs, with blur for STL-10 and Flickr8k.

        The embedded world ("scenes") gets milder crops, because an object covers only 1 to 7 % of the image: at a scale from 0.2
        a third of all pairs of views share no object, from 0.5 one in thirteen. Its hue and greyscale are weak because colour is one of
        the factors to be learned. Digits are never mirrored.
        """
        if kind not in _DEFAULTS:
            raise ValueError(f"kind is {kind!r}, but must be one of {', '.join(map(repr, _DEFAULTS))}")
        return cls(size=size, mean=mean, std=std, **_DEFAULTS[kind])

    def draw(
        self, count: int, image_size: tuple[int, int], *, device: torch.device | str = "cpu", generator: torch.Generator | None = None
    ) -> Parameters:
        """Random parameters for views of `count` images of `image_size` (height, width)."""
        return self._parameters(uniforms(count, device=device, generator=generator), image_size)

    def _parameters(self, table: Tensor, image_size: tuple[int, int]) -> Parameters:
        u = by_operation(table)
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
        """The views that `parameters` describe, normalised; no randomness in here.

        A CPU works on a few images at a time, as many as its cache holds; a GPU on all at once and without waiting for the CPU.
        """
        count = len(pixels)
        at_once = count if pixels.is_cuda else max(8, _PIXELS_AT_ONCE[self.colour] // max(pixels[0, 0].numel(), self.size**2))
        with torch.autocast(pixels.device.type, enabled=False):
            parts = [self._apply(pixels[k : k + at_once], parameters[k : k + at_once]) for k in range(0, count, at_once)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _apply(self, pixels: Tensor, parameters: Parameters) -> Tensor:
        images = self._crop(pixels.float().div_(255), parameters)
        if parameters.factors is not None and parameters.order is not None:
            images = self._jitter(images, parameters.factors, parameters.order)
        if parameters.grey is not None:
            images = greyscale(images, parameters.grey)
        if parameters.sigma is not None:
            images = gaussian_blur(images, parameters.sigma, self.kernel_size)
        if parameters.solarise is not None:
            images = solarise(images, parameters.solarise)
        mean, std = (constant(value, images).view(1, 3, 1, 1) for value in (self.mean, self.std))
        return images.sub_(mean).div_(std)

    def _crop(self, images: Tensor, parameters: Parameters) -> Tensor:
        # a GPU makes the filter's matrices for nothing; a CPU is quicker at looking up points, which is right unless a crop must shrink
        look_up = not images.is_cuda and max(images.shape[2:]) <= self.size
        resize = crop_by_sampling if look_up else crop_by_filter
        return resize(images, parameters.crop, parameters.flip, self.size)

    def _jitter(self, images: Tensor, factors: Tensor, order: Tensor) -> Tensor:
        if self.colour == "fast":
            return jitter_affine(images, factors, order)
        return jitter(images, factors, order, with_hue=self.jitter[3] > 0)

    def __call__(
        self, pixels: Tensor, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "N 3 S S"], Float[Tensor, "N 4"]]:
        """One random view of each of `pixels` (uint8, N 3 H W) and the box it shows; `generator` must live on the device of `pixels`."""
        return self.several(pixels, 1, generator=generator)[0]

    def several(
        self, pixels: Tensor, count: int, *, generator: torch.Generator | None = None
    ) -> list[tuple[Float[Tensor, "N 3 S S"], Float[Tensor, "N 4"]]]:
        """The views and boxes that `count` calls would give; compiled they are made in one go, with as many kernels as one view."""
        check_pixels(pixels, generator)
        tables = [uniforms(len(pixels), device=pixels.device, generator=generator) for _ in range(count)]
        if self.compile:
            with torch.autocast(pixels.device.type, enabled=False):
                views, boxes = _compiled(self)(pixels.repeat(count, 1, 1, 1), torch.cat(tables))
            return list(zip(views.chunk(count), boxes.chunk(count), strict=True))
        drawn = [self._parameters(table, _size(pixels)) for table in tables]
        return [(self.apply(pixels, one), crop_boxes(one.crop, one.flip, _size(pixels))) for one in drawn]

    def _make(self, pixels: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """From random numbers to views and boxes in one go."""
        parameters = self._parameters(table, _size(pixels))
        return self._apply(pixels, parameters), crop_boxes(parameters.crop, parameters.flip, _size(pixels))

    @property
    def kernel_size(self) -> int:
        """Side of the blur's kernel in pixels."""
        return self.blur_kernel if self.blur_kernel is not None else max(3, self.size // 10 | 1)


@cache
def _compiled(augmentation: Augmentation) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Compiled once for all batches of a run; equal augmentations share it."""
    compiled: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = torch.compile(augmentation._make, dynamic=False)
    return compiled


def _size(pixels: Tensor) -> tuple[int, int]:
    return pixels.shape[2], pixels.shape[3]
