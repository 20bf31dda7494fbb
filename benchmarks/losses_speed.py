"""Time and peak memory of the losses over all pairs, forward and backward: dense, in tiles, and what other libraries offer.

    python benchmarks/losses_speed.py [--device cpu] [--threads 1] [--batches 256 512 ...] [--output results/bench-losses.json]

A batch of N images is two views of N x 128, also for CACR. Each competitor runs in two fresh processes, one for memory and one for time.
Memory is the rise of the peak during one call, above inputs and their gradients. Time is the best of several calls after one that does not
count, on a CPU also the processor time of all threads (compare that where other programs run). A competitor stops where the next batch, by
its growth so far, would pass --gigabytes or --seconds. Other libraries are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from measuring import RESULTS, alone, cost, exponent, installed, machine, markdown, number, save
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
Curves = dict[str, dict[str, list[dict[str, Any]]]]
DIM = 128
TEMPERATURE = 0.1
BATCHES = (64, 256, 1024, 2048, 4096, 16384)


def ours(name: str, chunk: int | None) -> Loss:
    from contrastive_lab.methods import cacr_loss, dcl_loss, info_nce_loss, nt_xent_loss

    return {
        "NT-Xent": lambda x, y: nt_xent_loss(x, y, temperature=TEMPERATURE, chunk=chunk),
        "InfoNCE": lambda x, y: info_nce_loss(x, y, temperature=TEMPERATURE, chunk=chunk),
        "DCL": lambda x, y: dcl_loss(x, y, temperature=TEMPERATURE, chunk=chunk),
        "CACR": lambda x, y: cacr_loss(torch.stack([x, y]), chunk=chunk),
    }[name]


def lightly(name: str) -> Loss:
    from lightly import loss

    return {"NT-Xent": loss.NTXentLoss, "DCL": loss.DCLLoss}[name](temperature=TEMPERATURE)


def metric_learning(kind: str) -> Loss:
    """Both forms take labels: images of one label are views of one image."""
    from pytorch_metric_learning import losses

    loss = getattr(losses, kind)(temperature=TEMPERATURE)
    return lambda x, y: loss(torch.cat([x, y]), torch.arange(len(x), device=x.device).repeat(2))


WHO: dict[str, dict[str, tuple[str | None, Callable[[int], Loss]]]] = {
    "NT-Xent": {
        "ours, dense": (None, lambda chunk: ours("NT-Xent", None)),
        "ours, tiled": (None, lambda chunk: ours("NT-Xent", chunk)),
        "lightly NTXentLoss": ("lightly", lambda chunk: lightly("NT-Xent")),
        "pytorch-metric-learning SupConLoss": ("pytorch-metric-learning", lambda chunk: metric_learning("SupConLoss")),
        "pytorch-metric-learning NTXentLoss": ("pytorch-metric-learning", lambda chunk: metric_learning("NTXentLoss")),
    },
    "InfoNCE": {
        "ours, dense": (None, lambda chunk: ours("InfoNCE", None)),
        "ours, tiled": (None, lambda chunk: ours("InfoNCE", chunk)),
    },
    "DCL": {
        "ours, dense": (None, lambda chunk: ours("DCL", None)),
        "ours, tiled": (None, lambda chunk: ours("DCL", chunk)),
        "lightly DCLLoss": ("lightly", lambda chunk: lightly("DCL")),
    },
    "CACR": {
        "ours, dense": (None, lambda chunk: ours("CACR", None)),
        "ours, tiled": (None, lambda chunk: ours("CACR", chunk)),
    },
}
"""Loss -> who computes it -> the package it needs and how it is made."""


def one(choice: argparse.Namespace) -> None:
    """A curve in this process, printed a line for each batch."""
    name, who = choice.one
    loss = WHO[name][who][1](choice.chunk)
    warm = torch.randn(16, DIM, device=choice.device, requires_grad=True)
    loss(warm, warm.roll(1, 0)).backward()  # so that libraries are loaded before memory is read
    key, limit = ("mebibytes", choice.gigabytes * 1024) if choice.memory else ("seconds", choice.seconds)
    points: list[tuple[int, float]] = []
    for batch in choice.batches:
        if (ahead := foreseen(points, batch, least=1.0 if choice.memory else 2.0)) > limit:
            print(json.dumps({"batch": batch, "stopped": f"would need about {number(ahead)} {'MiB' if choice.memory else 's'}"}))
            return
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(batch, DIM, generator=generator)
        y = x + 0.5 * torch.randn(batch, DIM, generator=generator)
        x, y = (rows.to(choice.device).requires_grad_() for rows in (x, y))
        x.grad, y.grad = torch.zeros_like(x), torch.zeros_like(y)

        def call(x: Tensor = x, y: Tensor = y) -> Tensor:
            value = loss(x, y)
            value.backward()
            return value.detach()

        value = {} if choice.memory else {"value": round(call().item(), 6), "gradient_norm": float(f"{x.grad.norm().item():.6g}")}
        found = cost(call, choice.device, memory=choice.memory, warm=False) | value
        points.append((batch, found[key]))
        print(json.dumps({"batch": batch, **found}), flush=True)


def foreseen(points: list[tuple[int, float]], batch: int, *, least: float) -> float:
    """What the next batch will need by the growth so far: the cube after one point, at least the power `least` after that.

    Memory may grow as slowly as the batch. Time starts flat on a GPU and ends as the square, whatever the first points say.
    """
    if not points:
        return 0.0
    last, value = points[-1]
    power = max(exponent(points[-2:]) or 3.0, least) if len(points) > 1 else 3.0
    return value * (batch / last) ** power


def curve(name: str, who: str, choice: argparse.Namespace) -> list[dict[str, Any]]:
    """Memory and time over growing batches, as far as the limits allow."""
    common = ["--one", name, who, "--device", choice.device, "--threads", str(choice.threads), "--chunk", str(choice.chunk)]
    common += ["--gigabytes", str(choice.gigabytes), "--seconds", str(choice.seconds)]
    entries = alone(__file__, [*common, "--memory", "--batches", *map(str, choice.batches)], frugal=True)
    if fitting := [str(entry["batch"]) for entry in entries if "mebibytes" in entry]:
        times = alone(__file__, [*common, "--batches", *fitting])
        entries = [entry | next((time for time in times if time.get("batch") == entry.get("batch")), {}) for entry in entries]
        entries += [time for time in times if "failed" in time]
    for entry in entries:
        print(f"{name:8} {who:36} {entry}", flush=True)
    return entries


def table(curves: dict[str, dict[str, list[dict[str, Any]]]], batch: int) -> str:
    """Markdown at one batch; "x" is against our tiled form."""
    rows = []
    for name, competitors in curves.items():
        at = {who: next((e for e in entries if e["batch"] == batch), {}) for who, entries in competitors.items()}
        base = at["ours, tiled"]
        for who, entry in at.items():
            ends = [
                f"batch {e.get('batch', '')}: {e.get('stopped') or e['failed']}"
                for e in competitors[who]
                if {"stopped", "failed"} & e.keys()
            ]
            if "seconds" not in entry:
                rows.append([name, who, "–", "–", "–", "–", *ends[:1]])
                continue
            key = "cpu_seconds" if "cpu_seconds" in entry else "seconds"
            points = [(e["batch"], e["mebibytes"]) for e in competitors[who] if "mebibytes" in e and "seconds" in e]
            grows = exponent(points)
            times = f"{entry[key] / base[key]:.1f}" if key in base else "–"
            rows.append([name, who, number(1000 * entry[key]), times, number(entry["mebibytes"]), number(grows, 2), *(ends[:1] or [""])])
    return markdown(["loss", f"batch {batch}", "ms", "times tiled", "MiB", "memory grows as N to the", "stopped"], rows)


def growth(curves: Curves) -> dict[str, dict[str, dict[str, float | None]]]:
    """Exponents of time and memory against the batch."""
    keys = ("seconds", "cpu_seconds", "mebibytes")
    return {
        name: {
            who: {key: exponent([(e["batch"], e[key]) for e in entries if key in e and "failed" not in e]) for key in keys}
            for who, entries in competitors.items()
        }
        for name, competitors in curves.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=256, help="rows of a tile; 256 suits a CPU's cache, 2048 a GPU")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--losses", nargs="+", choices=WHO, default=list(WHO))
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--show", type=int, default=2048, help="the batch of the printed table")
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-losses.json")
    parser.add_argument("--one", nargs=2, metavar=("LOSS", "WHO"), help="measure one curve in this process and print it")
    parser.add_argument("--memory", action="store_true", help="with --one: memory instead of time")
    choice = parser.parse_args()
    torch.set_num_threads(choice.threads)
    if choice.one:
        one(choice)
        return
    curves: Curves = {}
    for name in choice.losses:
        for who, (package, _) in WHO[name].items():
            if package is None or installed(package):
                curves.setdefault(name, {})[who] = curve(name, who, choice)
                record = {"machine": machine(choice.device), "dim": DIM, "chunk": choice.chunk, "curves": curves}
                save({**record, "exponents": growth(curves)}, choice.output)
    print(table(curves, choice.show))


if __name__ == "__main__":
    main()
