"""What two processes compute together, written by the first: run by test_gather.py as `torchrun two_processes.py FILE`."""

import dataclasses
import sys

import torch
import torch.distributed as dist
from torch import Tensor, nn

from contrastive_lab.data import Images
from contrastive_lab.gather import gather
from contrastive_lab.methods import METHODS, Method
from contrastive_lab.training import Run, Settings, prepare, train
from contrastive_lab.views import Batch

METHODS_TRIED = ("simclr", "dcl", "moco", "swav", "clip")


def pieces() -> tuple[Tensor, Tensor]:
    """Four rows and the coefficients of a loss that treats each row differently."""
    return torch.arange(12.0).view(4, 3), torch.tensor([1.0, 10.0, 100.0, 1000.0])


def still(pixels: Tensor, *, generator: torch.Generator | None = None) -> Batch:
    """Views without chance: the image and its mirror image, so that one process and two see the same."""
    view = pixels.float() / 128 - 1
    box = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(len(pixels), 4)
    return Batch(views=(view, view.flip(3)), boxes=(box, box))


def without_norm(method: Method) -> Method:
    """Batch norm sees one process only, which is the one intended difference between one process and two."""
    for module in list(method.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return method


def made_run(name: str, devices: int) -> Run:
    pixels = torch.randint(0, 256, (48, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    told = tuple((f"number {number % 20}",) for number in range(48))
    images = Images(pixels, "noise", labels=torch.arange(48) % 4, captions=told)
    options = {"moco": {"queue_length": 32, "splits": 1}, "swav": {"n_prototypes": 8, "hidden_dim": 8, "out_dim": 8, "freeze_epochs": 1.0}}
    options["clip"] = {"out_dim": 8, "text_width": 8, "heads": 2, "length": 8}
    settings = Settings(
        method=name, data="own", epochs=2, batch_size=12, width=4, image_size=16, device="cpu", devices=devices, optimizer="sgd", lr=0.05,
        options=options.get(name, {"hidden_dim": 8, "out_dim": 8}),
    )  # fmt: skip
    method = without_norm(prepare(settings, images))
    method.make_views = lambda augmentation: still
    return train(method, images, settings)


def main(file: str) -> None:
    results = {}
    for name in METHODS_TRIED:
        run = made_run(name, 2)
        results[name] = {"weights": run.method.state_dict(), "losses": [row.get("loss", 0.0) for row in run.history]}
    rows, coefficients = pieces()
    mine = rows.chunk(2)[dist.get_rank()].clone().requires_grad_()
    joint = gather(mine)
    (joint.sum(dim=1) * coefficients).sum().backward()
    results["gather"] = {"rows": joint.detach(), "gradient": mine.grad, "dtype": str(gather(mine.bfloat16()).dtype)}
    if dist.get_rank() == 0:
        torch.save(results, file)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    assert METHODS.keys() >= set(METHODS_TRIED)
    assert dataclasses.is_dataclass(Settings)
    main(sys.argv[1])
