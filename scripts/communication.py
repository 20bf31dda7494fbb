"""What several processes say to each other in one step, against what they compute: the table in docs/several_machines.md, on paper.

    .venv/bin/python scripts/communication.py [--tflops 100] [--batch 256] [--network resnet18] [--width 64] [--image-size 32]

Bytes and operations are counted, from one real step of each method on a few images; speeds of links and processors are assumptions, which
the table names. A ring moves 2 (W - 1) / W times the bytes of a sum over W processes, (W - 1) / W times those of a collection. Nothing is
assumed to overlap: gradients do overlap with the backward pass in practice, so that the shares are upper bounds.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from contrastive_lab.data import Images
from contrastive_lab.training import Settings, batches, prepare
from contrastive_lab.training.prepare import augmentation_for

PAGE = Path(__file__).resolve().parent.parent / "docs" / "several_machines.md"
START, END = "<!-- scripts/communication.py -->", "<!-- end -->"
METHODS = ("simclr", "dcl", "cacr", "moco", "swav", "pixpro")
LINKS = {"NVLink": (200.0, 10.0), "100 Gbit/s": (10.0, 20.0), "10 Gbit/s": (1.0, 50.0), "1 Gbit/s": (0.1, 100.0)}
"""Between neighbours in the ring: usable gigabytes per second, and microseconds before the first byte."""
FEW = 8


@dataclass(frozen=True)
class Step:
    """One step of one process: operations that grow with its own images and with the square of the joint batch, and what it sends."""

    per_image: float
    per_pair: float
    gradient_bytes: float
    gathered_bytes_per_image: float
    gathered_with_gradient: float
    small_sums: int
    small_bytes: float

    def seconds(self, images: int, processes: int, flops: float) -> float:
        joint = images * processes
        return (images * self.per_image + joint**2 * self.per_pair) / flops

    def waiting(self, images: int, processes: int, link: tuple[float, float]) -> float:
        if processes == 1:
            return 0.0
        bandwidth, delay = link[0] * 1e9, link[1] * 1e-6
        around = (processes - 1) / processes
        joint = images * processes * self.gathered_bytes_per_image
        summed = self.gradient_bytes + joint * self.gathered_with_gradient + self.small_sums * self.small_bytes
        messages = 2 * (processes - 1) * (2 + self.small_sums) + (processes - 1)
        return (2 * around * summed + around * joint) / bandwidth + messages * delay


def counted(name: str, choice: argparse.Namespace) -> Step:
    """Counts from one step on a few images, all of whose joint-batch arithmetic is small beside the network's."""
    settings = Settings.recommended(
        name, "cifar10", network=choice.network, width=choice.width, image_size=choice.image_size, batch_size=FEW, device="cpu"
    )
    images = Images(torch.randint(0, 256, (FEW, 3, choice.image_size, choice.image_size), dtype=torch.uint8), "noise")
    method = prepare(settings, images)
    gathered: list[tuple[int, bool]] = []

    def noting(rows: Tensor) -> Tensor:
        gathered.append((rows.numel() * rows.element_size(), rows.requires_grad))
        return rows

    with_gather = [module for key, module in sys.modules.items() if key.startswith("contrastive_lab.methods") and hasattr(module, "gather")]
    before = [module.gather for module in with_gather]
    for module in with_gather:
        module.gather = noting  # type: ignore[attr-defined]
    views = method.make_views(augmentation_for(settings, images))
    batch = batches.draw(images, torch.arange(FEW), views, torch.Generator().manual_seed(0))
    with FlopCounterMode(display=False) as counter:
        method.step(batch).loss.backward()  # type: ignore[no-untyped-call]
    for module, function in zip(with_gather, before, strict=True):
        module.gather = function  # type: ignore[attr-defined]
    total = sum(size for size, _ in gathered)
    prototypes: Any = getattr(method, "prototypes", None)
    sums = 2 * 2 * method.iterations if prototypes is not None else 0  # two views, maximum and sum in each sweep
    return Step(
        per_image=counter.get_total_flops() / FEW,
        # Every process computes the whole loss of the joint batch: scores and their two gradient products for 2N x 2N pairs.
        per_pair=24 * 128 if total and name != "moco" else 0,
        gradient_bytes=4.0 * sum(p.numel() for p in method.parameters() if p.requires_grad),
        gathered_bytes_per_image=total / FEW,
        gathered_with_gradient=sum(size for size, gradient in gathered if gradient) / total if total else 0.0,
        small_sums=sums,
        small_bytes=4.0 * len(prototypes.weight) if prototypes is not None else 0.0,
    )


def tables(choice: argparse.Namespace) -> str:
    steps = {name: counted(name, choice) for name in METHODS}
    flops, batch = choice.tflops * 1e12, choice.batch
    links = list(LINKS)
    lines = [
        f"{choice.network}, width {choice.width}, {choice.image_size} px; a process computes {choice.tflops:g} Tflop/s and sees {batch} "
        "images in a step. Links (usable GB/s, delay of a message): "
        + ", ".join(f"{name} ({bandwidth:g}, {delay:g} µs)" for name, (bandwidth, delay) in LINKS.items())
        + ".",
        "",
        "Share of the step spent waiting with 8 processes, each with its own images:",
        "",
        "| method | compute, ms | gradients, MB | gathered, MB | " + " | ".join(links) + " |",
        "|" + "---|" * (4 + len(links)),
    ]
    for name, step in steps.items():
        work = step.seconds(batch, 8, flops)
        shares = [step.waiting(batch, 8, link) / (work + step.waiting(batch, 8, link)) for link in LINKS.values()]
        gathered = 8 * batch * step.gathered_bytes_per_image / 1e6
        cells = [f"{1000 * work:.1f}", f"{step.gradient_bytes / 1e6:.1f}", f"{gathered:.2f}", *(f"{100 * share:.0f} %" for share in shares)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"How many times faster one step of a joint batch of {4 * batch} images becomes when it is split, and with how many processes "
        "(up to 64) most is gained:",
        "",
        "| method, processes | " + " | ".join(links) + " |",
        "|" + "---|" * (1 + len(links)),
    ]
    for name, step in steps.items():
        gains = {link: [gain(step, 4 * batch, w, LINKS[link], flops) for w in (2, 4, 8, 16, 32, 64)] for link in links}
        cells = []
        for row in gains.values():
            best = max(row)
            cells.append(f"{row[0]:.1f}, {row[2]:.1f}; " + (f"{best:.1f} with {2 ** (row.index(best) + 1)}" if best > 1 else "never pays"))
        lines.append(f"| {name}: 2, 8; best | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gain(step: Step, joint: int, processes: int, link: tuple[float, float], flops: float) -> float:
    images = joint // processes
    return step.seconds(joint, 1, flops) / (step.seconds(images, processes, flops) + step.waiting(images, processes, link))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=256, help="images of one process")
    parser.add_argument("--tflops", type=float, default=100.0, help="attained by one process")
    parser.add_argument("--print", action="store_true", help="only print, leave the page alone")
    choice = parser.parse_args()
    text = tables(choice)
    print(text)
    if not choice.print:
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(START)
        PAGE.write_text(head + START + "\n" + text + "\n" + END + rest.split(END, 1)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
