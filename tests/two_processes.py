"""What two processes compute together, written by the first: run by test_gather.py as `torchrun two_processes.py FILE`."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from contrastive_lab.data import Images
from contrastive_lab.gather import gather
from contrastive_lab.methods import METHODS, Method, Step, sinkhorn, swav_loss
from contrastive_lab.training import Settings, prepare, train
from contrastive_lab.views import Batch

SMALL = {"hidden_dim": 8, "out_dim": 8}
SWAV = {**SMALL, "n_prototypes": 8, "freeze_epochs": 1.0}
QUEUE = {"queue_length": 32, "hidden_dim": 8, "dim": 8}
# Case: the method if it has another name, how many views, options. Every method has at least one case.
CASES: Mapping[str, tuple[str, int, Mapping[str, Any]]] = {
    # First: its queue is built before the processes have met, as in a real run.
    "swav, queue": ("swav", 2, {**SWAV, "queue_length": 24, "queue_start": 1.0}),
    "simclr": ("simclr", 2, SMALL),
    "simclr, tiled": ("simclr", 2, {**SMALL, "chunk": 5}),
    "dcl": ("dcl", 2, SMALL),
    "dclw": ("dclw", 2, SMALL),
    "cacr": ("cacr", 3, {**SMALL, "n_views": 3}),
    "cacr, tiled": ("cacr", 2, {**SMALL, "n_views": 2, "chunk": 5}),
    "cacr, queue": ("cacr", 2, {**SMALL, "n_views": 2, "momentum": 0.9, "queue_size": 20}),
    "moco": ("moco", 2, QUEUE),
    "moco, symmetric": ("moco", 2, {**QUEUE, "symmetric": True}),
    "mochi": ("mochi", 2, {**QUEUE, "n_hard": 8, "s": 8, "s_prime": 4, "warmup_epochs": 1}),
    "swav": ("swav", 2, SWAV),
    "pixpro": ("pixpro", 2, SMALL),
    "pixcontrast": ("pixcontrast", 2, SMALL),
    "sepclr": ("sepclr", 2, {"common_dim": 4, "salient_dim": 4, "hidden_dim": 8}),
    "hydra": ("hydra", 2, {**SMALL, "num_classes": 4, "embed_dim": 4, "gate_hidden_dim": 8}),
    "clip": ("clip", 1, {"text_width": 8, "layers": 1, "heads": 2, "buckets": 64, "length": 8, "out_dim": 8}),
}


def pieces() -> tuple[Tensor, Tensor]:
    """Four rows and the coefficients of a loss that treats each row differently."""
    return torch.arange(12.0).view(4, 3), torch.tensor([1.0, 10.0, 100.0, 1000.0])


def scores() -> tuple[Tensor, Tensor]:
    """Cosines of six samples with four prototypes in two views."""
    one, two = torch.rand(2, 6, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return one, two


def still(count: int) -> Callable[..., Batch]:
    """Views without chance: the image, its mirror images and so on, so that one process and two see the same."""

    def views(pixels: Tensor, *, generator: torch.Generator | None = None) -> Batch:
        view = pixels.float() / 128 - 1
        box = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(len(pixels), 4)
        return Batch(views=(view, view.flip(3), view.flip(2))[:count], boxes=(box,) * count)

    return views


def without_norm(method: Method) -> Method:
    """Batch norm sees one process only, which is the one intended difference between one process and two."""
    for module in list(method.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return method


def trained(case: str, devices: int) -> tuple[dict[str, Tensor], list[float]]:
    """Weights and queues after two epochs, and the loss of each step in this process."""
    pixels = torch.randint(0, 256, (48, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Images(
        pixels, "noise", labels=torch.arange(48) % 4, classes=tuple("abcd"), groups=torch.arange(48) % 2,
        captions=tuple((f"number {row}",) for row in range(48)),
    )  # fmt: skip
    name, views, options = CASES[case]
    settings = Settings(
        method=name, data="own", epochs=2, batch_size=12, width=4, image_size=16, device="cpu", devices=devices, optimizer="sgd", lr=0.05,
        options=options,
    )  # fmt: skip
    method = without_norm(prepare(settings, images))
    method.make_views = lambda augmentation: still(views)
    losses: list[float] = []
    step = method.step

    def noted(batch: Batch) -> Step:  # observers are asked by the first process alone
        result = step(batch)
        losses.append(result.loss.item())
        return result

    method.step = noted
    train(method, images, settings)
    return method.state_dict(), losses


def main(file: str) -> None:
    results = {}
    for case in CASES:
        weights, losses = trained(case, 2)
        mine = torch.tensor(losses)
        dist.all_reduce(mine)
        results[case] = {"weights": weights, "losses": (mine / 2).tolist()}
    rows, coefficients = pieces()
    mine = rows.chunk(2)[dist.get_rank()].clone().requires_grad_()
    joint = gather(mine)
    (joint.sum(dim=1) * coefficients).sum().backward()
    halves = [view.chunk(2)[dist.get_rank()] for view in scores()]
    loss = swav_loss(halves, process_group=dist.group.WORLD)
    dist.all_reduce(loss)
    results["balance"] = {
        "codes": gather(sinkhorn(halves[0], process_group=dist.group.WORLD)),
        "alone": gather(sinkhorn(halves[0])),
        "loss": loss / 2,
    }
    results["gather"] = {"rows": joint.detach(), "gradient": mine.grad, "dtype": str(gather(mine.bfloat16()).dtype)}
    if dist.get_rank() == 0:
        torch.save(results, file)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    assert {name for name, _, _ in CASES.values()} <= METHODS.keys()
    main(sys.argv[1])
