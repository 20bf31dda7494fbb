"""Keeping a run: where it goes on, what is written after each epoch, and how it ends."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import reduce
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.methods import Method, Progress
from contrastive_lab.training import folder as disk
from contrastive_lab.training.batches import seed_for, steps_per_epoch
from contrastive_lab.training.journal import Diverged, Journal
from contrastive_lab.training.observe import Moment, Observer
from contrastive_lab.training.run import Run, RunState, load_frames, save_frame, weights_of
from contrastive_lab.training.settings import Settings


class Keeper:
    """Opens the run's folder, hands out the epochs that remain, saves after each, and writes how the run ended.

    As a context manager it gives the caller's random state back and turns Ctrl-C into the state "interrupted".
    """

    def __init__(self, method: Method, images: Images, settings: Settings, *, fabric: Any, folder: str | Path | None, resume: bool) -> None:
        self.fabric, self.chief = fabric, bool(fabric.is_global_zero)
        self.length = steps_per_epoch(images, settings)
        self.about: dict[str, Any] = {"name": images.name, "split": images.split, "count": len(images), "size": images.size}
        if folder is not None:
            self.about["fingerprint"] = _fingerprint(images)
        self.run = Run(settings=settings, method=method, folder=None if folder is None else Path(folder))
        self.checkpoint: dict[str, Any] | None = None
        if self.run.folder is not None:
            self._open(self.run.folder, resume=resume)
        self.saved_frames = len(self.run.snapshots)

    def start(self, observers: Sequence[Observer]) -> Journal:
        """The journal, which goes on where the saved history ends."""
        seconds = 0.0 if self.checkpoint is None else float(self.checkpoint["seconds"])
        steps = self.run.settings.epochs * self.length
        self.journal = Journal(self.run, observers if self.chief else (), steps=steps, seconds=seconds, show=self.chief)
        return self.journal

    def remaining_epochs(self, optimizer: Any) -> Iterator[int]:
        """The epochs still to train, from 0. Asking for the next one saves the one before."""
        settings, method = self.run.settings, self.run.method
        first = self._restore(optimizer)
        method.progress = Progress(first * self.length, settings.epochs * self.length, self.length)
        if first == 0:
            self.journal.note(Moment(0, 0, None, method, True, method.progress), settings.lr)
        for epoch in range(first, settings.epochs):
            # Whatever a method draws from the global generator is decided by the epoch, so there is no state to save.
            torch.manual_seed(seed_for(settings.seed, epoch, "method"))
            method.train()
            yield epoch
            self._save(epoch + 1, optimizer)

    def __enter__(self) -> Keeper:
        self.stack = ExitStack()
        devices = [self.fabric.device] if self.fabric.device.type == "cuda" else []
        self.stack.enter_context(torch.random.fork_rng(devices=devices))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        self.stack.close()
        self.journal.close()
        self.run.state = _end_state(error)
        if error is None:
            self._finish()
        else:
            with suppress(OSError):  # the error on its way says more
                self._write_state()
        if isinstance(error, KeyboardInterrupt):
            kept = f"{self._epochs_kept()} finished epochs are kept in {self.run.folder}; the same call goes on from there"
            lost = "the weights are those of this moment; give train a folder to be able to go on"
            print(f"Interrupted: {lost if self.run.folder is None else kept}.", file=sys.stderr)
            return True
        return False

    def _open(self, folder: Path, *, resume: bool) -> None:
        if self.chief:
            disk.claim(folder, self.run.settings, self.about, resume=resume)
            self._write_state()
        self.fabric.barrier()
        self.checkpoint = disk.read_checkpoint(folder)
        if self.checkpoint is not None:
            step = int(self.checkpoint["step"])
            self.run.history = disk.read_history(folder, up_to_step=step)
            self.run.snapshots = load_frames(folder, up_to_step=step)

    def _restore(self, optimizer: Any) -> int:
        if self.checkpoint is None:
            return 0
        self.run.method.load_state_dict(self.checkpoint["method"] | self.checkpoint["private"][self.fabric.global_rank])
        optimizer.load_state_dict(self.checkpoint["optimizer"])
        return int(self.checkpoint["epoch"])

    def _save(self, epoch: int, optimizer: Any) -> None:
        folder = self.run.folder
        if folder is None:
            return
        private = self._private_states()
        if self.chief:
            self._write_records(folder)
            self.checkpoint = {
                "epoch": epoch,
                "step": epoch * self.length,
                "seconds": self.journal.seconds,
                "method": self.run.method.state_dict(),
                "private": private,
                "optimizer": optimizer.state_dict(),
            }
            disk.write_checkpoint(folder, self.checkpoint)
        self.fabric.barrier()

    def _private_states(self) -> list[dict[str, Tensor]]:
        """What each process has for itself: its running statistics. One process keeps nothing twice."""
        if self.fabric.world_size == 1:
            return [{}]
        weights = {name for name, _ in self.run.method.named_parameters()}
        mine = {name: value.cpu() for name, value in self.run.method.state_dict().items() if name not in weights}
        states: list[dict[str, Tensor]] = [{}] * self.fabric.world_size
        dist.all_gather_object(states, mine)
        return states

    def _write_records(self, folder: Path) -> None:
        for frame in self.run.snapshots[self.saved_frames :]:
            save_frame(folder, frame)
        self.saved_frames = len(self.run.snapshots)
        disk.write_history(folder, self.run.history)

    def _finish(self) -> None:
        if self.chief and self.run.folder is not None:
            self._write_records(self.run.folder)
            disk.write_tensors(self.run.folder / disk.WEIGHTS, weights_of(self.run.method))
            self._write_state()
        self.fabric.barrier()

    def _write_state(self) -> None:
        if self.chief and self.run.folder is not None:
            state = {"state": self.run.state, "images": self.about, "torch": torch.__version__}
            disk.write_text(self.run.folder / disk.STATE, disk.as_json(state))

    def _epochs_kept(self) -> int:
        return 0 if self.checkpoint is None else int(self.checkpoint["epoch"])


def _fingerprint(images: Images) -> str:
    """A checksum of pixels, labels and groups: another folder of as many images is another run."""
    parts = [part for part in (images.pixels, images.labels, images.groups) if part is not None]
    return f"{reduce(lambda so_far, part: zlib.crc32(part.cpu().contiguous().numpy().data, so_far), parts, 0):08x}"


def _end_state(error: BaseException | None) -> RunState:
    if error is None:
        return "finished"
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "diverged" if isinstance(error, Diverged) else "failed"
