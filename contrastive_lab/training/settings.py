"""Everything that changes a run, in one frozen record that is saved beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from contrastive_lab.networks.backbone import NETWORKS

DATA = ("scenes", "digits", "cifar10", "cifar100", "stl10", "flickr8k", "own")
OPTIMIZERS = ("sgd", "adam", "adamw", "lars")
PRECISIONS = ("32-true", "bf16-mixed")
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that changes a run, saved beside its checkpoint. Wrong values raise `ValueError` here, before any work.

    data: where the images come from; "own" for images of yours.
    network: "convnet" or "resnet18"; width: channels of its first stage.
    image_size: side of the training views in pixels, for which the network is built too.
    epochs: passes through the images; 0 gives the untrained network, the baseline of every table.
    batch_size: images of one optimiser step, over all processes; an incomplete last batch is left out.
    optimizer: "sgd", "adam", "adamw" or "lars" (which needs timm).
    lr: peak learning rate, reached after `warmup_epochs`, then a cosine down to 0.
    weight_decay: not applied to biases and norms. `momentum` is that of "sgd" and "lars".
    clip: largest allowed norm of the gradient, or None.
    precision: "32-true", or "bf16-mixed", which trains in bfloat16 where that is safe and computes losses in float32.
    device: "auto" (a GPU where there is one), "cpu", "cuda" or "mps".
    devices: processes in all; 2 or more are started by `torchrun` or by the script itself.
    compile: let torch.compile fuse the networks; pays after about a minute on a GPU.
    options: keyword arguments of the method; augmentation: changes to the data's usual augmentation.
    """

    method: str
    data: str
    network: str = "convnet"
    width: int = 32
    image_size: int = 32
    epochs: int = 20
    batch_size: int = 256
    optimizer: str = "adamw"
    lr: float | int = 1e-3
    weight_decay: float | int = 1e-4
    momentum: float | int = 0.9
    warmup_epochs: float | int = 0.0
    clip: float | int | None = None
    precision: str = "32-true"
    device: str = "auto"
    devices: int = 1
    seed: int = 0
    compile: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from contrastive_lab.methods import METHODS

        _one_of("method", self.method, tuple(METHODS))
        _one_of("data", self.data, DATA)
        _one_of("network", self.network, NETWORKS)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("device", self.device, DEVICES)
        for name, least in (("width", 1), ("image_size", 8), ("epochs", 0), ("batch_size", 2), ("devices", 1), ("seed", 0)):
            _whole(name, getattr(self, name), least)
        for name, above in (("lr", True), ("weight_decay", False), ("momentum", False), ("warmup_epochs", False), ("clip", True)):
            _number(name, getattr(self, name), above_zero=above)
        if self.momentum >= 1:
            raise ValueError(f"momentum is {self.momentum}, but must be below 1; 0.9 is usual")
        if self.warmup_epochs > max(self.epochs, 0) and self.epochs > 0:
            raise ValueError(f"warmup_epochs is {self.warmup_epochs}, but must not exceed epochs={self.epochs}")
        if self.batch_size % self.devices:
            raise ValueError(f"batch_size is {self.batch_size}, but must be a multiple of devices={self.devices}: each takes an equal part")
        for name in ("options", "augmentation"):
            object.__setattr__(self, name, _as_json(name, getattr(self, name)))

    @classmethod
    def recommended(cls, method: str, data: str, **changes: Any) -> Settings:
        """The method's own recipe for this data with `changes`; without an `lr` among them it follows `batch_size` linearly."""
        from contrastive_lab.methods import METHODS
        from contrastive_lab.training.prepare import class_count, data_kind

        _one_of("method", method, tuple(METHODS))
        _one_of("data", data, DATA)
        recipe = METHODS[method].recipe(data_kind(data))
        chosen: dict[str, Any] = {name: getattr(recipe, name) for name in ("optimizer", "weight_decay", "batch_size", "warmup_epochs")}
        chosen["image_size"] = 64 if data == "own" else 96 if data_kind(data) == "stl10" else 32
        chosen |= {name: value for name, value in changes.items() if name not in ("options", "augmentation")}
        chosen.setdefault("lr", recipe.lr * chosen["batch_size"] / recipe.batch_size)
        if "warmup_epochs" not in changes:
            chosen["warmup_epochs"] = min(chosen["warmup_epochs"], chosen.get("epochs", cls.epochs) / 4)
        for name in ("options", "augmentation"):
            chosen[name] = {**getattr(recipe, name), **changes.get(name, {})}
        if data == "cifar100" and class_count(method, {}) is not None:
            chosen["options"].setdefault("num_classes", 100)
        _known(chosen)
        return cls(method=method, data=data, **chosen)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"settings must be a JSON object, but are {type(values).__name__}")
        _known(values)
        return cls(**values)

    def differences(self, other: Settings) -> list[str]:
        """What differs, as "name: mine -> other's"; the device and compilation are left out, since they don't define the run."""
        mine, theirs = asdict(self), asdict(other)
        names = [name for name in mine if name not in ("device", "compile")]
        return [f"{name}: {mine[name]!r} -> {theirs[name]!r}" for name in names if mine[name] != theirs[name]]


def _known(values: Mapping[str, Any]) -> None:
    allowed = [f.name for f in fields(Settings)]
    unknown = [name for name in values if name not in allowed]
    if unknown:
        raise ValueError(f"unknown settings {', '.join(map(repr, unknown))}; there are {', '.join(allowed)}")


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(map(repr, allowed))}")


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}, but must be a whole number of at least {least}")


def _number(name: str, value: object, *, above_zero: bool) -> None:
    if name == "clip" and value is None:
        return
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value < 0
        or (above_zero and value == 0)
    ):
        raise ValueError(f"{name} is {value!r}, but must be a finite number {'above' if above_zero else 'of at least'} 0")


def _as_json(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping as JSON will give it back, so that saved and loaded settings are equal."""
    try:
        return dict(json.loads(json.dumps(dict(value))))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}, but must be a dictionary of numbers, texts and lists: it is saved as JSON") from error
