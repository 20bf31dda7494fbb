"""Images per second of `train` with one process and with several, at equal joint batches.

    python benchmarks/processes_speed.py                                                       two processes on a CPU, a core each
    python benchmarks/processes_speed.py --device cuda --width 64 --batch 512 1024 2048 --compile --precision bf16-mixed

Pixels are random. The best of three epochs counts, the first left out; a CPU gives each process one core, also where there is one process.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from measuring import RESULTS, alone, machine, markdown, number, save, synchronize

from contrastive_lab.data import Images
from contrastive_lab.training import Moment, Settings, prepare, train

EPOCHS = 4


def rate(settings: Settings, steps: int) -> float:
    """Images per second of the joint batch, as the first process sees it."""
    count = steps * settings.batch_size
    pixels = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Images(pixels, "noise")
    marks: list[float] = []

    def mark(moment: Moment) -> None:
        if moment.epoch_end:
            synchronize()
            marks.append(time.perf_counter())

    train(prepare(settings, images), images, settings, [mark])
    return count / min(end - start for start, end in itertools.pairwise(marks))


def table(entries: list[dict[str, Any]]) -> str:
    rows = []
    alone_rate = {(e["method"], e["batch"]): e["images_per_second"] for e in entries if e["processes"] == 1}
    for e in entries:
        faster = e["images_per_second"] / alone_rate[e["method"], e["batch"]]
        rows.append([e["method"], e["batch"], e["processes"], number(e["images_per_second"]), f"{faster:.2f}"])
    return markdown(["method", "joint batch", "processes", "images/s", "times one process"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--methods", nargs="+", default=["simclr", "swav"])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, nargs="+", default=[128], help="joint batches")
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=6, help="steps of an epoch")
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-processes.json")
    parser.add_argument("--one", help="settings as JSON: measure them in this process and print the rate")
    choice = parser.parse_args()
    torch.set_num_threads(1)
    if choice.one:
        found = rate(Settings.from_json(choice.one), choice.steps)
        if os.environ.get("LOCAL_RANK", "0") == "0":
            print(json.dumps({"images_per_second": round(found, 1)}))
        return
    os.environ |= {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    entries: list[dict[str, Any]] = []
    for method in choice.methods:
        for batch in choice.batch:
            for processes in choice.processes:
                shared = {"network": choice.network, "width": choice.width, "precision": choice.precision, "compile": choice.compile}
                changes = {**shared, "epochs": EPOCHS, "warmup_epochs": 0, "batch_size": batch, "devices": processes}
                settings = Settings.recommended(method, "cifar10", device=choice.device, **changes)
                arguments = ["--one", settings.to_json(), "--steps", str(choice.steps)]
                found = alone(__file__, arguments, timeout=choice.timeout)[-1]
                if "failed" in found:
                    raise SystemExit(f"{method}, batch {batch}, {processes} processes: {found['failed']}")
                entries.append({"method": method, "batch": batch, "processes": processes, **found})
                print(json.dumps(entries[-1]), flush=True)
                record = {"machine": machine(choice.device), "network": f"{choice.network}, width {choice.width}, 32 px"}
                save({**record, "precision": choice.precision, "compile": choice.compile, "entries": entries}, choice.output)
    print(table(entries))


if __name__ == "__main__":
    main()
