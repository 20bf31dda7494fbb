"""Optimisers by name, which parameters decay, and the learning rate of each step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from contrastive_lab.training.machine import usable_device
from contrastive_lab.training.settings import Settings


def cosine_with_warmup(step: int, *, steps: int, warmup: int = 0) -> float:
    """Factor on the peak learning rate at `step` (from 0) of `steps`: a line up to 1 in `warmup` steps, then half a cosine towards 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))


def set_learning_rate(optimizer: torch.optim.Optimizer, settings: Settings, step: int, steps_per_epoch: int) -> float:
    """Write the rate of `step` into the optimiser; a pure function of the step, so that a resumed run needs no schedule state."""
    steps = settings.epochs * steps_per_epoch
    lr = settings.lr * cosine_with_warmup(step, steps=steps, warmup=round(settings.warmup_epochs * steps_per_epoch))
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr


def make_optimizer(method: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """The optimiser of `settings` over all parameters that take gradients; vectors (biases, norms) do not decay."""
    trained = [p for p in method.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    fused = True if usable_device(settings.device) == "cuda" else None  # one kernel for all parameters instead of several for each
    match settings.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=settings.lr, momentum=settings.momentum, fused=fused)
        case "adam":
            return torch.optim.Adam(groups, lr=settings.lr, fused=fused)
        case "adamw":
            return torch.optim.AdamW(groups, lr=settings.lr, fused=fused)
        case _:
            return _lars(groups, settings)


def _lars(groups: list[dict[str, Any]], settings: Settings) -> torch.optim.Optimizer:
    try:
        from timm.optim.lars import Lars
    except ImportError as error:
        raise ValueError("optimizer is 'lars', which comes from the library timm; `pip install timm`, or take 'sgd' or 'adamw'") from error
    optimizer: torch.optim.Optimizer = Lars(groups, lr=settings.lr, momentum=settings.momentum)
    return optimizer
