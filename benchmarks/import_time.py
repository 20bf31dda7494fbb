"""Seconds that importing costs beyond torch, each in a fresh Python; writes results/bench-import.json.

python benchmarks/import_time.py
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from contrastive_lab.threads import available_cores

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 9
PARTS = ("methods", "training", "measures", "data", "figures", "cli")


def seconds(statement: str, *, after: str = "pass") -> float:
    """Time of one statement in a fresh Python in which `after` has run."""
    code = f"{after}\nimport time\nstart = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def measure(statement: str, *, after: str = "pass") -> dict[str, float]:
    """Median and extremes; one run beforehand fills the file cache and does not count."""
    seconds(statement, after=after)
    times = [seconds(statement, after=after) for _ in range(REPEATS)]
    return {"median": round(statistics.median(times), 4), "least": round(min(times), 4), "most": round(max(times), 4)}


def main() -> None:
    figures = {"import torch": measure("import torch")}
    for name in ("contrastive_lab", *(f"contrastive_lab.{part}" for part in PARTS)):
        figures[f"import {name}, beyond torch"] = measure(f"import {name}", after="import torch")
    record = {
        "command": "python benchmarks/import_time.py",
        "repeats": REPEATS,
        "python": platform.python_version(),
        "torch": version("torch"),
        "system": platform.system(),
        "cores": available_cores(),
        "seconds": figures,
    }
    target = ROOT / "results" / "bench-import.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    for name, figure in figures.items():
        print(f"{name:45} {figure['median']:.3f} s  ({figure['least']:.3f} to {figure['most']:.3f})")


if __name__ == "__main__":
    main()
