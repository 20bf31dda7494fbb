"""What this machine has, what is missing, and what the lab will cost on it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

PACKAGES = ("numpy", "scikit-learn", "lightning-fabric", "plotly", "matplotlib", "jupyterlab", "ipywidgets", "umap-learn")
OPTIONAL = ("jupyterlab", "ipywidgets", "umap-learn")
CGROUP = Path("/sys/fs/cgroup")
LEAST_MEMORY = 2.0
"""Gigabytes that the laptop profile needs."""


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis; `remedy` says what helps where something is not good."""

    name: str
    value: str
    state: Literal["good", "warn", "bad"] = "good"
    remedy: str = ""

    @property
    def mark(self) -> str:
        return {"good": "ok  ", "warn": "note", "bad": "BAD "}[self.state]


def diagnose(*, speed: bool = True) -> list[Finding]:
    """All findings, most basic first; a check that itself fails becomes a finding."""
    checks: list[Callable[[], list[Finding]]] = [_system, _torch, _packages, _device, _memory, _cores, _disk, _data]
    findings: list[Finding] = []
    for check in [*checks, _cost] if speed else checks:
        try:
            findings += check()
        except Exception as error:
            findings.append(
                Finding(check.__name__.strip("_"), f"{type(error).__name__}: {error}", "bad", "this check failed; report this text")
            )
    return findings


def machine(device: str = "cpu") -> dict[str, str]:
    """Hardware and versions of a run, for its record."""
    import torch

    name = torch.cuda.get_device_name() if device.startswith("cuda") else platform.processor() or platform.machine()
    return {
        "device": f"{device.upper() if device == 'cpu' else device} {name}",
        "cores": f"{_available_cores()} cores",
        "memory": f"{memory_limit():.0f} GB",
        "system": platform.platform(),
        "python": f"Python {platform.python_version()}",
        "torch": f"torch {torch.__version__}",
        "torchvision": f"torchvision {_version('torchvision')}",
        "lab": f"contrastive_lab {_lab_version()}",
    }


def torch_family(torch: str, torchvision: str) -> str:
    """Why these two can't work together, or an empty text. torch 2.N belongs to torchvision 0.(N + 15), builds must match."""
    found = re.match(r"2\.(\d+)", torch), re.match(r"0\.(\d+)", torchvision)
    if all(found):
        minor, other = (int(match.group(1)) for match in found if match)
        if other != minor + 15:
            return f"torch {torch} belongs to torchvision 0.{minor + 15}, not {torchvision}"
    builds = [version.partition("+")[2] for version in (torch, torchvision)]
    if all(builds) and builds[0] != builds[1]:
        return f"torch is a {builds[0]!r} build and torchvision a {builds[1]!r} build"
    return ""


def memory_limit(cgroup: Path = CGROUP) -> float:
    """Gigabytes this process may use: the machine's memory or the container's limit, whichever is smaller; NaN where unknown."""
    limits = [_whole_memory()]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((cgroup / name).read_text()) / 1e9)
        except (OSError, ValueError):
            continue
    known = [limit for limit in limits if limit > 0]
    return min(known) if known else float("nan")


def _system() -> list[Finding]:
    old = sys.version_info < (3, 11)
    remedy = "contrastive_lab needs Python 3.11 or newer" if old else ""
    python = Finding("python", f"{platform.python_version()} at {sys.executable}", "bad" if old else "good", remedy)
    return [Finding("lab", _lab_version()), Finding("system", platform.platform()), python]


def _torch() -> list[Finding]:
    pair = _version("torch"), _version("torchvision")
    value, remedy = (
        f"torch {pair[0]}, torchvision {pair[1]}",
        "install both from one index: pip install --force-reinstall torch torchvision",
    )
    if "missing" in pair:
        return [Finding("torch", value, "bad", remedy)]
    trouble = torch_family(*pair)
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:
        return [Finding("torch", f"{value}: {trouble or error}", "bad", remedy)]
    return [Finding("torch", f"{value}{': ' + trouble if trouble else ''}", "warn" if trouble else "good", remedy if trouble else "")]


def _packages() -> list[Finding]:
    versions = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in versions.items() if version == "missing"]
    needed = [name for name in missing if name not in OPTIONAL]
    value = ", ".join(f"{name} {version}" for name, version in versions.items())
    remedy = f"pip install {' '.join(missing)}" + ("" if needed else " (only notebooks need them)") if missing else ""
    return [Finding("packages", value, "bad" if needed else "warn" if missing else "good", remedy)]


