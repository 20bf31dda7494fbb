"""What bounds the encoder: a step of ResNet-18 in several arrangements, and its heaviest convolution against matrix products.

    python benchmarks/ceiling_speed.py                                                    two CPU cores: a narrow network
    python benchmarks/ceiling_speed.py --device cuda --width 64 --batch 1024 --rounds 20

A step is forward, backward and an SGD update on tensors that lie on the device, two views of each image, and counts an image once. Flops
are those of the convolutions of forward and backward (torch's FlopCounterMode). "Batch norm left out" and "convolutions alone" learn
nothing useful: they bound what fusing these layers into the convolutions could give. Each arrangement runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measuring import RESULTS, alone, machine, markdown, number, peak, save, synchronize
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from contrastive_lab.networks import make_backbone

ARRANGEMENTS: dict[str, dict[str, Any]] = {
    "eager, channels first": {"compile": None, "layout": torch.contiguous_format},
    "eager, channels last": {"compile": None},
    "compiled": {"compile": "default"},
    "compiled, CUDA graphs (what `train` does)": {},
    "the same, both views in two calls": {"calls": 2},
    "the same, all of it in bfloat16, weights too": {"dtype": torch.bfloat16},
    "the same, batch norm left out": {"without": (nn.BatchNorm2d,)},
    "the same, convolutions alone": {"without": (nn.BatchNorm2d, nn.ReLU)},
    "the same, half the images": {"times": 0.5},
    "the same, four times the images": {"times": 4},
    "compiled, kernels chosen by trial": {"compile": "max-autotune"},
}


def step_of(images: int, choice: argparse.Namespace, arrangement: dict[str, Any]) -> tuple[Callable[[], None], float]:
    """One training step of the encoder alone, and its flops."""
    device, dtype = choice.device, arrangement.get("dtype", torch.float32)
    layout = arrangement.get("layout", torch.channels_last)
    network = make_backbone("resnet18", width=choice.width, image_size=choice.image_size)
    take_out(network, arrangement.get("without", ()))
    network.to(device, dtype).to(memory_format=layout)
    shape = (2 * images, 3, choice.image_size, choice.image_size)
    views = torch.randn(shape, device=device, dtype=dtype).to(memory_format=layout)
    flops = counted(network, views[:2]) * images
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, fused=True)
    mode = arrangement.get("compile", "reduce-overhead" if device == "cuda" else "default")
    if mode:
        network.compile(dynamic=False, mode=mode)
    graphs, calls = mode in ("reduce-overhead", "max-autotune"), arrangement.get("calls", 1)

    def step() -> None:
        if graphs:
            torch.compiler.cudagraph_mark_step_begin()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=choice.bf16 and dtype is torch.float32):
            total = torch.stack([network(part).float().mean() for part in views.chunk(calls)]).sum()
        total.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step, flops


def take_out(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> None:
    for name, child in list(network.named_children()):
        if isinstance(child, kinds):
            setattr(network, name, nn.Identity())
        else:
            take_out(child, kinds)


def counted(network: nn.Module, views: Tensor) -> float:
    with FlopCounterMode(display=False) as counter:
        network(views).mean().backward()
    network.zero_grad()
    return counter.get_total_flops()


def arrangement_rate(name: str, choice: argparse.Namespace) -> dict[str, float]:
    arrangement = ARRANGEMENTS[name]
    images = max(1, int(choice.batch * arrangement.get("times", 1)))
    step, flops = step_of(images, choice, arrangement)
    seconds = best_time(step, choice)
    found = {"images": images, "images_per_second": round(images / seconds, 1), "tflops": round(flops / seconds / 1e12, 3)}
    return found | ({"peak_mib": round(peak(gpu=True) / 2**20)} if choice.device == "cuda" else {})


def best_time(call: Callable[[], Any], choice: argparse.Namespace) -> float:
    """Seconds of one call: the best of three blocks of `rounds` calls, after one block that does not count."""
    best = float("inf")
    for block in range(4):
        synchronize()
        start = time.perf_counter()
        for _ in range(choice.rounds):
            call()
        synchronize()
        best = min(best, (time.perf_counter() - start) / choice.rounds) if block else best
    return best


def products(choice: argparse.Namespace) -> list[dict[str, Any]]:
    """Forward passes of the 3 x 3 convolutions of each stage beside matrix products of the same size, in bfloat16 and in 8 bits."""
    rows = []
    for stage in range(4):
        channels, side = choice.width * 2**stage, choice.image_size // 2**stage
        row: dict[str, Any] = {"channels": channels, "side": side}
        for name, call in equal_work(channels, side, 2 * choice.batch, choice.device).items():
            try:
                row[name] = best_time(call, choice)
            except RuntimeError as error:  # a card without 8-bit products says so
                row[name] = str(error).splitlines()[0][:200]
        rows.append({**row, "flops": 2.0 * 2 * choice.batch * side**2 * 9 * channels**2})
    return rows


def equal_work(channels: int, side: int, views: int, device: str) -> dict[str, Callable[[], Any]]:
    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, device=device).bfloat16()

    x = noise(views, channels, side, side).to(memory_format=torch.channels_last)
    weight = noise(channels, channels, 3, 3).to(memory_format=torch.channels_last)
    rows, columns = noise(views * side**2, 9 * channels), noise(channels, 9 * channels)
    calls: dict[str, Callable[[], Any]] = {
        "convolution": partial(nn.functional.conv2d, x, weight, padding=1),
        "matrix product": partial(torch.matmul, rows, columns.T),
    }
    if device == "cuda":
        small, other, one = rows.to(torch.float8_e4m3fn), columns.to(torch.float8_e4m3fn), torch.ones((), device=device)
        calls["product in fp8"] = partial(torch._scaled_mm, small, other.T, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
        calls["rounding to fp8"] = partial(x.to, torch.float8_e4m3fn)
    return calls


def tables(entries: list[dict[str, Any]], convolutions: list[dict[str, Any]]) -> str:
    shown = [
        [e["arrangement"], e["images"], *(number(e.get(key)) for key in ("images_per_second", "tflops", "peak_mib"))]
        if "failed" not in e
        else [e["arrangement"], e["failed"], *[""] * 3]
        for e in entries
    ]
    first = markdown(["arrangement", "images", "images/s", "Tflop/s", "peak MiB"], shown)
    names = [name for name in convolutions[0] if name not in ("channels", "side", "flops")] if convolutions else []
    rows = []
    for row in convolutions:
        times = [f"{1e3 * row[name]:.3f}" if isinstance(row[name], float) else str(row[name]) for name in names]
        rates = [number(row["flops"] / row[name] / 1e12) for name in names[:3] if isinstance(row[name], float)]
        rows.append([f"{row['channels']} channels, {row['side']} px", *times, " / ".join(rates)])
    second = markdown(["stage", *(f"{name}, ms" for name in names), "Tflop/s of the first three"], rows)
    return f"{first}\n\n{second}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64, help="images of a step; two views of each")
    parser.add_argument("--rounds", type=int, default=3, help="steps of a timed block")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="autocast to bfloat16")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one arrangement, compiling included")
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-ceiling.json")
    parser.add_argument("--one", metavar="ARRANGEMENT", help="measure one in this process and print it")
    choice = parser.parse_args()
    if choice.one:
        print(json.dumps(arrangement_rate(choice.one, choice)))
        return
    entries: list[dict[str, Any]] = []
    shared = [f"--{key.replace('_', '-')}={getattr(choice, key)}" for key in ("device", "width", "image_size", "batch", "rounds")]
    shared.append("--bf16" if choice.bf16 else "--no-bf16")
    record = {"machine": machine(choice.device), "network": f"resnet18, width {choice.width}, {choice.image_size} px", "bf16": choice.bf16}
    convolutions = products(choice)
    for name in ARRANGEMENTS:
        (found,) = alone(__file__, ["--one", name, *shared], timeout=choice.timeout)
        entries.append({"arrangement": name, **found})
        print(json.dumps(entries[-1]), flush=True)
        save({**record, "entries": entries, "convolutions": convolutions}, choice.output)
    print(tables(entries, convolutions))


if __name__ == "__main__":
    main()
