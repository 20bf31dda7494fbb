"""Fill the circle: what the temperature does to a trained embedding of two dimensions, and what 64 dimensions do instead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from contrastive_lab.explorables import particles
from contrastive_lab.explorables import table as states
from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.plane import Track
from contrastive_lab.figures.theme import Numbers
from contrastive_lab.measures import uniformity_floor

METRIC_T = 2.0
NARROWEST, WIDEST = 10.0, 0.25


def state_at(one: Numbers, two: Numbers, *, temperature: float | int, t: float | int = METRIC_T) -> dict[str, float]:
    """Everything that the explorable shows for the angles of two views of N images on the circle.

    `loss` is NT-Xent of these 2N points, `pull` + `push` + `guess` its two forces and the number of candidates put together again:
    alignment / (2 tau) + uniformity(1 / (2 tau)) + log(2N - 1). `bound` is Jensen's: uniformity(t) >= -2t (1 - mean cosine). `floor` is
    the uniformity of N evenly spaced points, below which no N points on a circle get.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature is {temperature}, but must be finite and above 0")
    angles = np.concatenate([np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)])
    here = particles.state_at(angles, t=t)
    tied = particles.state_at(angles, t=1 / (2 * temperature))
    count = len(angles) // 2
    cosine = (_mean_cosine(angles[:count]) + _mean_cosine(angles[count:])) / 2
    pull, push, guess = here["alignment"] / (2 * temperature), tied["uniformity"], math.log(2 * count - 1)
    return {
        **here,
        "mean_cosine": cosine,
        "bound": -2 * t * (1 - cosine),
        "floor": particles.floor(count, t=t),
        "loss": _loss(angles, temperature),
        "pull": pull,
        "push": push,
        "guess": guess,
        "sum": pull + push + guess,
    }


