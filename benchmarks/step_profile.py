"""Where the time of a training step goes on a GPU: what its kernels do, how long the card waits, and how far Python is ahead of it.

    python benchmarks/step_profile.py                                  SimCLR, MoCo and PixPro at full size, compiled
    python benchmarks/step_profile.py --methods moco --trace traces    also writes traces for chrome://tracing or Perfetto

Two loops a method, each in a process of its own: `train`, and the encoder alone (see loop_speed.py). Milliseconds a step by the clock,
with and without the profiler; of the profiled ones those in which a kernel or a copy ran (busy), by kind. The card waits in the rest.
The lead is the time from the launch of a kernel, or of a graph, to its start, as median: near zero where the card waits for Python,
large where Python waits for the card. Launches and waits (synchronisations) are calls of Python a step.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from loop_speed import encoder_step, random_images
from measuring import RESULTS, alone, machine, markdown, number, save, synchronize

from contrastive_lab.training import Moment, Settings, prepare, train

STEPS = 40
WARM = 60
KINDS = {
    "fused by the compiler": r"^triton",  # first: its names tell what it fused, convolutions' gradients too
    "convolutions and products": r"conv|gemm|xmma|cutlass|nvjet|wgrad|dgrad|cudnn|splitK|sm90|sm80",
    "optimiser and twin": r"multi_tensor_apply",
    "copies": r"memcpy|memset",
}


def digest(events: list[dict[str, Any]], steps: int) -> dict[str, Any]:
    """Numbers of a trace in Chrome's format, in milliseconds a step."""
    spans = [e for e in events if e.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
    calls = [e for e in events if e.get("cat") in ("cuda_runtime", "cuda_driver")]
    by_kind: Counter[str] = Counter()
    by_name: Counter[str] = Counter()
    for span in spans:
        by_kind[kind_of(span["name"])] += span["dur"]
        by_name[span["name"][:100]] += span["dur"]
    starts: dict[int, float] = {}
    for span in spans:
        correlation = span["args"].get("correlation")
        starts[correlation] = min(starts.get(correlation, span["ts"]), span["ts"])
    leads = [starts[c] - e["ts"] for e in calls if (c := e["args"].get("correlation")) in starts]
    launches = sum("Launch" in e["name"] or "Memcpy" in e["name"] or "Memset" in e["name"] for e in calls)
    milliseconds = 1e3 * steps
    return {
        "busy_ms": round(covered([(s["ts"], s["ts"] + s["dur"]) for s in spans]) / milliseconds, 3),
        "kinds_ms": {kind: round(total / milliseconds, 3) for kind, total in by_kind.most_common()},
        "kernels": round(len(spans) / steps, 1),
        "launches": round(launches / steps, 1),
        "waits": round(sum("Synchronize" in e["name"] for e in calls) / steps, 2),
        "lead_ms": round(statistics.median(leads) / 1e3, 3),
        "longest_ms": {name: round(total / milliseconds, 3) for name, total in by_name.most_common(12)},
    }


def kind_of(name: str) -> str:
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name, re.IGNORECASE)), "others")


def covered(spans: list[tuple[float, float]]) -> float:
    """Length of the union of intervals."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


class Watch:
    """Times STEPS steps after WARM others, and STEPS more under the profiler."""

    def __init__(self) -> None:
        self.profiler = torch.profiler.profile(activities=list(torch.profiler.supported_activities()))
        self.marks: list[float] = []

    def __call__(self, done: int) -> None:
        if done == WARM:
            self._mark()
        elif done == WARM + STEPS:
            self._mark()
            self.profiler.start()
            self._mark()
        elif done == WARM + 2 * STEPS:
            self._mark()
            self.profiler.stop()

    def found(self, trace: Path | None) -> dict[str, Any]:
        plain, profiled = (1e3 * (self.marks[i + 1] - self.marks[i]) / STEPS for i in (0, 2))
        with tempfile.TemporaryDirectory() as folder:
            path = trace or Path(folder) / "trace.json"
            self.profiler.export_chrome_trace(str(path))
            events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
        return {"step_ms": round(plain, 3), "profiled_step_ms": round(profiled, 3), **digest(events, STEPS)}

    def _mark(self) -> None:
        synchronize()
        self.marks.append(time.perf_counter())


def ours(settings: Settings, watch: Watch) -> None:
    # One epoch, so that nothing is evaluated or saved in between.
    settings = dataclasses.replace(settings, epochs=1, warmup_epochs=0)
    images = random_images(settings, WARM + 2 * STEPS).to(settings.device)

    def observe(moment: Moment) -> None:
        watch(moment.iteration)

    train(prepare(settings, images), images, settings, [observe])


def encoder_alone(settings: Settings, watch: Watch) -> None:
    step, _ = encoder_step(settings)
    for done in range(1, WARM + 2 * STEPS + 1):
        step()
        watch(done)


WHO: dict[str, Callable[[Settings, Watch], None]] = {"encoder alone": encoder_alone, "ours": ours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=["simclr", "moco", "pixpro"])
    parser.add_argument("--who", nargs="+", default=list(WHO), choices=list(WHO))
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--trace", type=Path, help="a folder for the traces")
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-profile-gpu.json")
    parser.add_argument("--one", nargs=2, metavar=("WHO", "SETTINGS"), help="profile one in this process and print it")
    choice = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("torch finds no CUDA device here, and this program looks at one; on a CPU see launches.py")
    torch.set_num_threads(1)
    if choice.one:
        who, settings = choice.one[0], Settings.from_json(choice.one[1])
        watch = Watch()
        WHO[who](settings, watch)
        trace = choice.trace and choice.trace / f"{settings.method}-{who.replace(' ', '-')}.json"
        print(json.dumps(watch.found(trace)), flush=True)
        return
    if choice.trace:
        choice.trace.mkdir(parents=True, exist_ok=True)
    entries = []
    for method in choice.methods:
        settings = Settings.recommended(
            method, "cifar10", network="resnet18", width=choice.width, precision="bf16-mixed", device="cuda", compile=True
        )
        for who in choice.who:
            arguments = ["--one", who, settings.to_json(), *(["--trace", str(choice.trace)] if choice.trace else [])]
            found = alone(__file__, arguments, timeout=choice.timeout)[-1]
            entries.append({"method": method, "who": who, "width": choice.width, "batch": settings.batch_size, **found})
            print(json.dumps(entries[-1]), flush=True)
            save({"machine": machine("cuda"), "steps": STEPS, "entries": entries}, choice.output)
    columns = ("step_ms", "profiled_step_ms", "busy_ms", "launches", "waits", "lead_ms")
    shown = [[e["method"], e["who"], *(number(e.get(key)) for key in columns)] for e in entries]
    print(markdown(["method", "loop", *columns], shown))


if __name__ == "__main__":
    main()
