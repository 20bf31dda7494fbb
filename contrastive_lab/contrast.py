"""The one log-space core: what InfoNCE, DCL, SupCon, MoCo, MoCHi, Hydra and CLIP share.

Every one of these losses looks at scores (similarity / temperature) of anchors against candidates and writes, for anchor a and
positive p,  log(sum below the line) - score(a, p).  They differ in which pairs are positive, what stands below the line, what is
added to it, and how the terms are averaged. Those are the arguments of `contrast`; a method's loss says which one its paper changes.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

Below = Literal["all", "negatives", "own"]
Average = Literal["anchor", "pair"]
Temperature = float | Float[Tensor, ""]
"""A number, or a tensor that holds one and may be learned: it gets a gradient."""


def cosine_scores(
    anchors: Float[Tensor, "A D"], candidates: Float[Tensor, "B D"], *, temperature: Temperature | Float[Tensor, "A"]
) -> Float[Tensor, "A B"]:
    """Cosines divided by the temperature (one number, or one for each anchor), in float32 or better."""
    with torch.autocast(anchors.device.type, enabled=False):  # bf16 scores at temperature 0.1 are off by whole percents
        scores = unit(anchors) @ unit(candidates).T
    return scores / (temperature[:, None] if isinstance(temperature, Tensor) and temperature.ndim else temperature)


def unit(vectors: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """Rows of length one, in float32 or better; a zero row stays zero."""
    return F.normalize(precise(vectors), dim=-1, eps=1e-12)


def precise(numbers: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The same numbers in float32 or better."""
    return numbers.float() if numbers.dtype.itemsize < 4 else numbers


def contrast(
    scores: Float[Tensor, "A B"],
    positives: Bool[Tensor, "A B"] | Float[Tensor, "A B"],
    *,
    negatives: Bool[Tensor, "A B"] | None = None,
    extra: Float[Tensor, "A E"] | None = None,
    below: Below = "all",
    pull: Float[Tensor, "A"] | None = None,
    average: Average = "anchor",
) -> Float[Tensor, ""]:
    """Mean of `log(sum below the line) - score` over the positives of each anchor.

    positives: which candidates attract each anchor; a float matrix gives them unequal weights (soft targets).
    negatives: which candidates repel; by default all that are not positive. Candidates in neither set are ignored.
    extra: scores of further negatives, each anchor with its own (queue rows, synthetic points).
    below: what is summed below the line: "all" positives and negatives (InfoNCE, SupCon), "negatives" alone (DCL),
        or the pair's "own" positive and the negatives, without the other positives (Hydra).
    pull: factor on the positive score of each anchor (DCLW); 1 by default.
    average: "anchor" weighs anchors equally, those without a positive count as 0; "pair" weighs (anchor, positive) pairs equally.
    """
    for name, value, allowed in (("below", below, get_args(Below)), ("average", average, get_args(Average))):
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(map(repr, allowed))}")
    for name, mask in (("positives", positives), ("negatives", negatives)):
        if mask is not None and mask.shape != scores.shape:
            raise ValueError(f"{name} has shape {tuple(mask.shape)}, but must be that of scores, {tuple(scores.shape)}")
    if negatives is not None and negatives.dtype != torch.bool:
        raise TypeError(f"negatives has dtype {negatives.dtype}, but must be bool: True where a candidate repels")
    if pull is not None and pull.shape != scores.shape[:1]:
        raise ValueError(f"pull has shape {tuple(pull.shape)}, but must have one factor for each of {len(scores)} anchors")
    weights = positives.to(scores.dtype)
    is_positive = positives > 0
    repelling = ~is_positive if negatives is None else negatives
    beneath = (repelling | is_positive) if below == "all" else repelling
    line = scores.masked_fill(~beneath, -math.inf)
    if extra is not None:
        line = torch.cat([line, extra], dim=1)
    level = line.logsumexp(dim=1, keepdim=True)
    if below == "own":
        level = torch.logaddexp(scores, level)
    attraction = scores if pull is None else pull[:, None] * scores
    # Selecting, not multiplying by the mask: 0 * inf would be NaN for anchors without negatives.
    terms = torch.where(is_positive, level - attraction, 0.0) * weights
    if average == "pair":
        return terms.sum() / weights.sum().clamp_min(torch.finfo(scores.dtype).tiny)
    share = weights.sum(dim=1).clamp_min(torch.finfo(scores.dtype).tiny)
    return (terms.sum(dim=1) / share).mean()


