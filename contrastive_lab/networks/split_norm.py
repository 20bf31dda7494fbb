"""Batch norm over parts of the batch, so that a positive pair can't be recognised by shared statistics (MoCo on one device)."""

from __future__ import annotations

from typing import TypeVar

import torch
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
        if len(x) * x.shape[2] * x.shape[3] == self.splits:
            raise ValueError(
                f"each of the splits={self.splits} parts has one value per channel, which has no variance; take a larger batch"
            )
        parts = x.reshape(-1, self.splits, *x.shape[1:])
        precise = parts.float() if parts.dtype.itemsize < 4 else parts
        variance, mean = torch.var_mean(precise, dim=(0, 3, 4), correction=0, keepdim=True)
        # One scale and one shift for each channel of a part, so that the images are read once more and not three times.
        scale = self.weight[:, None, None] * (variance + self.eps).rsqrt()
        shift = self.bias[:, None, None] - mean * scale
        normed = torch.addcmul(shift, parts, scale).to(x.dtype)
        with torch.no_grad():
            pixels = parts[:, 0, 0].numel()
            self.running_mean.lerp_(mean.flatten(0, 1).mean(dim=0).flatten(), self.momentum or 0.0)
            self.running_var.lerp_(variance.flatten(0, 1).mean(dim=0).flatten() * pixels / (pixels - 1), self.momentum or 0.0)
            self.num_batches_tracked.add_(1)
        return normed.flatten(0, 1)


def split_batch_norm(module: M, splits: int) -> M:
    """Replace every `BatchNorm2d` inside `module` by a `SplitBatchNorm2d` with the same parameters; returns the changed module."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            split = SplitBatchNorm2d(child.num_features, splits=splits, eps=child.eps, momentum=child.momentum or 0.0)
            if child.affine is False or child.running_mean is None:
                raise ValueError(f"{name} is {child}, but split batch norm needs affine=True and track_running_stats=True")
            # The same tensors: they keep their device, their dtype, and whatever optimiser has them already.
            split.weight, split.bias = child.weight, child.bias
            split.running_mean, split.running_var, split.num_batches_tracked = (
                child.running_mean,
                child.running_var,
                child.num_batches_tracked,
            )
            setattr(module, name, split.train(child.training))
        else:
            split_batch_norm(child, splits)
    return module
