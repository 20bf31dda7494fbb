"""How many operations and graphs Python starts in one training step: uncompiled, compiled in parts, and compiled as the method says.

    python benchmarks/launches.py                  every method on a CPU, counted and not timed; some ten minutes
    python benchmarks/launches.py --methods moco   some; the others stay as they were

A GPU waits for Python where starting takes longer than computing: there each operation is at least one kernel, and a recorded graph is one
launch however many kernels it holds. Counted are views, step, backward pass and what follows the update, not the update itself, which a GPU
does for all parameters together. Operations that only look at memory in another way (transpose, view) are left out. The compiler's last
stage, which fuses kernels inside the graphs, is replaced by one that runs them as they are: nothing outside the graphs depends on it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from loop_speed import random_images
from measuring import RESULTS, alone, machine, markdown, save
from torch.autograd.profiler_util import FunctionEvent

from contrastive_lab.methods import METHODS, Method, Progress
from contrastive_lab.training import Settings, batches, prepare
from contrastive_lab.training.machine import arrange, take_step
from contrastive_lab.training.prepare import augmentation_for

MORE = {"mochi": {"warmup_epochs": 0}}  # counted with its synthetic negatives
KINDS = ("uncompiled", "in parts", "as the method says")
WARM = 3
LOOKS = {"view", "_unsafe_view", "reshape", "detach", "detach_", "t", "transpose", "permute", "expand", "expand_as", "as_strided", "slice"}
LOOKS |= {"select", "unbind", "chunk", "split", "split_with_sizes", "unsqueeze", "squeeze", "flatten", "unflatten", "alias", "movedim"}
LOOKS |= {"lift_fresh", "empty", "empty_like", "empty_strided", "resolve_conj", "numpy_T", "narrow", "contiguous", "view_as"}
LOOKS |= {"to", "result_type"}


def counts(name: str, kind: str) -> dict[str, int]:
    settings = Settings.recommended(
        name, "cifar10", network="resnet18", width=1, batch_size=16, device="cpu", compile=kind != KINDS[0], options=MORE.get(name, {})
    )
    images = random_images(settings, 2)
    method = prepare(settings, images)
    if kind == KINDS[1]:
        method.graph = None
    step = one_step(method, images, settings)
    for _ in range(WARM):
        step()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        step()
    return counted(profile.events())


def one_step(method: Method, images: Any, settings: Settings) -> Callable[[], None]:
    """What the loop does with a batch, without the update; each call is the next step."""
    module, views = arrange(method, settings), method.make_views(augmentation_for(settings, images))
    generator, index = batches.view_generator(images, settings, 0), torch.arange(settings.batch_size)
    done = 0

    def step() -> None:
        nonlocal done
        take_step(module, batches.draw(images, index, views, generator)).loss.backward()
        method.zero_grad()
        done += 1
        method.after_update(Progress(done, 10_000, 100))

    return step


def counted(events: list[FunctionEvent]) -> dict[str, int]:
    operations = [e for e in events if works(e) and not any(works(a) or starts_graph(a) for a in ancestors(e))]
    graphs = [e for e in events if starts_graph(e) and not any(map(starts_graph, ancestors(e)))]
    return {"operations": len(operations), "graphs": len(graphs)}


def ancestors(event: FunctionEvent) -> list[FunctionEvent]:
    found = []
    while event.cpu_parent is not None:
        event = event.cpu_parent
        found.append(event)
    return found


def starts_graph(event: FunctionEvent) -> bool:
    return event.name.startswith("Torch-Compiled Region") or event.name == "CompiledFunctionBackward"


def works(event: FunctionEvent) -> bool:
    """Whether it is an operation that computes something."""
    return event.name.startswith("aten::") and event.name[6:] not in LOOKS


def main() -> None:
    usual = [name for name, method in METHODS.items() if "captions" not in method.needs]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=usual, choices=usual, metavar="method")
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-launches.json")
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "KIND"), help="count one in this process and print it")
    choice = parser.parse_args()
    if choice.one:
        real = torch.compile
        with patch("torch.compile", lambda function, **how: real(function, dynamic=False, backend="aot_eager")):
            print(json.dumps(counts(*choice.one)), flush=True)
        return
    rows: dict[str, dict[str, Any]] = json.loads(choice.output.read_text("utf-8"))["rows"] if choice.output.exists() else {}
    for name in choice.methods:
        rows[name] = {kind: alone(__file__, ["--one", name, kind])[-1] for kind in KINDS}
        print(name, rows[name], flush=True)
        save({"machine": machine("cpu"), "rows": rows}, choice.output)
    shown = [
        [METHODS[name].title, *(f"{found.get('operations', '–')} + {found.get('graphs', '–')}" for found in row.values())]
        for name, row in rows.items()
    ]
    print(markdown(["operations + graphs", *KINDS], shown))


if __name__ == "__main__":
    main()
