"""Which images form a step, and their random views; every draw is a function of seed, epoch and process."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

import torch
from jaxtyping import Int64
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.training.settings import Settings
from contrastive_lab.views import Batch, Views


def steps_per_epoch(images: Images, settings: Settings) -> int:
    """Complete batches in the set; `ValueError` if there is none."""
    if settings.batch_size > len(images):
        raise ValueError(
            f"batch_size is {settings.batch_size}, but the set {images.name!r} has {len(images)} images; "
            f"take batch_size={max(len(images) // 2, 2)} or more images"
        )
    return len(images) // settings.batch_size


def seed_for(seed: int, epoch: int, purpose: str, rank: int = 0) -> int:
    """A seed of its own for each purpose and epoch: a resumed run draws what the uninterrupted one would have drawn."""
    return random.Random(f"{seed}/{epoch}/{purpose}/{rank}").getrandbits(63)


def epoch_indices(images: Images, settings: Settings, epoch: int, *, rank: int = 0) -> Iterator[Int64[Tensor, "N"]]:
    """The rows of each step of an epoch: all processes cut the same shuffled batch into equal slices, one for each `rank`."""
    generator = torch.Generator(images.device).manual_seed(seed_for(settings.seed, epoch, "order"))
    order = torch.randperm(len(images), generator=generator, device=images.device)
    share = settings.batch_size // settings.devices
    for start in range(0, steps_per_epoch(images, settings) * settings.batch_size, settings.batch_size):
        yield order[start + rank * share : start + (rank + 1) * share]


def view_generator(images: Images, settings: Settings, epoch: int, *, rank: int = 0) -> torch.Generator:
    return torch.Generator(images.device).manual_seed(seed_for(settings.seed, epoch, "views", rank))


def draw(images: Images, index: Int64[Tensor, "N"], views: Views, generator: torch.Generator, *, captions: bool = False) -> Batch:
    """Random views of the images at `index` with what is known about those; `captions` waits for the device, so only on demand."""
    batch = views(images.pixels[index], generator=generator)
    texts = images.captions
    return dataclasses.replace(
        batch,
        views=tuple(view.contiguous(memory_format=torch.channels_last) for view in batch.views),
        index=index,
        labels=None if images.labels is None else images.labels[index],
        groups=None if images.groups is None else images.groups[index],
        captions=tuple(texts[i] for i in index.tolist()) if captions and texts is not None else None,
    )
