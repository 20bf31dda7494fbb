"""Where a number was measured: hardware, versions, commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import torch


def environment() -> dict[str, str | int]:
    """What a result needs beside it to be read later. `commit` ends in "+" if Python files differed from it, and is "" outside git."""
    cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else f"CPU {platform.processor() or platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("torch", "torchvision", "numpy")},
        "commit": commit_of(Path(__file__).resolve().parent),
    }


def commit_of(folder: Path) -> str:
    """The commit that is checked out around `folder`, with "+" if any Python file of that checkout differs from it; "" outside git."""
    try:
        ask = {"cwd": folder, "capture_output": True, "text": True, "check": True, "timeout": 10}
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **ask).stdout.strip()  # type: ignore[call-overload]
        # Only code: a run writes results and finished runs itself, and an opened notebook changes.
        status = ["git", "status", "--porcelain", "--untracked-files=all", "--", ":(top)*.py"]
        changed = subprocess.run(status, **ask).stdout.strip()  # type: ignore[call-overload]
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit + ("+" if changed else "")
