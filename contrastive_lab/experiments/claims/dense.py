"""PixPro (Xie et al. 2021): agreement of cells, instead of images, gains where cells are evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from contrastive_lab import data, measures
from contrastive_lab.data import Images
from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work
from contrastive_lab.experiments.claims.fit import fit
from contrastive_lab.methods import METHODS, Method
from contrastive_lab.training import Settings, prepare
from contrastive_lab.training.locality import object_cells
from contrastive_lab.training.observe import at_rest

LEARNERS = ("pixpro", "pixcontrast", "simclr", "untrained")
TITLES = {"pixpro": "PixPro", "pixcontrast": "PixContrast", "simclr": "SimCLR", "untrained": "untrained"}
STL_SIDE = 48
LOOKED_AT = 500
"""Images whose cells are probed or ranked."""


def matched(settings: Settings, images: Images) -> Method:
    """The method on the very network that PixPro starts from: dense (at least 8 x 8 cells) and with equal first weights in all arms."""
    plain = dataclasses.replace(settings, method="pixpro", options={})
    encoder = prepare(plain, images).encoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return METHODS[settings.method].build(lambda **_: encoder, **settings.options)


def cell_labels(masks: UInt8[Tensor, "N H W"], grid: tuple[int, ...]) -> Int64[Tensor, "N h w"]:
    """For each cell of the grid the mask value that covers most of it; the lower one of two that cover equally much."""
    values = masks.long()
    shares = F.one_hot(values, int(values.max()) + 1).movedim(-1, 1).float()
    return F.interpolate(shares, size=tuple(grid), mode="area").argmax(dim=1)


def mean_iou(predicted: Int64[Tensor, "M"], truth: Int64[Tensor, "M"]) -> float:
    """Intersection over union, averaged over the classes that occur in either."""
    values = []
    for c in sorted({*predicted.tolist(), *truth.tolist()}):
        found, real = predicted == c, truth == c
        values.append(float((found & real).sum()) / float((found | real).sum()))
    return sum(values) / len(values)


def linear_segmentation(
    known: Float[Tensor, "N D h w"],
    known_masks: UInt8[Tensor, "N H W"],
    asked: Float[Tensor, "M D h w"],
    asked_masks: UInt8[Tensor, "M H W"],
) -> dict[str, float]:
    """A linear classifier of single cells (mask values, background included): mean IoU and mean accuracy over classes, 0 ... 1."""
    rows, questions = (maps.movedim(1, -1).flatten(0, 2) for maps in (known, asked))
    labels, truth = (
        cell_labels(masks, maps.shape[2:]).flatten().to(rows.device) for masks, maps in ((known_masks, known), (asked_masks, asked))
    )
    result = measures.linear_probe(rows, labels, questions, truth)
    recalls = result.per_class.values()
    return {"segmentation_iou": mean_iou(result.predictions, truth), "segmentation_recall": sum(recalls) / len(recalls)}


def cell_locality(maps: Float[Tensor, "N D h w"], images: Images) -> float:
    """Mean `locality_auroc` over the images whose map has object and background cells."""
    masks = object_cells(images, tuple(maps.shape[2:]))
    pairs = zip(maps.cpu(), masks, strict=True)
    values = [measures.locality_auroc(cells.flatten(1).T.contiguous(), mask) for cells, mask in pairs if 1 < int(mask.sum()) < mask.numel()]
    return sum(values) / len(values)


def train_on_scenes(*, settings: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Segmentation by shape and locality on scenes of one object."""
    bank, queries = (data.load("scenes", split, two=0.0, count=number) for split, number in (("train", count), ("test", LOOKED_AT)))
    method, row = fit(settings, bank, matched(Settings.recommended(**settings), bank))
    seen = bank.take(slice(0, LOOKED_AT))
    known, asked = cell_maps(method, seen), cell_maps(method, queries)
    assert seen.masks is not None
    assert queries.masks is not None
    return {**row, **linear_segmentation(known, seen.masks, asked, queries.masks), "locality_auroc": cell_locality(asked, queries)}


def train_on_stl(*, settings: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Locality on photographs with hand-drawn masks."""
    bank, queries = data.load("stl10", count=count, size=STL_SIDE), data.load("stl10", "test", size=STL_SIDE)
    method, row = fit(settings, bank, matched(Settings.recommended(**settings), bank))
    masked = queries.take(queries.factors["has_mask"].nonzero()[:LOOKED_AT, 0])
    return {**row, "masked_images": len(masked), "locality_auroc": cell_locality(cell_maps(method, masked), masked)}


def cell_maps(method: Method, images: Images, chunk: int = 250) -> Float[Tensor, "N D h w"]:
    """Feature maps of clean images."""
    device = next(method.parameters()).device
    with at_rest(method):
        parts = [
            method.encoder.feature_map(images.take(slice(i, i + chunk)).to(device).as_float()).float() for i in range(0, len(images), chunk)
        ]
    return torch.cat(parts)


@cache
def stl_has_masks() -> bool:
    try:
        return data.load("stl10", "test", count=10).masks is not None
    except FileNotFoundError:
        return False


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    """STL-10 takes part where it lies with its masks."""
    every: dict[str, tuple[Work, dict[str, Any]]] = {}
    for name in LEARNERS:
        method, trained = (name, 1) if name != "untrained" else ("simclr", 0)
        settings = sizes.settings(method, "scenes", seed, epochs=3 * trained)
        every[f"scenes, {name}"] = (train_on_scenes, {"settings": settings, "count": min(sizes.count, 4000)})
        if stl_has_masks():
            settings = sizes.settings(method, "stl10", seed, epochs=trained, image_size=STL_SIDE, batch_size=128)
            every[f"stl10, {name}"] = (train_on_stl, {"settings": settings, "count": min(sizes.count, 5000)})
    return every


def questions(rows: Rows) -> Iterator[Question]:
    parts = (
        ("scenes", "segmentation_iou", "linear segmentation of the embedded world (mean IoU)"),
        ("scenes", "locality_auroc", "mask AUROC on the embedded world's cells"),
        ("stl10", "locality_auroc", "mask AUROC on STL-10 cells"),
    )
    for place, column, title in parts:
        for mine, rival in (("pixpro", "simclr"), ("pixcontrast", "simclr"), ("pixpro", "untrained")):
            one, two = rows.of(f"{place}, {mine}", column), rows.of(f"{place}, {rival}", column)
            yield Question(f"{TITLES[mine]} beats {TITLES[rival]} in {title}", f"{TITLES[mine]} - {TITLES[rival]}", one, two)


CLAIM = Claim(
    "pixpro",
    "PixPro gains on dense evaluation",
    arms,
    questions,
    ("segmentation_iou", "segmentation_recall", "locality_auroc"),
    "All arms train the same dense network from the same first weights, each with its own recipe. STL-10 at 48 pixels; "
    "where the set or its "
    "masks are absent, its rows are missing.",
)
