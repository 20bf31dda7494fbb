"""SepCLR (Louiset et al. 2024): the joint-entropy term drives the salient factor out of the common code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive_lab import data, measures
from contrastive_lab.data import Images
from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, Work
from contrastive_lab.experiments.claims.fit import fit
from contrastive_lab.methods import SepCLR
from contrastive_lab.training.observe import at_rest

LAMBDAS = (0, 1, 10)
COMMON = {"textures": "texture", "cifar10": "photograph"}
"""What is behind the digit -> how the columns call the background's class."""
TESTED = 2000


def train_and_probe(*, settings: Mapping[str, Any], count: int, background: str = "textures") -> dict[str, Any]:
    """Logistic probes on clean target images: digit and background, each from the common and from the salient representation."""
    bank = data.load("digits", background=background, count=count)
    queries = data.load("digits", "test", background=background, count=TESTED)
    method, row = fit(settings, bank)
    assert isinstance(method, SepCLR)
    return {**row, **probe_codes(method, bank, queries, common=COMMON[background])}


def probe_codes(method: SepCLR, bank: Images, queries: Images, *, common: str = "texture") -> dict[str, float]:
    """Shares in 0 ... 1 under the names "digit from common", ...; chance is 1/10 for digits and photographs, 1/6 for textures."""
    factors = {"digit": "salient_label", common: "common_label"}
    known, asked = (_targets(images) for images in (bank, queries))
    spaces = {"common": 0, "salient": 1}
    codes = [_codes(method, images) for images in (known, asked)]
    return {
        f"{factor} from {space}": measures.linear_probe(
            codes[0][which], known.factors[label].to(codes[0][which].device), codes[1][which], asked.factors[label]
        ).top1
        for factor, label in factors.items()
        for space, which in spaces.items()
    }


def _targets(images: Images) -> Images:
    assert images.groups is not None
    return images.take(images.groups.nonzero()[:, 0])


def _codes(method: SepCLR, images: Images, chunk: int = 1000) -> tuple[Float[Tensor, "N Dc"], Float[Tensor, "N Ds"]]:
    device = next(method.parameters()).device
    with at_rest(method):
        parts = [method.codes(images.take(slice(start, start + chunk)).to(device).as_float()) for start in range(0, len(images), chunk)]
    return torch.cat([part.common for part in parts]).float(), torch.cat([part.salient for part in parts]).float()


def arms(sizes: Sizes, seed: int) -> Mapping[str, tuple[Work, dict[str, Any]]]:
    """Three weights over drawn textures; none and the largest over photographs, of which there must be more to learn their classes."""

    def arm(weight: int, **images: Any) -> tuple[Work, dict[str, Any]]:
        return train_and_probe, {"settings": sizes.settings("sepclr", "digits", seed, epochs=4, options={"lambda_jem": weight}), **images}

    few = {f"lambda {weight}": arm(weight, count=min(sizes.count, 4000)) for weight in LAMBDAS}
    many = {f"cifar10, lambda {weight}": arm(weight, count=sizes.count, background="cifar10") for weight in (LAMBDAS[0], LAMBDAS[-1])}
    return few | many


def questions(rows: Rows) -> Iterator[Question]:
    none, least, most = (f"lambda {weight}" for weight in LAMBDAS)
    for weight, arm in ((LAMBDAS[1], least), (LAMBDAS[2], most)):
        change = f"lambda {weight} - lambda 0"
        leak, kept = "digit from common", "digit from salient"
        yield Question(
            f"The digit is harder to read from the common code at lambda {weight}", change, rows.of(arm, leak), rows.of(none, leak), False
        )
        yield Question(
            f"The digit is easier to read from the salient code at lambda {weight}", change, rows.of(arm, kept), rows.of(none, kept)
        )
    for factor, home, away in (("digit", "salient", "common"), ("texture", "common", "salient")):
        text = f"At lambda {LAMBDAS[2]} the {home} code tells more of the {factor} than the {away} code"
        yield Question(text, f"{home} - {away}", rows.of(most, f"{factor} from {home}"), rows.of(most, f"{factor} from {away}"))
    before, after = (f"cifar10, lambda {weight}" for weight in (LAMBDAS[0], LAMBDAS[-1]))
    for space, larger in (("common", False), ("salient", True)):
        text = f"Over photographs the digit is {'easier' if larger else 'harder'} to read from the {space} code at lambda {LAMBDAS[-1]}"
        column = f"digit from {space}"
        yield Question(text, f"lambda {LAMBDAS[-1]} - lambda 0", rows.of(after, column), rows.of(before, column), larger)
    text = f"At lambda {LAMBDAS[-1]} the common code tells more of the photograph's class than the salient code"
    yield Question(text, "common - salient", rows.of(after, "photograph from common"), rows.of(after, "photograph from salient"))


CLAIM = Claim(
    "sepclr",
    "SepCLR separates the digit from its background",
    arms,
    questions,
    (*(f"{factor} from {space}" for factor in ("digit", *COMMON.values()) for space in ("common", "salient")), "shared information"),
    "scikit-learn's digits over drawn textures, and over CIFAR-10's photographs as in the paper (which takes MNIST's digits and 50,000 "
    "images); logistic probes trained and tested on target images (chance: digit and photograph 0.10, texture 0.17).",
)
