"""What a run says about itself: running losses without waiting for the device, rows of history, the progress line, the diagnosis."""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from contrastive_lab.training.folder import Row
from contrastive_lab.training.observe import Moment, Observer
from contrastive_lab.training.run import Frame, Run
from contrastive_lab.training.settings import Settings

READ_EVERY = 50
"""Steps between two looks at the losses; each look waits for the device."""

SHOWN = ("loss", "knn", "alignment", "uniformity", "rankme")


class Diverged(RuntimeError):
    """The loss became NaN or infinite; the message says when, what preceded it and what to try. The last good epoch stays saved."""


class Journal:
    """Collects the numbers of a run into `run.history` and `run.snapshots`, and shows them on one line of plain text on stderr."""

    def __init__(self, run: Run, observers: Sequence[Observer], *, steps: int, seconds: float = 0.0, show: bool = True) -> None:
        # Plain text also in Jupyter: notebook bars leave widget state in saved files, which GitHub then refuses to show.
        from tqdm.std import tqdm

        self.run, self.observers = run, observers
        self.window: dict[str, list[Tensor]] = defaultdict(list)
        self.finite = math.nan
        self.before, self.start = seconds, time.perf_counter()
        done = int(run.history[-1]["step"]) if run.history else 0
        title = f"{run.settings.method} on {run.settings.data}"
        # Jupyter paints stderr in the colour of errors, and doesn't tell how wide its cells are: a longer line would wrap, a cut one
        # ends in the middle of a measure.
        notebook = "ipykernel" in sys.modules
        stream, width = (sys.stdout, 110) if notebook else (sys.stderr, None)
        self.shown = SHOWN[:2] if notebook else SHOWN
        self.bar = tqdm(
            total=steps,
            initial=done,
            desc=title,
            unit="step",
            file=stream,
            mininterval=0.5,
            delay=1e-9,  # not before the first step, so that what observers show at the start stands above the line
            disable=not show,
            ncols=width,
            dynamic_ncols=not notebook,
        )

    @property
    def seconds(self) -> float:
        """Time spent training, over all sittings."""
        return self.before + time.perf_counter() - self.start

    def note(self, moment: Moment, lr: float) -> None:
        """Take in one moment: observers are asked, and every few steps and at epoch ends the losses are read and a row is written."""
        if moment.step is not None:
            self.window["loss"].append(moment.step.loss.detach())
            for name, value in moment.step.logs.items():
                self.window[name].append(value.detach())
            self.bar.update()
        if moment.epoch_end or len(self.window["loss"]) >= READ_EVERY:
            self._check(moment, lr)
        seen = self._ask(moment)
        if seen or moment.epoch_end or len(self.window["loss"]) >= READ_EVERY:
            self._write(moment, lr, seen)

    def close(self) -> None:
        self.bar.close()

    def _ask(self, moment: Moment) -> dict[str, float]:
        numbers: dict[str, float] = {}
        tensors: dict[str, Tensor] = {}
        for observer in self.observers:
            for name, value in (observer(moment) or {}).items():
                if isinstance(value, Tensor):
                    tensors[name] = value.detach().cpu()
                else:
                    numbers[name] = float(value)
        if tensors:
            self.run.snapshots.append(Frame(moment.epoch, moment.iteration, tensors))
        return numbers

    def _write(self, moment: Moment, lr: float, seen: Mapping[str, float]) -> None:
        means = {name: torch.stack(values).float().mean().item() for name, values in self.window.items() if values}
        means = {name: value for name, value in means.items() if math.isfinite(value)}  # JSON knows no NaN
        self.window.clear()
        row: Row = {"step": moment.iteration, "epoch": moment.progress.epoch, **means, "lr": lr, "seconds": self.seconds, **seen}
        self.run.history.append(row)
        self.bar.set_postfix({name: f"{row[name]:.3f}" for name in self.shown if name in row}, refresh=False)

    def _check(self, moment: Moment, lr: float) -> None:
        losses = torch.stack(self.window["loss"]).tolist() if self.window["loss"] else []
        for back, loss in enumerate(losses):
            if not math.isfinite(loss):
                step = moment.iteration - len(losses) + back + 1
                raise Diverged(_diagnosis(self.run.settings, moment, step=step, loss=loss, before=self.finite, lr=lr))
            self.finite = loss
        if moment.epoch_end and not all_finite(moment.method):
            raise Diverged(_diagnosis(self.run.settings, moment, step=moment.iteration, loss=self.finite, before=self.finite, lr=lr))


def all_finite(method: torch.nn.Module) -> bool:
    """Whether every weight is a number: one look at the largest of all, since a look at each is some launches on a GPU."""
    return bool(torch.nn.utils.get_total_norm(method.parameters(), math.inf).isfinite())


def _diagnosis(settings: Settings, moment: Moment, *, step: int, loss: float, before: float, lr: float) -> str:
    advice = []
    if settings.lr > 0.01 and settings.optimizer in ("adam", "adamw"):
        advice.append(f"lr={settings.lr} is large for {settings.optimizer}: try 0.001")
    else:
        advice.append(f"lower lr={settings.lr} by 3")
    temperature: Any = getattr(moment.method, "temperature", None)
    if isinstance(temperature, float | int) and temperature < 0.05:
        advice.append(f"raise temperature={temperature}, 0.1 to 0.5 are usual")
    if settings.warmup_epochs == 0:
        advice.append("give warmup_epochs=1")
    if settings.clip is None:
        advice.append("give clip=1.0")
    if settings.precision != "32-true":
        advice.append("try precision='32-true'")
    broken = [name for name, p in moment.method.named_parameters() if not torch.isfinite(p).all()]
    weights = f"weights are not finite any more, first {broken[0]}" if broken else "all weights are still finite"
    helps = f"What helps: {'; '.join(advice)}"
    if not math.isfinite(before):
        helps = "No loss was ever finite: look at the loss itself and at the images, not at the learning rate"
    state = [f"last finite loss {before:.4g}" if math.isfinite(before) else "no finite loss before", f"lr {lr:.3g}"]
    state += [] if temperature is None else [f"temperature {temperature}"]
    return (
        f"training diverged: loss {loss} at step {step} ({', '.join(state)}); "
        f"{weights}. {helps}. The last finished epoch stays saved in the run's folder, if it has one"
    )
