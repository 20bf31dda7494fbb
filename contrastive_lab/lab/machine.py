"""What this machine has, in numbers that a notebook can print."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass

from contrastive_lab.threads import available_cores


@dataclass(frozen=True)
class Machine:
    """`memory` is in GB, None where the platform doesn't say; `host` is where the kernel runs."""

    device: str
    cores: int
    memory: float | None
    python: str
    torch: str
    host: str


def inspect() -> Machine:
    """Look at the machine the kernel runs on."""
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    if device == "CPU" and torch.backends.mps.is_available():
        device = "Apple GPU (MPS)"
    return Machine(
        device=device,
        cores=available_cores(),
        memory=total_memory(),
        python=platform.python_version(),
        torch=str(torch.__version__),
        host=host(),
    )


def host() -> str:
    if "google.colab" in sys.modules:
        return "Colab"
    return "Binder" if "BINDER_SERVICE_HOST" in os.environ else "this computer"


def total_memory() -> float | None:
    """Memory in GB: of the machine, or what the container's limit leaves of it."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                total = min(total, int(file.read()))
        except (OSError, ValueError):
            continue
    return total / 1e9


def used_memory() -> float | None:
    """Largest memory in GB that this process ever held; None where the platform doesn't say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)
