"""Runs killed at random moments and resumed, against the same run left in peace: `python benchmarks/resume_trials.py [--trials 20]`.

Each trial trains in a process of its own, which gets SIGKILL (on Windows: TerminateProcess) in an epoch drawn evenly from all, at a
moment drawn evenly from that epoch, and is then resumed in another process until it ends. A run that ends before its signal comes is
counted as "too late", and its trial is made again with another moment. Equal means: weights, optimiser state, history (but for its
clock) and kept embeddings have the same bytes. Every trial is recorded in results/resume-trials.json, equal or not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "results" / "resume-trials.json"
METHODS: dict[str, dict[str, Any]] = {
    "simclr": {},
    "mochi": {"queue_length": 256, "n_hard": 32, "s": 32, "s_prime": 8, "splits": 2},
    "swav": {"n_prototypes": 32, "queue_length": 256, "queue_start": 2},
    "hydra": {"num_classes": 8},
}
EPOCHS = 30
FIRST_EPOCH_SECONDS = 1.0
"""Starting included; only where a kill in the first epoch falls depends on it."""


def train_once(method: str, folder: str) -> None:
    """The run of all trials: 256 scenes, 4 steps an epoch."""
    from contrastive_lab.data import scenes
    from contrastive_lab.training import Settings, Snapshot, prepare, train

    images = scenes.load(count=256)
    settings = Settings(
        method=method, data="scenes", epochs=EPOCHS, batch_size=64, width=8, device="cpu", warmup_epochs=3, options=METHODS[method]
    )
    model = prepare(settings, images)
    print("ready", flush=True)
    train(model, images, settings, [Snapshot(images, every=5)], folder=folder)


def start(method: str, folder: Path) -> tuple[subprocess.Popen[str], float]:
    """A training process that is about to take its first step, and the time at which it was."""
    command = [sys.executable, __file__, "--run", method, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process, time.perf_counter()


def finish(method: str, folder: Path) -> float:
    """Train to the end; seconds from the first step on."""
    process, began = start(method, folder)
    if process.wait():
        raise RuntimeError(f"training {method} in {folder} failed with code {process.returncode}")
    return time.perf_counter() - began


def content(folder: Path) -> dict[str, Any]:
    """Everything in a finished run that must be equal."""
    import torch

    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    moments = [value for each in state["optimizer"]["state"].values() for value in each.values()]
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text("utf-8").splitlines()]
    return {
        "weights": (folder / "weights.safetensors").read_bytes(),
        "optimizer": [torch.as_tensor(value).numpy().tobytes() for value in moments],
        "history": [{name: value for name, value in row.items() if name != "seconds"} for row in rows],
        "embeddings": {path.name: path.read_bytes() for path in (folder / "snapshots").iterdir()},
    }


def kill(method: str, home: Path, epoch: int, share: float) -> float | None:
    """Start a run and kill it a share of an epoch after its history shows `epoch` finished ones; seconds it lived, None if it was over."""
    process, began = start(method, home)
    path, rows, length, changed = home / "history.jsonl", 1, FIRST_EPOCH_SECONDS, began
    while rows <= epoch and process.poll() is None:
        now = path.read_text("utf-8").count("\n") if path.exists() else 0
        if now > rows:
            rows, length, changed = now, (time.perf_counter() - changed) / (now - rows), time.perf_counter()
        time.sleep(0.001)
    time.sleep(share * length)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    return None if ended else time.perf_counter() - began


def trial(method: str, dice: random.Random, home: Path, whole: dict[str, Any]) -> dict[str, Any]:
    import torch

    too_late = 0
    while (lived := kill(method, place := home / str(too_late), epoch := dice.randrange(EPOCHS), dice.random())) is None:
        too_late += 1
    home = place
    path = home / "checkpoint.pt"
    kept = int(torch.load(path, weights_only=True)["epoch"]) if path.exists() else 0
    unfinished = sorted(file.name for file in home.rglob("*.unfinished"))
    finish(method, home)
    resumed = content(home)
    different = [name for name in whole if resumed[name] != whole[name]]
    row = {"method": method, "killed_in_epoch": epoch + 1, "killed_after_s": round(lived, 3), "epochs_kept": kept}
    return row | {"was_writing": unfinished, "too_late": too_late, "different": different}


def main(trials: int, seed: int) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    dice, rows = random.Random(seed), []
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        seconds = {method: finish(method, home / method) for method in METHODS}
        whole = {method: content(home / method) for method in METHODS}
        for number in range(trials):
            method = list(METHODS)[number % len(METHODS)]
            rows.append(trial(method, dice, home / str(number), whole[method]))
            print(rows[-1], flush=True)
    equal = sum(not row["different"] for row in rows)
    import torch

    versions = {"python": platform.python_version(), "torch": torch.__version__, "system": platform.platform(terse=True)}
    record = {
        "what": (__doc__ or "").split("\n\n")[0],
        "seed": seed,
        "epochs": EPOCHS,
        "seconds_of_a_whole_run": seconds,
        "versions": versions,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(record | {"trials": len(rows), "equal": equal, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    print(f"{equal} of {len(rows)} resumed runs ended with the same bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", nargs=2, metavar=("METHOD", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        train_once(*given.run)
    else:
        main(given.trials, given.seed)