@dataclass(frozen=True)
class Uniformity:
    """The explorable of the state table; `yours` is a run of your own in the plane, `dim` the dimension of its embedding."""

    yours: Track | None = None
    dim: int = 128
    source: str = "uniformity"
    alt: str = (
        "Left, a unit circle with the embeddings of 150 images, twins joined by green chords, and around it a band as thick as the points "
        "are dense; or, for 64 dimensions, mean cosine against participation ratio. Right, the plane of alignment and uniformity with one "
        "path per temperature, a dashed floor and a hatched region that Jensen's inequality forbids. Below, the loss as a sum of two "
        "forces. Sliders set temperature, epoch and the width of the kernel."
    )

    def html(self, identity: str = "clab-uniformity") -> str:
        kept = states.read(self.source)
        taus, epochs = kept.about["temperatures"], kept.about["epochs"]
        controls = slider(Slider("tau", "temperature τ", 0, len(taus) - 1, 1)) + slider(Slider("epoch", "epoch", 0, len(epochs) - 1, 1))
        low, high = round(math.log(WIDEST), 3), round(math.log(NARROWEST), 3)
        controls += slider(Slider("t", "kernel of the metric: t", low, high, 0.01))
        choices = buttons(tie="Tie t to τ: t = 1/(2τ)", dims="Show 64 dimensions", reset="Start again", collapse="Break it: alignment only")
        numbers = readouts(
            [
                ("alignment", "alignment", "alignment-note"),
                ("uniformity, t = 2", "uniformity", "uniformity-note"),
                ("uniformity at your t", "tuned", "tuned-note"),
                ("mean cosine", "cosine", "cosine-note"),
                ("kNN accuracy", "knn", "knn-note"),
            ]
        )
        body = (
            '<div class="panels"><div><svg data-part="stage" viewBox="-1.6 -1.6 3.2 3.2" role="img" tabindex="0" '
            'aria-label="the circle; arrow keys choose the point whose kernel is drawn"></svg></div>'
            '<div><svg data-part="plane" viewBox="0 0 1 0.86" role="img" aria-label="alignment against uniformity"></svg></div></div>'
            f"{controls}{choices}"
            '<div class="panels"><div><svg data-part="bars" viewBox="0 0 1 0.44" role="img" aria-label="the loss as a sum"></svg></div>'
            f"<div>{numbers}</div></div>"
        )
        return page(
            identity,
            alt=self.alt,
            body=body,
            script="uniformity.js",
            mount="mountUniformity",
            data=self._data(kept),
            question=_question(kept),
            with_table=True,
        )

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_uniformity import uniformity_poster

        return uniformity_poster(states.read(self.source))

    def live(self) -> Any:
        """The kernel draws any temperature and epoch of the table."""
        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_uniformity import ring_still

        kept = states.read(self.source)
        taus, epochs = kept.about["temperatures"], kept.about["epochs"]

        def words(temperature: int, epoch: int) -> str:
            one, two = angles_of(kept, temperature, epoch)
            state = state_at(one, two, temperature=taus[temperature])
            return (
                f"Temperature {taus[temperature]:g}, epoch {epochs[epoch]}: alignment {state['alignment']:.3f}, uniformity "
                f"{state['uniformity']:.3f} (floor {state['floor']:.3f}, Jensen {state['bound']:.3f}); loss {state['loss']:.3f}."
            )

        sliders = {
            "temperature": whole_slider("temperature no.", len(taus) // 2, 0, len(taus) - 1),
            "epoch": whole_slider("epoch no.", len(epochs) - 1, 0, len(epochs) - 1),
        }
        return live(lambda temperature, epoch: ring_still(kept, temperature, epoch), words, sliders)

    def _data(self, kept: states.Table) -> dict[str, Any]:
        about = kept.about
        images = kept["angles"].shape[-1]
        data: dict[str, Any] = {
            "temperatures": about["temperatures"],
            "epochs": about["epochs"],
            "names": about["columns"],
            "angles": states.pack(kept["angles"], -math.pi, math.pi),
            "labels": kept["labels"].tolist(),
            "classes": about["classes"],
            "circle": _rounded(kept["circle"]),
            "wide": _rounded(kept["wide"]),
            "wideNames": about["wide"],
            "floors": {"2": round(particles.floor(images), 4), "64": round(uniformity_floor(64), 4)},
            "probe": about["sizes"]["probe"],
        }
        # The circle's plane shows the drawn images, so that floor and bound hold exactly for what is seen.
        for run in range(len(about["circle"])):
            for epoch in range(len(about["epochs"])):
                one, two = angles_of(kept, run, epoch)
                tau = about["temperatures"][run] if run < len(about["temperatures"]) else 0.5
                state = state_at(one, two, temperature=tau)
                for name in ("alignment", "uniformity", "mean_cosine", "loss"):
                    data["circle"][run][epoch][about["columns"].index(name)] = round(state[name], 4)
        if self.yours is not None:
            path = zip(self.yours.alignment, self.yours.uniformity, strict=True)
            floor = uniformity_floor(self.dim)
            data["yours"] = {"path": [[round(float(a), 4), round(float(u), 4)] for a, u in path], "dim": self.dim, "floor": round(floor, 4)}
        return data


def angles_of(kept: states.Table, run: int, epoch: int) -> tuple[Float64[np.ndarray, "N"], Float64[np.ndarray, "N"]]:
    """Angles of both views of the drawn images in radians."""
    one, two = states.restore(kept["angles"][run, epoch], -math.pi, math.pi)
    return one, two


def _question(kept: states.Table) -> Question:
    """The right choice and the answer come from the table, so that they stay true when it is measured anew.

    It asks for the worst temperature: the best ones are too close together for one seed to tell them apart.
    """
    taus = kept.about["temperatures"]
    values = kept["circle"][: len(taus), -1, kept.about["columns"].index("uniformity")]
    best, worst = int(np.argmin(values)), int(np.argmax(values))
    right = 0 if worst == 0 else 2 if worst == len(taus) - 1 else 1
    return Question(
        text="The same network with an embedding of two numbers was trained at seven temperatures. At which are the points spread least "
        "evenly over the circle at the end?",
        choices=(f"at the smallest, {taus[0]:g}", "somewhere in the middle", f"at the largest, {taus[-1]:g}"),
        right=right,
        answer=f"At τ = {taus[worst]:g} the uniformity of all test images is {values[worst]:.2f}, "
        f"{100 * values[worst] / uniformity_floor(2):.0f} % of the floor. The most even is τ = {taus[best]:g} with {values[best]:.2f} "
        f"({100 * values[best] / uniformity_floor(2):.0f} %); at τ = {taus[-1]:g} it is {values[-1]:.2f}. Move the sliders to see why.",
    )


def _loss(angles: Float64[np.ndarray, "A"], temperature: float) -> float:
    scores = np.cos(angles[:, None] - angles[None, :]) / temperature
    twin = np.roll(np.arange(len(angles)), len(angles) // 2)
    own = scores[np.arange(len(angles)), twin]
    np.fill_diagonal(scores, -np.inf)
    top = scores.max(axis=1)
    return float((top + np.log(np.exp(scores - top[:, None]).sum(axis=1)) - own).mean())


def _mean_cosine(angles: Float64[np.ndarray, "N"]) -> float:
    count = len(angles)
    length = np.cos(angles).mean() ** 2 + np.sin(angles).mean() ** 2
    return float((count * length - 1) / (count - 1))


def _rounded(rows: Any) -> list[list[list[float]]]:
    return [[[round(float(value), 4) for value in row] for row in run] for run in rows]
