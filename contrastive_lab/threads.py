"""As many threads as there are cores to run on: a container's quota counts, not the cores of the machine below it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_cores(cgroup: Path = CGROUP) -> int:
    """Cores this process may use: the smaller of its CPU affinity and the quota of its control group, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, int(quota)))


def limit_threads() -> int:
    """Cap the thread pools of OpenMP and numba at `available_cores()` and return that number.

    A variable that is set already wins. Torch reads OMP_NUM_THREADS when it is first imported; where that has happened, its pool is
    made smaller, never larger.
    """
    cores = available_cores()
    torch = sys.modules.get("torch")
    if torch is not None and "OMP_NUM_THREADS" not in os.environ and torch.get_num_threads() > cores:
        torch.set_num_threads(cores)
    os.environ.setdefault("OMP_NUM_THREADS", str(cores))
    # numba refuses a change of this variable once its threads run.
    if "numba" not in sys.modules:
        os.environ.setdefault("NUMBA_NUM_THREADS", str(cores))
    return cores


def _quota(cgroup: Path) -> float | None:
    """Cores granted by the control group (version 2, else version 1); None without a limit or off Linux."""
    version_2 = _read(cgroup / "cpu.max")
    if len(version_2) == 2:
        return _ratio(*version_2)
    old = cgroup / "cpu"
    version_1 = _read(old / "cpu.cfs_quota_us") + _read(old / "cpu.cfs_period_us")
    return _ratio(*version_1) if len(version_1) == 2 else None


def _read(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _ratio(quota: str, period: str) -> float | None:
    """`max` (version 2) and -1 (version 1) stand for no limit."""
    try:
        ratio = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return ratio if ratio > 0 else None
