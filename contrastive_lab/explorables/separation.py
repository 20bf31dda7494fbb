"""The leak dial: common and salient space of small SepCLR networks side by side, by the weight of the joint-entropy term and the epoch."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import NDArray

from contrastive_lab.explorables import table
from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider

NAMES = ("digit from common", "digit from salient", "texture from common", "texture from salient")
CHANCE = {"digit": 1 / 10, "texture": 1 / 6}

PREDICTION = Question(
    text="The salient encoder is trained on two sets, plain backgrounds and backgrounds with a digit. You see it before training. "
    "Where will plain backgrounds lie in the salient space afterwards?",
    choices=("mixed with the digits", "in a heap at the origin", "on a ring around the digits"),
    right=1,
    answer="A background image has nothing salient, and a term of the loss holds its code at the origin; targets run away from there: "
    "pull the epoch to its end. Press Break it to see the same without a background set.",
)


@dataclass(frozen=True)
class LeakDial:
    """The explorable for a table: `common` and `salient` codes on two directions, by arm, epoch and image; `probes` by arm and epoch."""

    arms: tuple[str, ...]
    lambdas: tuple[float, ...]
    epochs: tuple[int, ...]
    common: Float64[np.ndarray, "A E N 2"]
    salient: Float64[np.ndarray, "A E N 2"]
    probes: Float64[np.ndarray, "A E 4"]
    target: Int[np.ndarray, "N"]
    digit: Int[np.ndarray, "N"]
    texture: Int[np.ndarray, "N"]
    textures: tuple[str, ...]
    reach: tuple[float, float]
    alt: str = (
        "Two maps of the same test images, the common and the salient space of a small SepCLR network. Round points are targets, coloured "
        "by digit or by patch; hollow points are plain patches without a digit. A table shows how well digit and patch can be read from "
        "each space, beside chance and beside random weights. Sliders set the weight of the joint-entropy term and the epoch."
    )

    @classmethod
    def shipped(cls) -> LeakDial:
        """The networks of scripts/states/separation.py."""
        kept = table.read("separation")
        about = kept.about
        reach = (float(about["reach"][0]), float(about["reach"][1]))
        codes = [table.restore(kept[name], -r, r) for name, r in zip(("common", "salient"), reach, strict=True)]
        return cls(
            tuple(about["arms"]),
            tuple(float(weight) for weight in about["lambdas"]),
            tuple(int(epoch) for epoch in kept["epochs"]),
            codes[0],
            codes[1],
            kept["probes"].astype(np.float64),
            kept["group"].astype(np.int64),
            kept["digit"].astype(np.int64),
            kept["texture"].astype(np.int64),
            tuple(about["textures"]),
            reach,
        )

    def state(self, *, arm: int, epoch: int) -> dict[str, Any]:
        """`state_at` for the number of an arm and the number of a kept epoch."""
        return state_at(self.salient[arm, epoch], self.target, self.probes[arm, epoch])

    def html(self, identity: str | None = None) -> str:
        identity = identity or f"clab-separation-{zlib.crc32(self.common.tobytes() + self.salient.tobytes()):08x}"
        controls = slider(Slider("lambda", "weight λ of the joint entropy", 0, len(self.lambdas) - 1, 1))
        controls += slider(Slider("epoch", "epoch", 0, len(self.epochs) - 1, 1))
        choices = buttons(colour="Colour by patch", broken="Break it: no background set", reset="Start again")
        numbers = readouts([(name.replace("texture", "patch"), f"p{k}", f"n{k}") for k, name in enumerate(NAMES)])
        panels = "".join(
            f'<svg data-part="{part}" viewBox="0 0 300 320" role="img" aria-label="{part} codes of test images"></svg>'
            for part in ("common", "salient")
        )
        data = {
            "arms": list(self.arms),
            "lambdas": list(self.lambdas),
            "epochs": list(self.epochs),
            "common": table.pack(self.common, -self.reach[0], self.reach[0], dtype="uint8"),
            "salient": table.pack(self.salient, -self.reach[1], self.reach[1], dtype="uint8"),
            "probes": self.probes.round(4).tolist(),
            "target": self.target.tolist(),
            "digit": self.digit.tolist(),
            "texture": self.texture.tolist(),
            "textures": list(self.textures),
            "chance": [CHANCE[name.split()[0]] for name in NAMES],
        }
        body = (
            f'<p data-part="name" style="font-weight:600;margin:4px 0"></p>{numbers}<div class="panels">{panels}</div>{controls}{choices}'
        )
        return page(
            identity,
            alt=self.alt,
            body=body,
            script="separation.js",
            mount="mountSeparation",
            data=data,
            question=PREDICTION,
            with_table=True,
        )

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_separation import separation_poster

        last = len(self.epochs) - 1
        return separation_poster(self, [(0, 0), (0, last), (len(self.lambdas) - 1, last), (len(self.arms) - 1, last)])

    def live(self) -> Any:
        """Sliders over a picture that the kernel repaints; the last arm is the one without a background set."""
        from contrastive_lab.explorables.explorable import live, named_slider
        from contrastive_lab.explorables.stills_separation import separation_poster

        sliders = {
            "arm": named_slider("network", self.arms),
            "epoch": named_slider("epoch", [str(epoch) for epoch in self.epochs], len(self.epochs) - 1),
        }
        return live(lambda arm, epoch: separation_poster(self, [(arm, epoch)]), self.describe, sliders)

    def describe(self, *, arm: int, epoch: int) -> str:
        """The state in one sentence."""
        state = self.state(arm=arm, epoch=epoch)
        told = ", ".join(f"{name.replace('texture', 'patch')} {value:.0%}" for name, value in state["probes"].items())
        return (
            f"{self.arms[arm]}, epoch {self.epochs[epoch]}: {told}; on these two directions background lies {state['background']:.1f} from "
            f"the origin of the salient space, targets {state['targets']:.1f}."
        )


def state_at(salient: NDArray[Any], target: NDArray[Any], probes: NDArray[Any]) -> dict[str, Any]:
    """What the numbers beside the maps say: the probes and, by factor, what the right space tells more than the wrong one (`separation`).

    `salient` holds (N, 2), `target` N zeros (background) and ones, `probes` four shares. targets, background: mean distance of the group
    from the origin of the shown salient plane.
    """
    if salient.shape != (len(target), 2) or set(np.unique(target)) != {0, 1}:
        raise ValueError(f"salient has shape {salient.shape} and target holds {sorted(set(target.tolist()))}; both groups must be shown")
    if len(probes) != len(NAMES) or not ((probes >= 0) & (probes <= 1)).all():
        raise ValueError(f"probes is {probes.tolist()}, but must be four shares in 0 ... 1, as {', '.join(NAMES)}")
    told = dict(zip(NAMES, probes.tolist(), strict=True))
    length = np.linalg.norm(salient, axis=1)
    return {
        "probes": told,
        "separation": {
            "digit": told["digit from salient"] - told["digit from common"],
            "texture": told["texture from common"] - told["texture from salient"],
        },
        "targets": float(length[target == 1].mean()),
        "background": float(length[target == 0].mean()),
    }
