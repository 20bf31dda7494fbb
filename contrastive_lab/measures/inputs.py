"""What every measure demands of its tensors, checked before any work."""

from __future__ import annotations

import math
import sys
import warnings

import torch
from torch import Tensor

_NOT_THE_CALLER = ("contrastive_lab.measures", "contextlib", "jaxtyping", "beartype")


class SampleSizeWarning(UserWarning):
    """Too few rows for the number of dimensions: the value says more about the sample than about the encoder."""


def points(name: str, x: Tensor, *, at_least: int = 2, normalize: bool = False) -> Tensor:
    """`x` as (N, D) floats that a measure can trust, on the CPU where the device knows no float64 (Apple's mps).

    Raises TypeError for anything but floats, ValueError for a wrong shape, fewer than `at_least` rows, NaN or infinity,
    and, where the measure will normalise rows, for a row of zeros.
    """
    _tensor(name, x)
    if not x.is_floating_point():
        raise TypeError(f"{name} has type {x.dtype}, but must be a floating-point tensor; convert with .float()")
    if x.ndim != 2 or x.shape[1] < 1:
        raise ValueError(f"{name} has shape {tuple(x.shape)}, but must be (N, D) with D >= 1; flatten everything but the first axis")
    if len(x) < at_least:
        raise ValueError(f"{name} has {len(x)} rows, but at least {at_least} are needed")
    x = x.detach()
    x = x.cpu() if x.device.type == "mps" else x
    low, high = x.amin(dim=1), x.amax(dim=1)
    if not bool((low.isfinite() & high.isfinite()).all()):
        raise ValueError(f"{name} holds NaN or infinity; look for a diverged or half-precision overflow run")
    if normalize and bool(((low == 0) & (high == 0)).any()):
        row = int(((low == 0) & (high == 0)).nonzero()[0])
        raise ValueError(f"row {row} of {name} is all zeros and has no direction; drop such rows or look for dead units")
    return x


def _tensor(name: str, x: Tensor) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} is a {type(x).__name__}, but must be a tensor; convert with torch.as_tensor")


def same_shape(x: Tensor, y: Tensor, *, names: tuple[str, str] = ("x", "y")) -> None:
    if x.shape != y.shape:
        raise ValueError(f"{names[0]} has shape {tuple(x.shape)} and {names[1]} {tuple(y.shape)}; row i of both must be one pair")


def same_width(x: Tensor, y: Tensor, *, names: tuple[str, str] = ("x", "y")) -> None:
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"{names[0]} has {x.shape[1]} dimensions and {names[1]} {y.shape[1]}; both must live in one space")


def class_numbers(name: str, labels: Tensor, rows: Tensor, *, classes: int | None = None) -> Tensor:
    """`labels` as int64 on the device of `rows`, one class number >= 0 (and below `classes`) for each row."""
    _tensor(name, labels)
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"{name} has type {labels.dtype}, but must be integer class numbers")
    if labels.shape != rows.shape[:1]:
        raise ValueError(f"{name} has shape {tuple(labels.shape)} for {len(rows)} rows; give one class number for each row")
    labels = labels.to(rows.device, torch.int64)
    if int(labels.min()) < 0 or (classes is not None and int(labels.max()) >= classes):
        allowed = ">= 0" if classes is None else f"0 ... {classes - 1}"
        raise ValueError(f"{name} runs from {int(labels.min())} to {int(labels.max())}, but class numbers must be {allowed}")
    return labels


def positive(**settings: float | int) -> None:
    """Raise unless every named number is finite and above zero."""
    for name, value in settings.items():
        if isinstance(value, Tensor) or not hasattr(value, "__float__"):
            raise TypeError(f"{name} is {value!r}, but must be a number")
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}, but must be finite and above 0")


def whole(**settings: int) -> None:
    """Raise unless every named number is an integer of at least one."""
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value}, but must be an integer of at least 1")


def warn_if_few(z: Tensor, *, rows: int | None = None) -> None:
    """Warn below four rows per dimension; plane toys (D <= 2), which are worked by hand, stay silent."""
    n, d = len(z) if rows is None else rows, z.shape[1]
    if d <= 2 or n >= 4 * d:
        return
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(_NOT_THE_CALLER):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"{n} rows for {d} dimensions: below {4 * d} rows (4 D) rank measures are too low whatever the encoder does; "
        "compare with participation_ceiling(n, d) or measure more images",
        SampleSizeWarning,
        stacklevel=level,
    )
