"""The slow copy of a network that provides targets, and a momentum that rises."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn


class MomentumTwin(nn.Module):
    """A deep copy of `module` that follows it by an exponential moving average of the parameters and never gets a gradient.

    It runs in training mode: its batch norms use batch statistics and keep running buffers of their own, which are not averaged.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = copy.deepcopy(module).requires_grad_(False).train()

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @torch.no_grad()
    def update(self, source: nn.Module, momentum: float) -> None:
        """parameters <- momentum * parameters + (1 - momentum) * source's parameters; 1 keeps the twin, 0 makes it a copy."""
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum is {momentum}, but must lie in [0, 1]; 0.99 suits short runs, 0.999 long ones")
        own: list[torch.Tensor] = list(self.module.parameters())
        new: list[torch.Tensor] = list(source.parameters())
        if [p.shape for p in own] != [p.shape for p in new]:
            raise ValueError("source has other parameters than the twin; pass the module that the twin was made from")
        torch._foreach_lerp_(own, new, 1 - momentum)


def rising_momentum(base: float, done: float) -> float:
    """`base` at the start and 1 at the end, along a cosine (BYOL, PixPro). `done`: share of the run that is over, from 0 to 1.

    Papers differ in whether the update that is just made counts as over; in our PixPro it does.
    """
    return 1 - (1 - base) * (math.cos(math.pi * done) + 1) / 2
