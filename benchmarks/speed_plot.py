"""docs/speed.png from what the other programs measured, and the words that stand in for it.

    python benchmarks/speed_plot.py [--output docs/speed.png]

Draws what is there: memory and time of NT-Xent over the batch (results/bench-losses*.json), the training loops (results/bench-loop*.json).
Where a graphics card was measured its file comes second. Prints the alternative text.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib
from measuring import RESULTS, number

matplotlib.use("Agg")
import matplotlib.pyplot as plt

STYLE = {
    "ours, tiled": ("#0072B2", "o", "-"),
    "ours, dense": ("#56B4E9", "s", "-"),
    "lightly NTXentLoss": ("#D55E00", "^", "--"),
    "pytorch-metric-learning SupConLoss": ("#009E73", "v", "--"),
    "pytorch-metric-learning NTXentLoss": ("#CC79A7", "D", "--"),
}
LOOPS = {"lightly": "#D55E00", "ours": "#0072B2", "encoder alone": "#999999"}


def read(name: str) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS / f"{name}.json", RESULTS / f"{name}-gpu.json") if path.exists()
    ]


def draw_losses(axes: Any, record: dict[str, Any]) -> str:
    """Memory and time of NT-Xent over the batch; returns words."""
    time = "cpu_seconds" if any("cpu_seconds" in e for e in record["curves"]["NT-Xent"]["ours, tiled"]) else "seconds"
    words = []
    for who, entries in record["curves"]["NT-Xent"].items():
        colour, marker, line = STYLE[who]
        points = [e for e in entries if "mebibytes" in e and time in e]
        for axis, key, unit in ((axes[0], "mebibytes", 1.0), (axes[1], time, 1000.0)):
            batches, values = [e["batch"] for e in points], [unit * e[key] for e in points]
            axis.loglog(batches, values, color=colour, marker=marker, linestyle=line, markersize=4, label=who)
        if points:
            last, power = points[-1], record["exponents"]["NT-Xent"][who]["mebibytes"]
            growth = f" and grows with the power {power}" if power is not None else ""
            words.append(f"{who} needs {number(last['mebibytes'])} MiB at batch {last['batch']:,}{growth}")
    where = record["machine"]["device"]
    axes[0].set(xlabel="batch (images)", ylabel="peak memory, MiB", title=f"NT-Xent, memory\n{where}")
    axes[1].set(xlabel="batch (images)", ylabel="forward and backward, ms", title=f"NT-Xent, time\n{where}")
    axes[0].set_ylim(bottom=0.01)  # room for the names
    axes[0].legend(fontsize=7, frameon=False, loc="lower right")
    return f"Two plots of NT-Xent on {where}: " + "; ".join(words) + "."


def draw_loops(axis: Any, record: dict[str, Any]) -> str:
    """Images per second of the loops, a group of bars for each SimCLR case; returns words."""
    cpu = not any(name in record["machine"]["device"] for name in ("NVIDIA", "H100", "H200"))
    key = "images_per_cpu_second" if cpu else "images_per_second"
    cases = [e for e in record["entries"] if e["method"] == "simclr"]
    words = []
    for row, case in enumerate(cases):
        for column, (who, colour) in enumerate(LOOPS.items()):
            rate = case["rates"].get(who, {}).get(key)
            if rate:
                axis.barh(row + 0.27 * (1 - column), rate, height=0.25, color=colour, label=who if row == 0 else None)
                axis.annotate(f" {number(rate)}", (rate, row + 0.27 * (1 - column)), va="center", fontsize=7)
                words.append(f"{who} {number(rate)} ({name(case)})")
    axis.set_yticks(range(len(cases)), [name(case) for case in cases], fontsize=7)
    axis.set(
        xlabel="images per second" + (" of processor time" if cpu else ""), title=f"SimCLR training loop\n{record['machine']['device']}"
    )
    axis.margins(x=0.2)
    axis.locator_params(axis="x", nbins=5)
    axis.legend(fontsize=7, frameon=False)
    return f"Bars for SimCLR's training loop on {record['machine']['device']}, images per second: " + ", ".join(words) + "."


def name(case: dict[str, Any]) -> str:
    precision = {"32-true": "float32", "bf16-mixed": "bfloat16"}[case["precision"]]
    return f"width {case['width']}, {case['image_size']} px, batch {case['batch']}, {precision}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=RESULTS.parent / "docs" / "speed.png")
    choice = parser.parse_args()
    losses, loops = read("bench-losses"), read("bench-loop")
    rows = max(len(losses), len(loops))
    if rows == 0:
        raise SystemExit("nothing is measured yet: run benchmarks/losses_speed.py and benchmarks/loop_speed.py first")
    figure, axes = plt.subplots(rows, 3, figsize=(12, 3.6 * rows), squeeze=False, layout="constrained")
    words = []
    for row in range(rows):
        words += [draw_losses(axes[row], losses[row])] if row < len(losses) else []
        words += [draw_loops(axes[row][2], loops[row])] if row < len(loops) else []
        for axis in axes[row]:
            axis.set_visible(axis.has_data())
            axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(choice.output, dpi=110, metadata={"Software": None, "Description": " ".join(words)})
    print(f"{choice.output}\n\n" + "\n".join(words))


if __name__ == "__main__":
    main()