def _device() -> list[Finding]:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return [Finding("device", f"cuda: {torch.cuda.get_device_name()}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free")]
    if torch.backends.mps.is_available():
        return [Finding("device", "mps: Apple GPU")]
    return [
        Finding("device", f"cpu: {platform.processor() or platform.machine()}; no GPU was found, the smoke and laptop profiles need none")
    ]


def _memory() -> list[Finding]:
    limit = memory_limit()
    if limit != limit:
        return [Finding("memory", "unknown", "warn")]
    small = limit < LEAST_MEMORY
    remedy = f"the laptop profile wants {LEAST_MEMORY:.0f} GB; set LAB_PROFILE=smoke" if small else ""
    return [Finding("memory", f"{limit:.1f} GB", "warn" if small else "good", remedy)]


def _cores() -> list[Finding]:
    import torch

    cores, threads = _available_cores(), torch.get_num_threads()
    over = threads > cores
    remedy = f"more threads than cores slow torch down; set OMP_NUM_THREADS={cores}" if over else ""
    return [Finding("cores", f"{cores} usable of {os.cpu_count()}, torch uses {threads} threads", "warn" if over else "good", remedy)]


def _disk() -> list[Finding]:
    free = shutil.disk_usage(".").free / 1e9
    writable = os.access(".", os.W_OK)
    remedy = "" if writable else "this folder can't be written; choose another with --folder"
    if free < 1:
        remedy = remedy or "runs and reports need about 0.1 GB, a downloaded data set up to 3 GB"
    return [Finding("disk", f"{free:.1f} GB free here", "bad" if not writable else "warn" if free < 1 else "good", remedy)]


def _data() -> list[Finding]:
    from contrastive_lab.data import available

    folder = os.environ.get("CONTRASTIVE_LAB_DATA")
    here = ", ".join(f"{found.name} {found.images:,}" if found.where != "built in" else found.name for found in available() if found.where)
    lost = folder is not None and not Path(folder).is_dir()
    remedy = f"CONTRASTIVE_LAB_DATA is {folder!r}, which is no folder; set it to the folder of the data sets or unset it" if lost else ""
    note = f"CONTRASTIVE_LAB_DATA is {folder}" if folder else "CONTRASTIVE_LAB_DATA is not set"
    return [Finding("data", f"{here}; {note}", "bad" if lost else "good", remedy)]


def _cost() -> list[Finding]:
    """Seconds of the demo in each profile, from a few timed steps of the cheapest method."""
    from contrastive_lab.demo import BUDGETS
    from contrastive_lab.methods import METHODS

    findings = []
    for name, budget in BUDGETS.items():
        one = budget.count * budget.epochs * METHOD_FACTOR / _images_per_second(budget.width, budget.batch_size)
        seconds = len(METHODS) * (one + AROUND)
        findings.append(
            Finding(f"demo {name}", f"about {_in_words(seconds)} for {len(METHODS)} methods (contrastive-lab demo --profile {name})")
        )
    return findings


METHOD_FACTOR = 3.0
"""What a method of the demo costs on average, measuring included, in units of SimCLR: most cost 1 to 2, the dense ones 7 to 9."""


AROUND = 1.0
"""Seconds for what surrounds the training of a method: its images, the last measures, its part of the report. All there is to 'smoke'."""


def _images_per_second(width: int, batch_size: int, steps: int = 6) -> float:
    """Speed of SimCLR on this machine's CPU, views and update included."""
    import torch

    from contrastive_lab.data import scenes
    from contrastive_lab.methods import Progress
    from contrastive_lab.training import Settings, augmentation_for, make_optimizer, prepare

    settings = Settings.recommended("simclr", "scenes", width=width, batch_size=batch_size, device="cpu")
    images = scenes.load(count=batch_size)
    method = prepare(settings, images)
    views, optimizer = method.make_views(augmentation_for(settings, images)), make_optimizer(method, settings)
    start = 0.0
    for step in range(steps + 2):
        if step == 2:  # the first two steps reserve memory
            start = time.perf_counter()
        method.step(views(images.pixels, generator=torch.Generator().manual_seed(step))).loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        method.after_update(Progress(step + 1, steps + 2, steps + 2))
    return steps * batch_size / (time.perf_counter() - start)


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _available_cores() -> int:
    from contrastive_lab.threads import available_cores

    return available_cores()


def _whole_memory() -> float:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return _windows_memory() if sys.platform == "win32" else -1.0


def _windows_memory() -> float:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong), *((f"bytes_{i}", ctypes.c_ulonglong) for i in range(7))]

    status: Any = Status(length=ctypes.sizeof(Status))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined,unused-ignore]
    return float(status.bytes_0 / 1e9)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _lab_version() -> str:
    from contrastive_lab import __version__

    return __version__
