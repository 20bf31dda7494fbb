"""What the live picture costs: its share of a training run, in Jupyter's way (a picture drawn) with neighbours and without.

python benchmarks/live_time.py            half a minute; writes results/bench-live.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch

from contrastive_lab.data import scenes
from contrastive_lab.doctor import machine
from contrastive_lab.lab import Live
from contrastive_lab.training import Settings, prepare, train

RESULTS = Path(__file__).resolve().parents[1] / "results" / "bench-live.json"


def share(seconds: float, *, neighbours: bool) -> dict[str, float]:
    """Train SimCLR as the notebooks do for about `seconds`, with a live picture written to a folder."""
    images = scenes.load("train", count=2000, two=0.0, label="colour")
    settings = Settings.recommended("simclr", "scenes", epochs=1000, batch_size=128, width=32, device="cpu")
    began, halt = time.monotonic(), KeyboardInterrupt
    steps = 0

    def clock(moment: object) -> None:
        nonlocal steps
        steps += 1
        if time.monotonic() - began > seconds:
            raise halt

    with tempfile.TemporaryDirectory() as folder:
        live = Live("simclr", images if neighbours else None, folder=folder)
        train(prepare(settings, images), images, settings, [live, clock])
        first = live.first_cost
    total = time.monotonic() - began
    later = (live.spent - first) / (total - first)
    return {"seconds": round(total, 1), "steps": steps, "pictures": live.drawn, "share": round(live.spent / total, 4)} | {
        "first_picture_seconds": round(first, 2),
        "share_after_the_first": round(later, 4),
        "picture_seconds": round(live.cost, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args()
    rows = {name: share(options.seconds, neighbours=name == "neighbours") for name in ("batch alone", "neighbours")}
    record = {"command": "python benchmarks/live_time.py", "machine": machine(), "threads": torch.get_num_threads(), "rows": rows}
    RESULTS.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    for name, row in rows.items():
        print(name, row)


if __name__ == "__main__":
    main()