def twins(count: int, device: torch.device | str | None = None) -> tuple[Bool[Tensor, "A A"], Bool[Tensor, "A A"]]:
    """Masks for two stacked views of `count` images: the other view of the same image, and all views of other images."""
    image = torch.arange(count, device=device).repeat(2)
    same_image = image[:, None] == image
    twin = same_image & ~torch.eye(2 * count, dtype=torch.bool, device=device)
    return twin, ~same_image


def check_pair(z1: Tensor, z2: Tensor, *, at_least: int = 2, names: tuple[str, str] = ("z1", "z2")) -> None:
    """Raise unless both are floating (N, D) tensors of one shape with N >= `at_least`."""
    for name, z in zip(names, (z1, z2), strict=True):
        check_floating(**{name: z})
        if z.ndim != 2 or z.shape[1] < 1:
            raise ValueError(f"{name} has shape {tuple(z.shape)}, but must be (N, D) with D >= 1")
    if z1.shape != z2.shape:
        raise ValueError(
            f"{names[0]} has shape {tuple(z1.shape)} and {names[1]} {tuple(z2.shape)}; views of the same images have one shape"
        )
    check_one_dtype(**dict(zip(names, (z1, z2), strict=True)))
    if len(z1) < at_least:
        why = ": with one there is no negative" if at_least > 1 else ""
        raise ValueError(f"{names[0]} has {len(z1)} rows, but at least {at_least} images are needed{why}")


def check_floating(**embeddings: Tensor) -> None:
    """Raise unless every named tensor holds floating-point numbers."""
    for name, value in embeddings.items():
        _check_tensor(name, value)
        if not value.is_floating_point():
            raise TypeError(f"{name} has dtype {value.dtype}, but embeddings must be floating point; convert with .float()")


def check_one_dtype(**embeddings: Tensor) -> None:
    """Raise if some tensors are float64 and others not: half precision is raised to float32, but nobody's float64 is cut silently."""
    kinds = {name: value.dtype for name, value in embeddings.items()}
    if len({dtype == torch.float64 for dtype in kinds.values()}) > 1:
        raise TypeError(f"{' and '.join(f'{name} has dtype {dtype}' for name, dtype in kinds.items())}; convert one with .to(dtype)")


def check_class_numbers(count: int, **labels: Tensor) -> None:
    """Raise unless every named tensor holds `count` integers or booleans."""
    for name, value in labels.items():
        _check_tensor(name, value)
        if value.is_floating_point() or value.shape != (count,):
            raise ValueError(f"{name} has shape {tuple(value.shape)} and dtype {value.dtype}, but must be {count} integers")


def _check_tensor(name: str, value: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}, but must be a tensor; convert with torch.as_tensor")


def readable(values: Tensor) -> bool:
    """Whether a check may look at values: on a GPU that would wait for it, inside a compiled function it would cut it in two."""
    return values.device.type == "cpu" and not torch.compiler.is_compiling()


def check_positive(**settings: Temperature) -> None:
    """Raise unless every named number is finite and above zero; one that lies on a GPU is trusted."""
    for name, value in settings.items():
        if isinstance(value, Tensor):
            if value.ndim:
                raise ValueError(f"{name} has shape {tuple(value.shape)}, but must be one number or a tensor without axes; take .squeeze()")
            if not readable(value):
                continue
            value = value.detach().item()
        elif not hasattr(value, "__float__"):
            raise TypeError(f"{name} is {value!r}, but must be a number")
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}, but must be finite and above 0")
