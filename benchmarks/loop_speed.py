"""Images per second of our training loop, of the encoder alone, and of lightly's loop with the same network.

    python benchmarks/loop_speed.py                                                two CPU cores: a small network
    python benchmarks/loop_speed.py --device cuda --width 64 --batch 256 1024 --precision bf16-mixed --compile
    python benchmarks/loop_speed.py --device cuda --width 64 --batch 0 --methods all --peers none        each at its recipe's batch

An image counts once, however many views are made of it. Pixels are random. "Ours" is `train` with the method's recipe, timed from epoch to
epoch, the first left out. "Encoder alone" is the ceiling: the calls of the encoder that one step of the method makes (momentum encoder and
extra crops too, recorded from a real step), forward, backward and update on tensors that already lie on the device: no views, heads, loss.
"lightly" is its recipe: PIL images, SimCLRTransform in a DataLoader, the network called for each view, NTXentLoss. With --precision
bf16-mixed all three use autocast. Each runs in a process of its own, in turns, and the best block of each counts; on a CPU images per
second of processor time stand beside wall time, which other programs disturb, and the ratios are theirs.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from measuring import RESULTS, alone, exponent, installed, machine, markdown, number, save, synchronize
from torch import Tensor, nn

from contrastive_lab.data import Images
from contrastive_lab.methods import METHODS, Method
from contrastive_lab.networks import ProjectionHead, make_backbone
from contrastive_lab.networks.backbone import Backbone
from contrastive_lab.training import Moment, Settings, batches, make_optimizer, prepare, train
from contrastive_lab.training.prepare import augmentation_for

BLOCKS = 3
Rates = dict[str, float]


def random_images(settings: Settings, steps: int) -> Images:
    """As many images as `steps` batches need, with whatever the method asks for."""
    count = steps * settings.batch_size
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, settings.image_size, settings.image_size), dtype=torch.uint8, generator=generator)
    return Images(pixels, "noise", labels=torch.arange(count) % 10, classes=tuple("abcdefghij"), groups=torch.arange(count) % 2)


def blocks(count: int, run: Callable[[], object]) -> Rates:
    """Images per second of the best of several blocks of `count` images, by the clock and by the processor time of this process."""
    best = {"images_per_second": 0.0, "images_per_cpu_second": 0.0}
    for _ in range(BLOCKS + 1):
        start, start_cpu = time.perf_counter(), time.process_time()
        run()
        synchronize()
        best["images_per_second"] = max(best["images_per_second"], count / (time.perf_counter() - start))
        best["images_per_cpu_second"] = max(best["images_per_cpu_second"], count / (time.process_time() - start_cpu))
    return best


def ours(settings: Settings, steps: int, workers: int) -> Rates:
    settings = dataclasses.replace(settings, epochs=BLOCKS + 1, warmup_epochs=0)
    images = random_images(settings, steps).to(settings.device)
    marks: list[tuple[float, float]] = []

    def mark(moment: Moment) -> None:
        if moment.epoch_end:
            synchronize()
            marks.append((time.perf_counter(), time.process_time()))

    train(prepare(settings, images), images, settings, [mark])
    epochs = [[end - start for start, end in zip(*pair, strict=True)] for pair in itertools.pairwise(marks[1:])]
    wall, cpu = (min(column) for column in zip(*epochs, strict=True))
    return {"images_per_second": len(images) / wall, "images_per_cpu_second": len(images) / cpu}


def encoder_alone(settings: Settings, steps: int, workers: int) -> Rates:
    step, passes = encoder_step(settings)
    return blocks(steps * settings.batch_size, lambda: [step() for _ in range(steps)]) | {"encoder_passes": passes}


def encoder_step(settings: Settings) -> tuple[Callable[[], None], int]:
    """A step of the encoder alone, and how often it passes images through an encoder."""
    images = random_images(settings, 1).to(settings.device)
    method = prepare(settings, images).to(settings.device).to(memory_format=torch.channels_last)
    calls = recorded_calls(method, settings, images)
    trained = nn.ModuleList({encoder for encoder, _, gradient in calls if gradient})
    optimizer = make_optimizer(trained, settings)
    for encoder in {encoder for encoder, _, _ in calls}:
        if settings.compile:
            encoder.compile(dynamic=False, mode="reduce-overhead" if settings.device == "cuda" else "default")

    def step() -> None:
        if settings.compile:
            torch.compiler.cudagraph_mark_step_begin()
        total: Any = 0.0
        with autocast(settings):
            for encoder, x, gradient in calls:
                with torch.set_grad_enabled(gradient):
                    out = encoder(x)
                total = total + out.float().mean() if gradient else total
        total.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step, len(calls)


def recorded_calls(method: Method, settings: Settings, images: Images) -> list[tuple[Backbone, Tensor, bool]]:
    """Every pass of images through an encoder within one step: the encoder, the images, and whether gradients flow."""
    calls: list[tuple[Backbone, Tensor, bool]] = []

    def noting(encoder: Backbone) -> Callable[[Tensor], Tensor]:
        inner = encoder.feature_map

        def feature_map(x: Tensor) -> Tensor:
            calls.append((encoder, x.detach(), torch.is_grad_enabled()))
            return inner(x)

        return feature_map

    encoders = [module for module in method.modules() if isinstance(module, Backbone)]
    for encoder in encoders:
        encoder.feature_map = noting(encoder)  # type: ignore[method-assign]
    views, generator = method.make_views(augmentation_for(settings, images)), batches.view_generator(images, settings, 0)
    with autocast(settings):
        method.step(batches.draw(images, torch.arange(settings.batch_size, device=images.device), views, generator))
    for encoder in encoders:
        del encoder.feature_map
    return calls


def autocast(settings: Settings) -> torch.autocast:
    return torch.autocast(settings.device, dtype=torch.bfloat16, enabled=settings.precision == "bf16-mixed")


def lightly(settings: Settings, steps: int, workers: int) -> Rates:
    from lightly.loss import NTXentLoss
    from lightly.transforms import SimCLRTransform
    from torchvision.transforms.functional import to_pil_image

    images = random_images(settings, steps)
    usual = augmentation_for(settings, images)
    # lightly's jitter at strength 0.5 is 0.4, 0.4, 0.4, 0.1
    transform = SimCLRTransform(settings.image_size, cj_strength=0.5, min_scale=usual.scale[0], gaussian_blur=usual.blur)
    pictures = [to_pil_image(image) for image in images.pixels]
    network = nn.Sequential(make_backbone(settings.network, width=settings.width, image_size=settings.image_size), nn.Identity())
    network[1] = ProjectionHead(network[0].dim, hidden_dim=512, out_dim=128)
    network.to(settings.device)
    criterion, optimizer = NTXentLoss(temperature=0.5), make_optimizer(network, settings)
    loader = torch.utils.data.DataLoader(
        Pictures(pictures, transform),
        batch_size=settings.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=settings.device == "cuda",
    )

    def epoch() -> None:
        for one, two in loader:
            with autocast(settings):
                first, second = (network(view.to(settings.device, non_blocking=True)) for view in (one, two))
                loss = criterion(first, second)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return blocks(len(images), epoch)


class Pictures(torch.utils.data.Dataset[Any]):
    """PIL images and what makes views of one."""

    def __init__(self, pictures: list[Any], transform: Callable[[Any], Any]) -> None:
        self.pictures, self.transform = pictures, transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, row: int) -> Any:
        return self.transform(self.pictures[row])


WHO: dict[str, Callable[[Settings, int, int], Rates]] = {"encoder alone": encoder_alone, "ours": ours, "lightly": lightly}


def cases(choice: argparse.Namespace) -> Iterator[Settings]:
    """The settings to be measured: methods x image sizes x batches."""
    usual = [name for name, method in METHODS.items() if "captions" not in method.needs]
    for name in usual if choice.methods == ["all"] else choice.methods:
        for size in choice.image_size:
            for batch in choice.batch:
                changes = {"batch_size": batch} if batch else {}
                yield Settings.recommended(
                    name,
                    "stl10" if size >= 64 else "cifar10",
                    network=choice.network,
                    width=choice.width,
                    image_size=size,
                    precision=choice.precision,
                    device=choice.device,
                    compile=choice.compile,
                    **changes,
                )


def measured(settings: Settings, choice: argparse.Namespace) -> dict[str, Any]:
    """All competitors on one case."""
    steps = max(2, choice.images // settings.batch_size)
    entry: dict[str, Any] = {
        "method": settings.method, "batch": settings.batch_size, "image_size": settings.image_size, "network": settings.network,
        "width": settings.width, "precision": settings.precision, "compile": settings.compile, "rates": {},
    }  # fmt: skip
    names = [*choice.who, *(["lightly"] if settings.method == "simclr" and choice.peers == "all" and installed("lightly") else [])]
    for name in (["+".join(names)] if choice.together else names) * choice.rounds:
        arguments = ["--one", name, settings.to_json(), str(steps), "--threads", str(choice.threads), "--workers", str(choice.workers)]
        for found in alone(__file__, arguments, timeout=choice.timeout):
            who = found.pop("who", name)
            best = entry["rates"].setdefault(who, found)
            if "images_per_second" in best and "images_per_second" in found:
                entry["rates"][who] = {key: round(max(best[key], value), 1) for key, value in found.items()}
    ceiling, mine = (entry["rates"].get(name, {}) for name in ("encoder alone", "ours"))
    key = rate_of(settings.device)
    if key in ceiling and key in mine:
        entry["share_of_ceiling"] = round(mine[key] / ceiling[key], 3)
    if key in entry["rates"].get("lightly", {}) and key in mine:
        entry["times_lightly"] = round(mine[key] / entry["rates"]["lightly"][key], 2)
    print(json.dumps(entry), flush=True)
    return entry


def rate_of(device: str) -> str:
    """Which rate is compared: on a CPU that of processor time, which other programs disturb less."""
    return "images_per_second" if device == "cuda" else "images_per_cpu_second"


def growth(entries: list[dict[str, Any]], key: str) -> dict[str, float | None]:
    """Exponents of seconds per image: against the batch (0 where it does not matter) and against the image size (2: the pixels)."""
    found = {}
    for axis, other in (("batch", "image_size"), ("image_size", "batch")):
        for who in WHO:
            for fixed in sorted({e[other] for e in entries}):
                points = [
                    (e[axis], 1 / e["rates"][who][key])
                    for e in entries
                    if e["method"] == "simclr" and e[other] == fixed and e["precision"] == "bf16-mixed" and key in e["rates"].get(who, {})
                ]
                if len({x for x, _ in points}) > 1:
                    found[f"{who}: seconds per image against {axis} at {other} {fixed}"] = exponent(points)
    return found


def table(entries: list[dict[str, Any]], key: str) -> str:
    rows = []
    for e in entries:
        rates = [e["rates"].get(who, {}) for who in ("lightly", "ours", "encoder alone")]
        shown = [number(rate.get(key)) for rate in rates]
        share = f"{100 * e['share_of_ceiling']:.0f} %" if "share_of_ceiling" in e else "–"
        times = f"{e['times_lightly']:.1f}" if "times_lightly" in e else "–"
        kind = e["precision"] + (", compiled" if e["compile"] else "")
        what = f"{e['network']} w{e['width']}, {e['image_size']} px, batch {e['batch']}, {kind}"
        rows.append([METHODS[e["method"]].title, what, *shown, share, times])
    return markdown(["method", "case", "lightly", "ours", "encoder alone", "of the ceiling", "times lightly"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--methods", nargs="+", default=["simclr"], help="names, or all")
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, nargs="+", default=[128], help="images of a step; 0 is what the method's recipe takes")
    parser.add_argument("--image-size", type=int, nargs="+", default=[32])
    parser.add_argument("--precision", nargs="+", default=["32-true", "bf16-mixed"], choices=["32-true", "bf16-mixed"])
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--images", type=int, default=512, help="images of a timed block, rounded down to whole batches (at least two)")
    parser.add_argument("--rounds", type=int, default=1, help="processes for each competitor, in turns")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="loader processes of lightly's loop")
    parser.add_argument("--peers", choices=["all", "none"], default="all")
    parser.add_argument("--who", nargs="+", default=["encoder alone", "ours"], choices=["encoder alone", "ours"])
    parser.add_argument("--together", action="store_true", help="all competitors in one process: sooner done, less clean")
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--add", action="store_true", help="keep the entries that the output file has")
    parser.add_argument("--output", type=Path, default=RESULTS / "bench-loop.json")
    parser.add_argument("--one", nargs=3, metavar=("WHO", "SETTINGS", "STEPS"), help="measure one competitor in this process and print it")
    choice = parser.parse_args()
    torch.set_num_threads(choice.threads)
    if choice.one:
        for who in choice.one[0].split("+"):
            print(json.dumps({"who": who, **WHO[who](Settings.from_json(choice.one[1]), int(choice.one[2]), choice.workers)}), flush=True)
            torch.compiler.reset()
        return
    os.environ["TQDM_DISABLE"] = "1"
    entries = json.loads(choice.output.read_text(encoding="utf-8"))["entries"] if choice.add and choice.output.exists() else []
    precisions = choice.precision
    for choice.precision in precisions:
        for settings in cases(choice):
            entries.append(measured(settings, choice))
            save(
                {
                    "machine": machine(choice.device),
                    "workers": choice.workers,
                    "entries": entries,
                    "exponents": growth(entries, rate_of(choice.device)),
                },
                choice.output,
            )
    print(f"{rate_of(choice.device).replace('_', ' ')}:\n" + table(entries, rate_of(choice.device)))


if __name__ == "__main__":
    main()
