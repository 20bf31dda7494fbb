"""What the benchmark programs share: a fresh process for each entry, its peak memory, where it ran, exponents and Markdown."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).resolve().parent.parent / "results"
PACKAGES = ("torch", "torchvision", "lightly", "pytorch-metric-learning", "scikit-learn", "faiss-cpu")
# glibc keeps large freed blocks for itself unless told not to; peaks of the process would then count memory that nobody uses.
FRUGAL_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def machine(device: str) -> dict[str, Any]:
    """Hardware and versions, for the record."""
    gpu = device.startswith("cuda")
    return {
        "device": torch.cuda.get_device_name() if gpu else processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: installed(name) for name in PACKAGES},
    }


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def cost(call: Callable[[], Any], device: str, *, memory: bool, budget: float = 2.0, warm: bool = True) -> dict[str, float]:
    """Peak memory of one call in MiB above what was there before, or the best time of several calls within `budget` seconds."""
    gpu = device.startswith("cuda")
    if memory:
        before = peak(gpu, reset=True)
        call()
        return {"mebibytes": round((peak(gpu) - before) / 2**20, 1)}
    if warm:
        call()
    best = {"seconds": math.inf, "cpu_seconds": math.inf}
    spent, calls = 0.0, 0
    while calls < 1 or (spent < budget and calls < 50):
        start, start_cpu = time.perf_counter(), time.process_time()
        call()
        if gpu:
            torch.cuda.synchronize()
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
        best = {"seconds": min(best["seconds"], seconds), "cpu_seconds": min(best["cpu_seconds"], cpu_seconds)}
        spent, calls = spent + seconds, calls + 1
    if gpu:
        del best["cpu_seconds"]
    return {name: round(value, 6) for name, value in best.items()}


def synchronize() -> None:
    """Wait for the GPU, where there is one: only then has the clock seen its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak(gpu: bool, *, reset: bool = False) -> int:
    """Most bytes that torch's GPU allocator, or this process, held since the last reset (off Linux the process's peak never falls)."""
    if gpu:
        torch.cuda.synchronize()
        if reset:
            torch.cuda.reset_peak_memory_stats()
        return int(torch.cuda.max_memory_allocated())
    status = Path("/proc/self/status")
    if status.exists():
        if reset:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def alone(program: str, arguments: Sequence[str], *, frugal: bool = False, timeout: float = 600) -> list[dict[str, Any]]:
    """The JSON lines that the program prints in a fresh process; if it ends badly the last one says why under "failed"."""
    command = [sys.executable, program, *arguments]
    environment = os.environ | (FRUGAL_MALLOC if frugal else {})
    failed: list[dict[str, Any]] = []
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environment, timeout=timeout)
        said, errors = done.stdout, done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode:
            failed = [{"failed": (errors or [f"ended with code {done.returncode}"])[-1][:300]}]
    except subprocess.TimeoutExpired as late:
        said, failed = late.stdout or b"", [{"failed": f"took more than {timeout:.0f} seconds"}]
    return [json.loads(line) for line in said.decode().splitlines() if line.startswith("{")] + failed


def exponent(points: Iterable[tuple[float, float]], *, last: int = 3) -> float | None:
    """Slope of the last points in a doubly logarithmic plot: 2 where twice the size costs four times as much."""
    logs = [(math.log(x), math.log(y)) for x, y in points if x > 0 and y > 0][-last:]
    if len(logs) < 2:
        return None
    mean_x, mean_y = (sum(axis) / len(logs) for axis in zip(*logs, strict=True))
    return round(sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs), 2)


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """Three significant digits, thousands with commas, and a dash for nothing."""
    if value is None:
        return "–"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{places}f}"


def save(record: dict[str, Any], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
