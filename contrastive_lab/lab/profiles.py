"""Three sizes of the same lesson, chosen by the environment variable LAB_PROFILE."""

from __future__ import annotations

import os
from typing import TypeVar

VARIABLE = "LAB_PROFILE"
PROFILES = ("smoke", "laptop", "full")

T = TypeVar("T")


def current() -> str:
    """The profile in use: LAB_PROFILE where set, else "full" on a CUDA GPU and "laptop" without one."""
    chosen = os.environ.get(VARIABLE, "").strip().lower()
    if not chosen:
        import torch

        return "full" if torch.cuda.is_available() else "laptop"
    if chosen not in PROFILES:
        raise ValueError(
            f"{VARIABLE} is {os.environ[VARIABLE]!r}, but must be smoke (a test of the notebook, seconds), laptop (minutes on two cores) "
            "or full (one GPU); unset it to let the lab choose"
        )
    return chosen


def profile(*, smoke: T, laptop: T, full: T) -> T:
    """The value for the profile in use."""
    return {"smoke": smoke, "laptop": laptop, "full": full}[current()]
