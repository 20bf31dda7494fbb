"""Batch norm over parts of the batch, so that a positive pair can't be recognised by shared statistics (MoCo on one device)."""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


class SplitBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with separate statistics for `splits` parts of the batch: image n belongs to part n mod `splits`.

    In eval mode it is ordinary batch norm; its running statistics are the average over the parts.
    """

    def __init__(self, num_features: int, *, splits: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        if splits < 1:
            raise ValueError(f"splits is {splits}, but must be at least 1; MoCo on one device uses 8")
        super().__init__(num_features, eps=eps, momentum=momentum)
        self.splits = splits

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        if not self.training:
            return super().forward(x)
        if len(x) % self.splits:
            raise ValueError(f"the batch of {len(x)} images can't be cut into splits={self.splits} equal parts; change one of the two")
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        parts = x.reshape(len(x) // self.splits, self.splits * self.num_features, *x.shape[2:])
        mean, variance = self.running_mean.repeat(self.splits), self.running_var.repeat(self.splits)
        scale, shift = self.weight.repeat(self.splits), self.bias.repeat(self.splits)
        normed = F.batch_norm(parts, mean, variance, scale, shift, True, self.momentum or 0.0, self.eps)
        with torch.no_grad():
            self.running_mean.copy_(mean.view(self.splits, -1).mean(dim=0))
            self.running_var.copy_(variance.view(self.splits, -1).mean(dim=0))
            self.num_batches_tracked.add_(1)
        return normed.reshape(x.shape)


def split_batch_norm(module: M, splits: int) -> M:
    """Replace every `BatchNorm2d` inside `module` by a `SplitBatchNorm2d` with the same weights; returns the changed module."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            split = SplitBatchNorm2d(child.num_features, splits=splits, eps=child.eps, momentum=child.momentum or 0.0)
            split.load_state_dict(child.state_dict())
            setattr(module, name, split)
        else:
            split_batch_norm(child, splits)
    return module
