"""Opening a finished run: its card, its numbers over the epochs, the way of its embeddings in a plane, its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from contrastive_lab.methods import Method
from contrastive_lab.training import Settings
from contrastive_lab.training.prepare import build

FOLDER = Path(__file__).parent / "finished_runs"
CARD, HISTORY, PATH, WEIGHTS = "card.json", "history.json", "path.safetensors", "weights.safetensors"


@dataclass(frozen=True)
class Finished:
    """A run that was made once and is kept: `card` says with what, on what, how long and how good, and which command remakes it."""

    name: str
    folder: Path
    card: Mapping[str, Any]

    @property
    def settings(self) -> Settings:
        return Settings.from_json(json.dumps(self.card["settings"]))

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """A row for each epoch at which the run was evaluated."""
        return list(json.loads(self._checked(HISTORY).decode("utf-8")))

    def column(self, name: str) -> tuple[list[float], list[float]]:
        """Epochs and values of one measure."""
        rows = [row for row in self.history if name in row]
        if not rows:
            raise ValueError(
                f"the run {self.name!r} has no {name!r}; it has {', '.join(sorted({key for row in self.history for key in row}))}"
            )
        return [row["epoch"] for row in rows], [row[name] for row in rows]

    @cached_property
    def path(self) -> tuple[list[int], Float[Tensor, "T N 2"], Int64[Tensor, "N"]]:
        """Epochs, plane coordinates of the same test images at each (principal components, turned onto each other), and their classes."""
        kept = self._tensors(PATH)
        return kept["epochs"].tolist(), kept["places"].float() * kept["unit"], kept["labels"].long()

    def method(self) -> Method:
        """The method with its trained weights, on the CPU, in eval mode. Weights travel as float16 and are computed with as float32.

        Parts that only training needs (queue, momentum twin) keep their first values.
        """
        method = build(self.settings)
        weights = {name: value.float() if value.is_floating_point() else value for name, value in self._tensors(WEIGHTS).items()}
        unknown = method.load_state_dict(weights, strict=False).unexpected_keys
        if unknown:
            raise ValueError(
                f"the weights of run {self.name!r} have parts that its method doesn't: {', '.join(unknown[:3])}; update the package"
            )
        return method.eval()

    def __str__(self) -> str:
        measured = self.card["measured"]
        numbers = ", ".join(
            f"{key} {measured[key]:.3f}" for key in ("knn", "linear", "alignment", "uniformity", "rankme") if key in measured
        )
        chosen, device = self.card["settings"], self.card["environment"]["device"]
        return (
            f"{self.name}: {chosen['method']} on {self.card['data']['name']}, {chosen['network']} of width {chosen['width']}, "
            f"{chosen['epochs']} epochs in {self.card['train_seconds'] / 60:.1f} minutes on {device}\n"
            f"{numbers}\nmade by: {self.card['command']}"
        )

    def _checked(self, file: str) -> bytes:
        content = (self.folder / file).read_bytes()
        found, promised = hashlib.md5(content, usedforsecurity=False).hexdigest(), self.card["md5"].get(file)
        if found != promised:
            raise ValueError(f"{self.folder / file} has md5 {found}, but its card promises {promised}; get the package again")
        return content

    def _tensors(self, file: str) -> dict[str, Tensor]:
        from safetensors.torch import load

        return dict(load(self._checked(file)))


def available(folder: Path = FOLDER) -> list[str]:
    """Names of the finished runs that are here."""
    return sorted(path.parent.name for path in folder.glob(f"*/{CARD}"))


def open_run(name: str, *, folder: Path = FOLDER) -> Finished:
    """The finished run called `name`; `ValueError` with the names there are."""
    if name not in available(folder):
        raise ValueError(f"name is {name!r}, but there are {', '.join(map(repr, available(folder))) or 'no finished runs here'}")
    return Finished(name, folder / name, json.loads((folder / name / CARD).read_text("utf-8")))


def trained_part(method: Method) -> dict[str, Tensor]:
    """What of a method's state is worth shipping: all but queues and momentum twins, which only training needs."""
    dropped = ("twin.", "queue", "feature_queue")
    return {name: value for name, value in method.state_dict().items() if isinstance(value, torch.Tensor) and not name.startswith(dropped)}
