"""One batch out of the batches of several processes, with gradients; with one process nothing happens."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor


def world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather(rows: Shaped[Tensor, "N *rest"]) -> Shaped[Tensor, "M *rest"]:
    """Rows of all processes, stacked by rank; every process must hold equally many.

    Each process then computes the same loss of the joint batch. The backward pass sums the (equal) gradients of all processes,
    and DDP divides by their number, so that the weights move as if one process had seen the joint batch.
    """
    return rows if world_size() == 1 else _Gather.apply(rows)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.count = len(rows)
        parts = [torch.empty_like(rows) for _ in range(world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        start = dist.get_rank() * ctx.count
        return total[start : start + ctx.count]
