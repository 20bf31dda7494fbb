"""Numbers of a model as numpy sees them, wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64

Values = Any
"""Numbers as a list, an array or a tensor: whatever `on_host` can read."""


def on_host(values: Values) -> Float64[np.ndarray, "*shape"]:
    """float64 in this computer's memory: of a list, an array, or a tensor that may lie on a GPU, carry a gradient or be bfloat16."""
    if hasattr(values, "detach"):  # a tensor; figures know nothing of torch
        values = values.detach().cpu().double()
    elif isinstance(values, list | tuple) and any(hasattr(value, "detach") for value in values):
        values = [on_host(value) for value in values]
    return np.asarray(values, dtype=np.float64)
