"""Two random views of each image: ours on whole batches against loops over torchvision's and lightly's transforms.

    python benchmarks/views_speed.py [--rounds 5] [--compile] [--output results/bench-views.json]

A CPU rate is images per second of processor time of one thread, an image counting once although two views are made of it; the best of
several rounds, in which all competitors take turns. On a GPU it is images per second of wall time, which only ours can use. Compare
ratios within one run, never rates of different machines. All competitors get the same crop scale, jitter strength and probabilities;
lightly blurs with PIL's approximate Gaussian, the others with an exact one.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torchvision.transforms import v2

from contrastive_lab.views import Augmentation, TwoViews

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
CASES = {"32 px": (32, 0.0, 512, 256), "96 px": (96, 0.0, 128, 96), "96 px, blur": (96, 0.5, 128, 96)}
"""Name: side, probability of blur, images of a batch for ours, images of a loop for the others."""

Work = tuple[int, Callable[[], object]]


def torchvision_steps(size: int, blur: float, kernel: int, start: list[Any]) -> v2.Compose:
    steps = [
        *start,
        v2.RandomResizedCrop(size, scale=(0.2, 1.0), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        v2.RandomGrayscale(0.2),
    ]
    if blur:
        steps.append(v2.RandomApply([v2.GaussianBlur(kernel, (0.1, 2.0))], p=blur))
    return v2.Compose([*steps, v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])


def loop(transform: Callable[[Any], Any], images: list[Any]) -> Work:
    return len(images), lambda: torch.stack([transform(image) for image in images for _ in range(2)])


def lightly_loop(size: int, blur: float, images: list[Any]) -> dict[str, Work]:
    try:
        from lightly.transforms import SimCLRTransform
    except ImportError:
        return {}
    normalise = {"mean": list(MEAN), "std": list(STD)}
    transform = SimCLRTransform(size, cj_strength=0.5, min_scale=0.2, gaussian_blur=blur, normalize=normalise)
    return {"lightly SimCLRTransform, PIL": (len(images), lambda: [transform(image) for image in images])}


def ours(augmentation: Augmentation, pixels: torch.Tensor) -> Work:
    views = TwoViews(augmentation)
    return len(pixels), lambda: views(pixels)


def competitors(size: int, blur: float, batch: int, looped: int) -> dict[str, Work]:
    pixels = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    augmentation = Augmentation(size=size, blur=blur, mean=MEAN, std=STD)
    tensors = list(pixels[:looped])
    pictures = [v2.functional.to_pil_image(tensor) for tensor in tensors]
    kernel = augmentation.kernel_size
    return {
        "ours, exact colour": ours(augmentation, pixels),
        "ours, fast colour": ours(replace(augmentation, colour="fast"), pixels),
        "torchvision v2, PIL": loop(torchvision_steps(size, blur, kernel, []), pictures),
        "torchvision v2, tensor": loop(torchvision_steps(size, blur, kernel, []), tensors),
        **lightly_loop(size, blur, pictures),
    }


def cpu_rates(work: dict[str, Work], rounds: int) -> dict[str, float]:
    best = dict.fromkeys(work, 0.0)
    for turn in range(rounds + 1):
        for name, (count, run) in work.items():
            start = time.process_time()
            run()
            if turn > 0:
                best[name] = max(best[name], count / (time.process_time() - start))
    return best


def gpu_rates(size: int, blur: float, rounds: int, with_compile: bool) -> dict[str, float]:
    rates = {}
    for count in (512, 4096):
        pixels = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, device="cuda")
        for colour in ("exact", "fast"):
            augmentation = Augmentation(size=size, blur=blur, mean=MEAN, std=STD, colour=colour)
            rates[f"ours, {colour} colour, batch {count}"] = gpu_rate(augmentation.apply, augmentation, pixels, rounds)
            if with_compile:
                torch._dynamo.reset()
                compiled = torch.compile(augmentation.apply, fullgraph=True)
                rates[f"ours, {colour} colour, batch {count}, compiled"] = gpu_rate(compiled, augmentation, pixels, rounds)
    return rates


def gpu_rate(apply: Callable[..., object], augmentation: Augmentation, pixels: torch.Tensor, rounds: int) -> float:
    count, _, *image_size = pixels.shape
    best = 0.0
    for turn in range(rounds + 1):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(2 * 10):
            apply(pixels, augmentation.draw(count, tuple(image_size), device="cuda"))
        torch.cuda.synchronize()
        if turn > 0:
            best = max(best, 10 * count / (time.perf_counter() - start))
    return best


def machine() -> dict[str, str | int | None]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"cpu": names[0] if names else platform.processor(), "threads": torch.get_num_threads(), "gpu": gpu}


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "torchvision", "pillow", "lightly"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="on a GPU also measure torch.compile")
    parser.add_argument("--output", type=Path, default=Path("results/bench-views.json"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    cases = {}
    for name, (size, blur, batch, looped) in CASES.items():
        rates = cpu_rates(competitors(size, blur, batch, looped), options.rounds)
        slow = rates["torchvision v2, PIL"]
        case = {
            "batch": batch,
            "cpu": {who: {"images_per_cpu_second": round(r), "times_pil": round(r / slow, 2)} for who, r in rates.items()},
        }
        if torch.cuda.is_available():
            on_gpu = gpu_rates(size, blur, options.rounds, options.compile)
            case["gpu"] = {who: {"images_per_second": round(rate)} for who, rate in on_gpu.items()}
        cases[name] = case
        print(name, json.dumps(case, indent=1))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({"machine": machine(), "versions": versions(), "cases": cases}, indent=2) + "\n")


if __name__ == "__main__":
    main()
