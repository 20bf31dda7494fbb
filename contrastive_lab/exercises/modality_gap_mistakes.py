"""What goes wrong in the exercises of notebook 10, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _both(scores: Tensor, own: Tensor | None = None) -> Tensor:
    own = torch.arange(len(scores)) if own is None else own
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


def _cosines(images: Tensor, texts: Tensor) -> Tensor:
    return F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T


def _images_choose(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    return F.cross_entropy(_cosines(images, texts) / temperature, torch.arange(len(images)))


def _texts_choose(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    return F.cross_entropy(_cosines(texts, images) / temperature, torch.arange(len(images)))


def _added(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    return 2 * _both(_cosines(images, texts) / temperature)


def _not_normalised(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    return _both(images @ texts.T / temperature)


def _times_temperature(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    return _both(_cosines(images, texts) * temperature)


def _no_temperature(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    return _both(_cosines(images, texts))


def _masked_diagonal(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    itself = torch.eye(len(images), dtype=torch.bool)
    return _both((_cosines(images, texts) / temperature).masked_fill(itself, -math.inf))


def _all_meet(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    stack = torch.cat([images, texts])
    scores = (_cosines(stack, stack) / temperature).masked_fill(torch.eye(len(stack), dtype=torch.bool), -math.inf)
    return F.cross_entropy(scores, torch.arange(len(stack)).roll(len(images)))


def _one_softmax(images: Tensor, texts: Tensor, temperature: float = 0.07) -> Tensor:
    scores = _cosines(images, texts) / temperature
    return scores.flatten().logsumexp(dim=0) - scores.diagonal().mean()


CLIP_LOSS = (
    Mistake(
        "only the images choose",
        "You have one direction. The texts must find their images too: the same matrix, column by column (scores.T).",
        _images_choose,
    ),
    Mistake("only the texts choose", "You have one direction. The images must find their texts too: the matrix row by row.", _texts_choose),
    Mistake("your value is twice the loss", "The loss is the mean of both directions, not their sum.", _added),
    Mistake("the embeddings are not normalised", "Make every row a unit vector first: F.normalize(images, dim=1).", _not_normalised),
    Mistake("you multiplied by the temperature", "A small temperature must make differences larger: divide by it.", _times_temperature),
    Mistake("you forgot the temperature", "Divide the cosines by temperature before the softmax.", _no_temperature),
    Mistake(
        "you masked the diagonal",
        "In this matrix the diagonal is not an anchor with itself but each image with its own text: the positives. Mask nothing.",
        _masked_diagonal,
    ),
    Mistake(
        "images meet images",
        "You stacked both modalities, which is SimCLR's loss. In CLIP an image is compared with texts only.",
        _all_meet,
    ),
    Mistake(
        "one softmax for all pairs", "Each image has a sum over the texts of its own, and each text one over the images.", _one_softmax
    ),
)


def _centroids(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return F.normalize(x, dim=1).mean(dim=0), F.normalize(y, dim=1).mean(dim=0)


def _raw_gap(x: Tensor, y: Tensor) -> Tensor:
    return (x.mean(dim=0) - y.mean(dim=0)).norm()


def _normalised_centroids(x: Tensor, y: Tensor) -> Tensor:
    a, b = _centroids(x, y)
    return (F.normalize(a, dim=0) - F.normalize(b, dim=0)).norm()


def _squared(x: Tensor, y: Tensor) -> Tensor:
    a, b = _centroids(x, y)
    return (a - b).square().sum()


def _mean_pair_distance(x: Tensor, y: Tensor) -> Tensor:
    return (F.normalize(x, dim=1) - F.normalize(y, dim=1)).norm(dim=1).mean()


def _pair_by_pair(x: Tensor, y: Tensor) -> Tensor:
    return (F.normalize(x, dim=1) - F.normalize(y, dim=1)).mean(dim=0).norm()


def _summed(x: Tensor, y: Tensor) -> Tensor:
    return (F.normalize(x, dim=1).sum(dim=0) - F.normalize(y, dim=1).sum(dim=0)).norm()


def _cosine_of_centroids(x: Tensor, y: Tensor) -> Tensor:
    a, b = _centroids(x, y)
    return 1 - F.cosine_similarity(a, b, dim=0)


MODALITY_GAP = (
    Mistake("the rows are not normalised", "Long vectors would decide where the centroid is. Make each row a unit vector first.", _raw_gap),
    Mistake(
        "you normalised the centroids",
        "A centroid's length says how narrow its cone is; keep it. Normalise rows, not means.",
        _normalised_centroids,
    ),
    Mistake("that is the squared gap", "A root is missing: the gap is the length of the difference.", _squared),
    Mistake(
        "you averaged the distances of the pairs",
        "The mean goes inside: first one centroid for each modality, then one distance between the two.",
        _mean_pair_distance,
    ),
    Mistake(
        "you subtracted pair by pair",
        "The two clouds need not have the same number of points: take each centroid by itself, then their difference.",
        _pair_by_pair,
    ),
    Mistake("sums instead of means", "A centroid is the mean of the rows; with sums the gap grows with the sample.", _summed),
    Mistake(
        "you measured an angle", "The gap is the Euclidean distance of the centroids, not one minus their cosine.", _cosine_of_centroids
    ),
)


def _unit(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    return x, y, x.mean(dim=0) - y.mean(dim=0)


def _off_the_sphere(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    x, y, offset = _unit(x, y)
    return torch.stack([x - share * offset / 2, y + share * offset / 2])


def _whole_way(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    x, y, offset = _unit(x, y)
    return F.normalize(torch.stack([x - share * offset, y + share * offset]), dim=2)


def _one_side(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    x, y, offset = _unit(x, y)
    return torch.stack([F.normalize(x - share * offset, dim=1), y])


def _unit_step(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    x, y, offset = _unit(x, y)
    step = share * F.normalize(offset, dim=0) / 2
    return F.normalize(torch.stack([x - step, y + step]), dim=2)


def _wrong_way(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    x, y, offset = _unit(x, y)
    return F.normalize(torch.stack([x + share * offset / 2, y - share * offset / 2]), dim=2)


def _centred_each(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    x, y, _ = _unit(x, y)
    return F.normalize(torch.stack([x - share * x.mean(dim=0), y - share * y.mean(dim=0)]), dim=2)


def _raw_offset(x: Tensor, y: Tensor, share: float = 1.0) -> Tensor:
    offset = x.mean(dim=0) - y.mean(dim=0)
    x, y, _ = _unit(x, y)
    return F.normalize(torch.stack([x - share * offset / 2, y + share * offset / 2]), dim=2)


CLOSE_GAP = (
    Mistake("the moved points are off the sphere", "Normalise again after moving: the loss sees directions only.", _off_the_sphere),
    Mistake("each side went the whole way", "Both move, so each takes half: otherwise they pass each other.", _whole_way),
    Mistake("only one side moved", "Both modalities move by half of the way; you moved the images alone.", _one_side),
    Mistake(
        "your step has length one half whatever the gap",
        "Use the difference of the centroids itself, not its unit vector: share = 1 should close the gap of any size.",
        _unit_step,
    ),
    Mistake("you pushed them apart", "Images minus texts points from the texts to the images: images must go against it.", _wrong_way),
    Mistake(
        "you centred each modality",
        "Subtracting each modality's own mean removes both cones. Only the difference of the two means is to go.",
        _centred_each,
    ),
    Mistake(
        "the offset is that of the raw vectors",
        "Compute the centroids from unit vectors: normalise before you take the means.",
        _raw_offset,
    ),
)
