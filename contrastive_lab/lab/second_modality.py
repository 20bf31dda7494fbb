"""Pick modality 2 yourself: train a small pair of encoders inside the notebook and see where its gap lies among the shipped ones."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from contrastive_lab.data import Images
from contrastive_lab.explorables.gap_states import GapRun, gather_run, measure_pair, one_of, shipped
from contrastive_lab.lab.modalities import embed_pairs
from contrastive_lab.lab.profiles import profile
from contrastive_lab.methods import Method, SketchCLIP
from contrastive_lab.networks import make_backbone
from contrastive_lab.training import Moment, Settings, prepare, train

KINDS = {"captions": "captions", "sketch": "sketches (edges)", "blur": "grey, blurred", "shuffle": "shuffled patches"}
TEMPERATURES = (0.02, 0.07, 0.2, 0.5)


def prepare_pair(kind: str, settings: Settings, images: Images) -> Method:
    """Fresh encoders, drawn from the settings' seed, for images and for `kind` of partner, one of `KINDS`."""
    one_of("kind", kind, list(KINDS))
    if kind == "captions":
        return prepare(settings, images)
    backbone = partial(make_backbone, settings.network, width=settings.width, image_size=settings.image_size)
    options = {name: settings.options[name] for name in ("temperature", "learn_temperature")}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return SketchCLIP.build(backbone, partner=kind, **options)


class SecondModality:
    """Trains image encoders with a chosen partner at a chosen temperature, and keeps what each training gave.

    By default on the scenes, epochs and widths of the explorable's shipped table, so that both can be compared; `probe` are the pairs on
    which gap and retrieval are measured. Without captions among the images that kind can't be chosen.
    """

    def __init__(
        self, images: Images | None = None, probe: Images | None = None, *, epochs: int | None = None, width: int | None = None
    ) -> None:
        from contrastive_lab.data import scenes

        self.images = scenes.load("train", preset="full", count=profile(smoke=256, laptop=1280, full=1280)) if images is None else images
        self.probe = scenes.load("test", count=profile(smoke=100, laptop=500, full=500)) if probe is None else probe
        self.epochs = profile(smoke=1, laptop=12, full=12) if epochs is None else epochs
        self.width = profile(smoke=4, laptop=16, full=16) if width is None else width
        spoken = self.images.captions is not None and self.probe.captions is not None
        self.kinds = {kind: label for kind, label in KINDS.items() if spoken or kind != "captions"}
        self.states: dict[str, dict[float, dict[int, dict[str, Any]]]] = {}

    def settings(self, temperature: float) -> Settings:
        options = {"temperature": temperature, "learn_temperature": False}
        size, batch = self.images.size, min(128, len(self.images))
        changes = {"epochs": self.epochs, "batch_size": batch, "width": self.width, "image_size": size}
        return Settings.recommended("clip", "scenes", **changes, options=options)

    def train(self, kind: str, temperature: float, *, progress: Callable[[float], None] = lambda share: None) -> GapRun:
        """Train and measure after every epoch; returns all trainings with this kind so far. `progress` hears the share done."""
        one_of("kind", kind, list(self.kinds))
        settings = self.settings(temperature)
        states: dict[int, dict[str, Any]] = {}

        def watch(moment: Moment) -> None:
            progress(moment.progress.step / max(moment.progress.steps, 1))
            if moment.epoch_end:
                states[moment.epoch] = measure_pair(*embed_pairs(moment.method, self.probe))

        # The progress line of the loop would go to JupyterLab's log: a button's work has no output of its own.
        with contextlib.redirect_stdout(io.StringIO()):
            train(prepare_pair(kind, settings, self.images), self.images, settings, [watch])
        if self.epochs not in states:
            raise InterruptedError(f"training with {self.kinds[kind]} was interrupted after {max(states)} of {self.epochs} epochs")
        self.states.setdefault(kind, {})[temperature] = states
        return self.run(kind)

    def run(self, kind: str) -> GapRun:
        """What was trained with this kind of partner, as a layer of the explorable."""
        kept = dict(sorted(self.states[kind].items()))
        return gather_run(f"yours: image and {KINDS[kind]}", ("image", KINDS[kind]), kept, count=len(self.probe))

    def describe(self, kind: str, temperature: float) -> str:
        """The training's numbers in words, with the shipped ones at this temperature after their last epoch."""
        run = self.run(kind)
        t = one_of("temperature", temperature, run.temperatures)
        gap, *cones = run.numbers[t, -1, :3].tolist()
        recall = run.sweep[t, -1, 2, 5]
        words = (
            f"Yours, {KINDS[kind]}, temperature {temperature:g}, epoch {self.epochs} on {len(self.images):,} images: gap {gap:.3f} "
            f"(noise floor {(2 / run.count) ** 0.5:.3f}), cones {cones[0]:.2f} and {cones[1]:.2f}, partners found first {recall:.1%} of "
            f"{run.count} pairs (chance {1 / run.count:.1%})."
        )
        for other in shipped().values():
            if temperature in other.temperatures:
                s = other.temperatures.index(temperature)
                words += f" Shipped, {other.title}, epoch {other.epochs[-1]}: gap {other.numbers[s, -1, 0]:.3f}."
        return words

    def live(self) -> Any:
        """Menus for partner and temperature, a button that trains, your points among the shipped curves, your clouds to close by hand."""
        import ipywidgets as widgets

        wide = {"style": {"description_width": "130px"}, "layout": widgets.Layout(width="440px")}
        kind = widgets.Dropdown(options=[(label, name) for name, label in self.kinds.items()], description="modality 2", **wide)
        heat = widgets.SelectionSlider(options=TEMPERATURES, value=0.07, description="temperature", **wide)
        button = widgets.Button(description="Train " + ("1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"), button_style="primary")
        bar = widgets.FloatProgress(min=0.0, max=1.0, value=0.0, description="training", **wide)
        png = self.picture()
        own_width = f"{int.from_bytes(png[16:20], 'big')}px"  # from the file's head; without it the picture grows with the page and blurs
        picture = widgets.Image(format="png", value=png, layout=widgets.Layout(max_width="100%", width=own_width))
        words = widgets.HTML("Choose a second modality, predict its gap, and train.")
        clouds = widgets.VBox([])

        def work(_: Any) -> None:
            button.disabled, words.value = True, "Training…"
            try:
                run = self.train(kind.value, heat.value, progress=lambda share: setattr(bar, "value", share))
            except (InterruptedError, ValueError, RuntimeError, MemoryError) as error:  # said where the learner looks, not in a log
                words.value = str(error)
            else:
                from contrastive_lab.explorables import ModalityGap

                picture.value, words.value = self.picture(), self.describe(kind.value, heat.value)
                clouds.children = (ModalityGap(own=run).live(),)
            finally:
                button.disabled = False

        button.on_click(work)
        return widgets.VBox([kind, heat, button, bar, picture, words, clouds])

    def picture(self) -> bytes:
        """Gap and retrieval against the temperature: the shipped curves and your points."""
        from contrastive_lab.explorables.stills_modality_gap import gap_among

        return gap_among(list(shipped().values()), [self.run(kind) for kind in self.states])
