"""Where a run computes: device, precision and processes through Lightning Fabric, and plain words when memory ends."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from contrastive_lab.methods import Method, Step
from contrastive_lab.training.settings import Settings
from contrastive_lab.views import Batch

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "failed to allocate")


class StepModule(nn.Module):
    """A method's step as a forward pass over plain tensors, which is what precision and process wrappers understand."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method, self.graphs = method, False
        self.whole: str | None = None

    def forward(self, *batch: Any) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        if not self.graphs:
            step = self._step(Batch(*batch))
            return step.loss, step.embeddings, dict(step.logs)
        # What the graphs of the last step wrote may be written over now; the journal looks at losses many steps later, so it gets copies.
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        step = self._step(Batch(*batch))
        return step.loss.clone(), step.embeddings.clone(), {name: value.clone() for name, value in step.logs.items()}

    def _step(self, batch: Batch) -> Step:
        """The method's step; where the compiler fails on it as one graph, from then on with its parts compiled."""
        if not self.whole:
            return self.method.step(batch)
        from torch._dynamo.exc import BackendCompilerFailed  # loaded by torch.compile anyway

        try:
            return self.method.step(batch)
        except BackendCompilerFailed as error:
            name, reason = type(self.method).__name__, str(error.inner_exception).strip().splitlines()[-1]
            warnings.warn(
                f"torch {torch.__version__} can't compile {name} as one graph, so its parts are compiled ({reason})", stacklevel=2
            )
            delattr(self.method, self.whole)
            self.whole = None
            self._compile_parts()
            return self.method.step(batch)

    def compile_for(self, settings: Settings) -> None:
        """Fuse the kernels: of the function that the method names, else of its parts one by one.

        On a GPU they are also recorded as CUDA graphs: the many small kernels of a narrow network take longer to launch than to run.
        Where several processes exchange rows in the middle of a step, only what lies between can be fused.
        """
        self.graphs = usable_device(settings.device) == "cuda"
        self.whole = self.method.graph if settings.devices == 1 else None
        if self.whole:
            fused = torch.compile(getattr(type(self.method), self.whole), dynamic=False, mode=self._mode())
            setattr(self.method, self.whole, MethodType(fused, self.method))  # bound anew: a copy of the method calls its own
        else:
            self._compile_parts()

    def _compile_parts(self) -> None:
        for part in self.method.children():
            part.compile(dynamic=False, mode=self._mode())

    def _mode(self) -> str:
        return "reduce-overhead" if self.graphs else "default"


def take_step(module: nn.Module, batch: Batch) -> Step:
    """`method.step(batch)` in the run's precision and over all of its processes."""
    return Step(*module(*(getattr(batch, f.name) for f in dataclasses.fields(batch))))


def start_fabric(settings: Settings, *, freezes: bool = False) -> Any:
    """Lightning Fabric for these settings, with all processes running; `freezes`: some parameters have no gradient in some steps."""
    try:
        import lightning_fabric as fabric
    except ImportError:  # the all-in-one package `lightning` has the same library under another name
        import lightning.fabric as fabric  # type: ignore[import-not-found,no-redef]

    device = usable_device(settings.device)
    nodes = _machines(settings.devices, device)
    strategy: Any = "auto"
    if settings.devices > 1:
        # Buffers (queues, running statistics) are equal or private on purpose.
        strategy = fabric.strategies.ddp.DDPStrategy(broadcast_buffers=False, find_unused_parameters=freezes)
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated")  # its successor is unknown to older versions
        warnings.filterwarnings("ignore", "find_unused_parameters=True was specified in DDP constructor, but did not find any")
    logging.getLogger(fabric.__name__).setLevel(logging.WARNING)  # one greeting less above the progress line
    precision: Any = settings.precision
    machine = fabric.Fabric(accelerator=device, devices=settings.devices // nodes, num_nodes=nodes, precision=precision, strategy=strategy)
    machine.launch()
    return machine


def arrange(method: Method, settings: Settings) -> StepModule:
    """The method as the machine likes it: convolution weights with channels last, and compiled if asked for."""
    module = StepModule(method.to(memory_format=torch.channels_last))
    if settings.compile:
        module.compile_for(settings)
    return module


def usable_device(device: str) -> str:
    """ "auto" resolved to what is there; `ValueError` for a device that is not."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if (device == "cuda" and not cuda) or (device == "mps" and not mps):
        raise ValueError(f"device is {device!r}, but torch {torch.__version__} finds none here; take 'auto' or 'cpu'")
    return device


def _machines(devices: int, device: str) -> int:
    """On how many machines the `devices` processes run, as the launcher says; `ValueError` if they can't be what was asked for."""
    started = int(os.environ.get("WORLD_SIZE", devices))
    if started != devices:
        raise ValueError(f"devices is {devices}, but the launcher started {started} processes; give devices={started}")
    if devices > 1 and "WORLD_SIZE" not in os.environ and "ipykernel" in sys.modules:
        raise ValueError(
            f"devices is {devices}, but a notebook is one process; use devices=1 here, or `contrastive-lab train` in a terminal"
        )
    machines = started // int(os.environ.get("LOCAL_WORLD_SIZE", started))
    if device == "cuda" and torch.cuda.device_count() < devices // machines:
        raise ValueError(f"devices is {devices}, but this machine has {torch.cuda.device_count()} GPU(s); give that or fewer")
    return machines


@contextmanager
def explained_memory(settings: Settings) -> Iterator[None]:
    """Turn the many ways in which memory runs out into one `MemoryError` that says what to make smaller."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error).lower() for words in OUT_OF_MEMORY):
            raise
        raise MemoryError(
            f"memory ran out with batch_size={settings.batch_size}, width={settings.width}, image_size={settings.image_size}, "
            f"precision={settings.precision!r}; halve batch_size first, then width, or take precision='bf16-mixed' ({error})"
        ) from error
