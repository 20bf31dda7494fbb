"""How fast the embedded world is painted on one core: `python benchmarks/scenes_speed.py [results/bench-scenes.json]`."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from contrastive_lab.data import scenes

COUNTS = {32: 4000, 48: 2000, 64: 1000, 96: 500}
REPEATS = 5


def main(target: Path) -> None:
    torch.set_num_threads(1)
    rows = [measure(size, count) for size, count in COUNTS.items()]
    for row in rows:
        print("{size:3d} px  {render:8.0f} images/s painted  {load:8.0f} images/s with captions, labels and tensors".format(**row))
    record = {"what": "images per second of processor time on one core, best of 5", "machine": machine(), "rows": rows}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def measure(size: int, count: int) -> dict[str, float]:
    world = scenes.World()
    return {
        "size": size,
        "count": count,
        "render": count / best(lambda: scenes.render(world.draw(range(count)), size)),
        "load": count / best(lambda: scenes.load(count=count, size=size)),
    }


def best(work: Callable[[], object]) -> float:
    """Seconds of processor time (all threads), so that neighbours on a shared machine count little."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def machine() -> dict[str, str]:
    return {
        "processor": _processor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/bench-scenes.json"))
