"""Two memories of past features: MoCo's ring of keys and SwAV's first-in first-out list of projections."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn


class KeyQueue(nn.Module):
    """A ring of `length` keys that starts with random unit rows; the oldest rows are overwritten first (MoCo).

    The write position is a buffer on the device, so that nothing waits for the device and a checkpoint holds all of the state.
    """

    rows: Float[Tensor, "Q D"]
    position: Int64[Tensor, ""]

    def __init__(self, length: int, dim: int) -> None:
        super().__init__()
        _check(length, dim)
        self.register_buffer("rows", F.normalize(torch.randn(length, dim), dim=1))
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def enqueue(self, keys: Float[Tensor, "N D"]) -> Int64[Tensor, "M"]:
        """Put unit keys in place of the oldest rows, which are returned; of more than `length` keys the last ones stay."""
        length = len(self.rows)
        _check_width(keys, self.rows)
        start = self.position + max(len(keys) - length, 0)
        keys = keys[-length:].detach().to(self.rows.dtype)
        place = (start + torch.arange(len(keys), device=self.rows.device)) % length
        # A new tensor, because the loss of this step may still need the old rows in its backward pass.
        self.rows = self.rows.index_copy(0, place, keys)
        self.position = (start + len(keys)) % length
        return place


class FeatureQueue(nn.Module):
    """The latest `length` projections, newest first (SwAV); of no use before it `is_full`."""

    rows: Float[Tensor, "Q D"]
    filled: Int64[Tensor, ""]

    def __init__(self, length: int, dim: int) -> None:
        super().__init__()
        _check(length, dim)
        self.register_buffer("rows", torch.zeros(length, dim))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether every row was pushed; answered on the host, without waiting for the device."""
        return self._count >= len(self.rows)

    @torch.no_grad()
    def push(self, z: Float[Tensor, "N D"]) -> None:
        """Put `z` in front, its last row first, and drop the oldest rows."""
        _check_width(z, self.rows)
        length = len(self.rows)
        self.rows = torch.cat([z.detach().to(self.rows.dtype).flip(0), self.rows])[:length].contiguous()
        self._count = min(self._count + len(z), length)
        self.filled = torch.full_like(self.filled, self._count)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._count = int(self.filled)


def _check(length: int, dim: int) -> None:
    for name, value in (("length", length), ("dim", dim)):
        if value < 1:
            raise ValueError(f"{name} of the queue is {value}, but must be at least 1")


def _check_width(new: Tensor, rows: Tensor) -> None:
    if new.ndim != 2 or new.shape[1] != rows.shape[1]:
        raise ValueError(f"rows for the queue have shape {tuple(new.shape)}, but must be (N, {rows.shape[1]})")
