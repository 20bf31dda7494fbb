"""From settings to a freshly initialised method and the random views of its data."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.methods import METHODS, DataKind, Method
from contrastive_lab.networks import make_backbone
from contrastive_lab.training.settings import Settings
from contrastive_lab.views import Augmentation

KIND: dict[str, DataKind] = {"cifar10": "cifar10", "cifar100": "cifar10", "stl10": "stl10", "flickr8k": "stl10"}


def data_kind(data: str) -> DataKind:
    """Whose recipe and augmentation serve this data set: that of the embedded scenes, of CIFAR-10 or of STL-10."""
    return KIND.get(data, "scenes")


def prepare(settings: Settings, images: Images) -> Method:
    """The method of `settings` with fresh weights drawn from its seed; the caller's random state is left as it was."""
    check_images(settings, images)
    return build(settings)


def build(settings: Settings) -> Method:
    """As `prepare`, for callers without images."""
    backbone = partial(make_backbone, settings.network, width=settings.width, image_size=settings.image_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        try:
            return METHODS[settings.method].build(backbone, **settings.options)
        except TypeError as error:
            raise ValueError(f"options is {dict(settings.options)}, which {settings.method!r} can't take: {error}") from error


def augmentation_for(settings: Settings, images: Images) -> Augmentation:
    """The usual augmentation of the data, normalised by the set's own mean and deviation, with the changes that `settings` ask for."""
    usual = Augmentation.for_data(data_kind(settings.data), size=settings.image_size, mean=images.mean, std=images.std)
    allowed = [f.name for f in dataclasses.fields(usual)]
    unknown = [name for name in settings.augmentation if name not in allowed]
    if unknown:
        raise ValueError(f"augmentation names {', '.join(map(repr, unknown))}, but there are {', '.join(allowed)}")
    changes: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.augmentation.items()}
    return dataclasses.replace(usual, **{"compile": settings.compile, **changes})


def check_images(settings: Settings, images: Images) -> None:
    """Raise `ValueError` if the method of `settings` can't learn from these images."""
    if images.pixels.shape[1] != 3:
        raise ValueError(f"images have {images.pixels.shape[1]} channels, but the networks take 3; repeat a grey channel three times")
    missing = [name for name in sorted(METHODS[settings.method].needs) if getattr(images, name, None) is None]
    if missing:
        raise ValueError(
            f"method {settings.method!r} needs {' and '.join(missing)}, which the images {images.name!r} don't have; "
            "data.suited(images, needs) makes groups (digits on half of the images) and captions (class names)"
        )
    known = class_count(settings.method, settings.options)
    if known is not None and known < len(images.classes):
        count = len(images.classes)
        raise ValueError(f"num_classes is {known}, but the images have {count} classes; give options={{'num_classes': {count}}}")


def check_method(settings: Settings, method: Method) -> None:
    """Raise `ValueError` for a method of the lab that isn't the one that `settings` name; a class of your own goes under any name."""
    name = next((name for name, known in METHODS.items() if type(method) is known), settings.method)
    if name != settings.method:
        raise ValueError(
            f"method is {type(method).__name__}, but settings.method is {settings.method!r}, which the run would be kept as; "
            f"take Settings.recommended({name!r}, ...) or prepare(settings, images)"
        )


def class_count(method: str, options: Mapping[str, Any]) -> int | None:
    """For how many classes a method will be built, None for methods that don't ask."""
    parameter = inspect.signature(METHODS[method].build).parameters.get("num_classes")
    return None if parameter is None else int(options.get("num_classes", parameter.default))
