"""A run that was made: its settings, numbers, frames and weights, in memory and in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Shaped
from torch import Tensor

from contrastive_lab.methods import Method
from contrastive_lab.training import folder as disk
from contrastive_lab.training.settings import Settings

RunState = Literal["running", "finished", "interrupted", "diverged", "failed"]


@dataclass(frozen=True)
class Frame:
    """What observers kept at one moment: tensors by name."""

    epoch: int
    step: int
    tensors: dict[str, Tensor]


@dataclass
class Run:
    """`history` has a row every few steps (step, epoch, loss, lr, seconds, ...); rows at epoch ends hold the observers' numbers too.

    With several processes it is the first one's: for methods that gather embeddings the joint loss, for SwAV the loss of its own images.
    """

    settings: Settings
    method: Method
    history: list[disk.Row] = field(default_factory=list)
    snapshots: list[Frame] = field(default_factory=list)
    folder: Path | None = None
    state: RunState = "running"

    def column(self, name: str) -> tuple[list[float | int], list[float | int]]:
        """Epochs and values of one measure, from the rows that have it."""
        rows = [row for row in self.history if name in row]
        if not rows:
            known = sorted({key for row in self.history for key in row})
            raise ValueError(f"the history has no {name!r}; it has {', '.join(known) or 'no rows'}")
        return [row["epoch"] for row in rows], [row[name] for row in rows]

    def last(self, name: str) -> float | int:
        """The latest value of a measure."""
        return self.column(name)[1][-1]

    def frames(self, name: str = "embeddings") -> Shaped[Tensor, "T *shape"]:
        """One kept tensor over time, stacked."""
        kept = [frame.tensors[name] for frame in self.snapshots if name in frame.tensors]
        if not kept:
            raise ValueError(f"the run kept no {name!r}; train it with an observer such as Snapshot(images)")
        return torch.stack(kept)

    def save(self, folder: str | Path) -> Path:
        """Write the run to `folder` (made if needed), without what only resuming needs."""
        path = Path(folder)
        disk.claim(path, self.settings, {}, resume=True)
        disk.write_history(path, self.history)
        for frame in self.snapshots:
            save_frame(path, frame)
        disk.write_tensors(path / disk.WEIGHTS, weights_of(self.method))
        disk.write_text(path / disk.STATE, disk.as_json({**disk.read_state(path), "state": self.state}))
        return path

    @classmethod
    def load(cls, folder: str | Path, *, method: Method | None = None) -> Run:
        """A run from its folder, on the CPU, in eval mode; of an unfinished one the state after its last finished epoch.

        The network is made from the settings. Where an encoder of your own was trained, give a `method` around one of the same shape;
        it gets the weights.
        """
        path = Path(folder)
        if not (path / disk.SETTINGS).exists():
            raise ValueError(f"folder {path} holds no run: {disk.SETTINGS} is missing; give a folder that train or Run.save wrote")
        settings = disk.read_settings(path)
        method, step = _load_method(path, settings, method)
        history, snapshots = disk.read_history(path, up_to_step=step), load_frames(path, up_to_step=step)
        state: RunState = disk.read_state(path).get("state", "running")
        return cls(settings=settings, method=method.eval(), history=history, snapshots=snapshots, folder=path, state=state)


def weights_of(method: Method) -> dict[str, Tensor]:
    return {name: value for name, value in method.state_dict().items() if isinstance(value, Tensor)}


def save_frame(folder: Path, frame: Frame) -> None:
    home = folder / disk.SNAPSHOTS
    home.mkdir(exist_ok=True)
    disk.write_tensors(home / f"{frame.epoch:05d}-{frame.step:08d}.safetensors", frame.tensors)


def load_frames(folder: Path, *, up_to_step: int | None = None) -> list[Frame]:
    frames = []
    for path in sorted((folder / disk.SNAPSHOTS).glob("*.safetensors")):
        epoch, step = map(int, path.stem.split("-"))
        if up_to_step is None or step <= up_to_step:
            frames.append(Frame(epoch, step, disk.read_tensors(path)))
    return frames


def _load_method(folder: Path, settings: Settings, method: Method | None) -> tuple[Method, int | None]:
    from contrastive_lab.training.prepare import build

    method = build(settings) if method is None else method.cpu()
    if (folder / disk.WEIGHTS).exists():
        _fill(method, disk.read_tensors(folder / disk.WEIGHTS), folder)
        return method, None
    checkpoint = disk.read_checkpoint(folder)
    if checkpoint is None:
        raise ValueError(f"the run in {folder} stopped before its first epoch ended; train it again with the same settings and folder")
    _fill(method, checkpoint["method"], folder)
    return method, int(checkpoint["step"])


def _fill(method: Method, state: Mapping[str, Any], folder: Path) -> None:
    try:
        method.load_state_dict(state)
    except RuntimeError as error:  # names of missing and unexpected weights, or their shapes
        raise ValueError(
            f"folder {folder} holds the weights of another network than method; give Run.load(folder, method=...) the method that was "
            f"trained, around an encoder of the same shape ({str(error).splitlines()[1].strip()[:200]})"
        ) from error
