"""Small tables of numbers on the device of other tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def constant(values: Sequence[float] | Sequence[Sequence[float]], like: Tensor) -> Tensor:
    """`values` as a tensor with the dtype and device of `like`; `torch.tensor(values, device=...)` would make the CPU wait for a GPU."""
    return torch.tensor(values, dtype=like.dtype).to(like.device, non_blocking=True)
