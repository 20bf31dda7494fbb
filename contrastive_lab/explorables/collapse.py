"""One dial, five ranks: the spectrum of an encoder, counted with the Hill number of any order, at any epoch and number of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from contrastive_lab.explorables import table as states
from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider
from contrastive_lab.figures.theme import Numbers

LAYERS = ("embedding", "representation")
FAINTEST, STRONGEST = -14.0, 3.0
"""Powers of ten between which eigenvalues travel to the page."""
SPREAD_RED, SPREAD_AMBER = 0.2, 0.6
ALIGNMENT_AMBER, ALIGNMENT_RED = 0.9, 1.2
"""Where the lamps change: marks that separate the runs of the table, no laws of nature."""


def dial(position: float | int) -> float:
    """Order q at a place of the dial from 0 to 1: 0 at 0, 1 at 1/2, 2 at 2/3, infinity at 1."""
    if not 0 <= position <= 1:
        raise ValueError(f"position is {position}, but the dial goes from 0 to 1")
    return math.inf if position == 1 else position / (1 - position)


def squashed(eigenvalues: Numbers, *, after: int, factor: float | int) -> Float64[np.ndarray, "D"]:
    """The spectrum with every direction behind the first `after` multiplied by `factor`, then sorted again."""
    values = _spectrum(eigenvalues)
    if not 0 <= after <= len(values):
        raise ValueError(f"after is {after}, but must be between 0 and the {len(values)} directions")
    if not 0 < factor <= 1:
        raise ValueError(f"factor is {factor}, but must be above 0 and at most 1")
    return np.sort(np.concatenate([values[:after], factor * values[after:]]))[::-1]


def hill(eigenvalues: Numbers, q: float | int) -> float:
    """Hill number of order q of the shares of the eigenvalues, as `measures.hill_number` counts them."""
    if not q >= 0:
        raise ValueError(f"q is {q}, but must be 0 or more; math.inf gives NESum")
    share = _shares(_spectrum(eigenvalues))
    if q == 1:
        return float(np.exp(-(share * np.log(share)).sum()))
    if math.isinf(q):
        return float(1 / share[0])
    powers = q * np.log(share)
    return float(np.exp((powers.max() + np.log(np.exp(powers - powers.max()).sum())) / (1 - q)))


def state_at(
    eigenvalues: Numbers, *, q: float | int = 2.0, after: int | None = None, factor: float | int = 1.0, samples: int | None = None
) -> dict[str, Any]:
    """Everything the explorable reads off one spectrum (eigenvalues of a covariance, descending).

    `roots` is the entropy rank of the square roots: RankMe of the centred cloud without its epsilon. `spread` is the root of the total
    variance, for unit rows the typical distance from their mean: 1 for a full sphere, 0 at complete collapse. `ceiling` is the
    participation ratio that `samples` isotropic rows would show.
    """
    values = _spectrum(eigenvalues)
    values = squashed(values, after=len(values) if after is None else after, factor=factor)
    ratio, size = hill(values, 2), len(values)
    return {
        "eigenvalues": values,
        "hill": hill(values, q),
        "directions": hill(values, 0),
        "entropy_rank": hill(values, 1),
        "participation_ratio": ratio,
        "nesum": hill(values, math.inf),
        "roots": hill(np.sqrt(values), 1),
        "isoscore": (ratio - 1) / max(size - 1, 1),
        "spread": math.sqrt(values.sum()),
        "ceiling": None if samples is None else size / (1 + size / samples),
    }


@dataclass(frozen=True)
class Collapse:
    """The explorable for the encoders of the state table; `yours` adds embeddings (N, D) of your own as one more."""

    yours: Float[Tensor, "N D"] | None = None
    source: str = "collapse"
    alt: str = (
        "Left, the spectrum of the chosen encoder on a logarithmic scale with a vertical marker at the Hill number of the chosen order; "
        "it can be dragged down. Right, one row for each encoder with a bar as long as its Hill number. Below, ellipses of strong and weak "
        "directions to scale, ranks and kNN over the epochs, and three lamps. Sliders set the order q, the epoch, the number of "
        "samples and a squash of the spectrum."
    )

    def html(self, identity: str = "clab-collapse") -> str:
        kept = states.read(self.source)
        controls = slider(Slider("dial", "order q of the dial", 0, 60, 1))
        controls += slider(Slider("epoch", "epoch", 0, len(kept.about["epochs"]) - 1, 1))
        controls += slider(Slider("samples", "samples N", 0, len(kept.about["counts"]) - 1, 1))
        controls += slider(Slider("after", "squash behind direction", 0, kept["embedding"].shape[-1], 1))
        controls += slider(Slider("factor", "squash by a factor of", 0, 6, 0.1))
        choices = buttons(layer="Layer: embedding", scale="Both axes logarithmic", reset="Start again", collapse="Break it: alignment only")
        numbers = readouts(
            [
                ("all directions (q = 0)", "directions", "directions-note"),
                ("entropy rank (q = 1)", "entropy", "entropy-note"),
                ("participation ratio (q = 2)", "ratio", "ratio-note"),
                ("NESum (q = ∞)", "nesum", "nesum-note"),
                ("RankMe", "rankme", "rankme-note"),
            ]
        )
        lamps = readouts([(f"lamp {k}: {name}", f"lamp{k}", f"lamp{k}-note") for k, name in enumerate(LAMPS, start=1)])
        body = (
            '<div class="panels"><div><svg data-part="spectrum" viewBox="0 0 1 0.8" role="img" aria-label="the spectrum"></svg></div>'
            f'<div><div data-part="encoders" role="group" aria-label="encoders"></div>{numbers}</div></div>{controls}{choices}'
            '<div class="panels">'
            '<div><svg data-part="ellipses" viewBox="0 0 1 0.6" role="img" aria-label="directions to scale"></svg></div>'
            f'<div><svg data-part="curves" viewBox="0 0 1 0.6" role="img" aria-label="ranks over epochs"></svg></div></div>{lamps}'
        )
        data = {**_data(kept, self.yours), "lamps": [SPREAD_RED, SPREAD_AMBER, ALIGNMENT_AMBER, ALIGNMENT_RED]}
        return page(
            identity,
            alt=self.alt,
            body=body,
            script="collapse.js",
            mount="mountCollapse",
            data=data,
            question=_question(kept),
            with_table=True,
        )

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_collapse import collapse_poster

        return collapse_poster(states.read(self.source))

    def live(self) -> Any:
        """`collapse_dial` of your embeddings, or of isotropic ones."""
        from contrastive_lab.measures import spectrum

        cloud = torch.randn(2048, 64, generator=torch.Generator().manual_seed(0)) if self.yours is None else self.yours
        assert len(spectrum(cloud)) > 1
        return collapse_dial(cloud)


LAMPS = ("is there a cloud?", "how many directions?", "do twins agree?")


def collapse_dial(z: Float[Tensor, "N D"]) -> Any:
    """The dial for any embeddings or features (N, D): sliders for q, samples and squash over a picture that the kernel repaints."""
    import ipywidgets as widgets

    from contrastive_lab.explorables.explorable import live, whole_slider
    from contrastive_lab.explorables.stills_collapse import dial_still
    from contrastive_lab.measures import spectrum

    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(0))
    rows = z.detach().cpu()[order]

    def now(position: int, samples: int, after: int, factor: float) -> dict[str, Any]:
        values = spectrum(rows[:samples]).numpy()
        return state_at(values, q=dial(position / 60), after=after, factor=10.0**-factor, samples=samples)

    def words(position: int, samples: int, after: int, factor: float) -> str:
        state, q = now(position, samples, after, factor), dial(position / 60)
        return (
            f"q = {q:.2f}: {state['hill']:.1f} of {z.shape[1]} directions, seen through {samples} samples "
            f"(isotropic ones would show {state['ceiling']:.1f} at q = 2). Participation ratio {state['participation_ratio']:.1f}, "
            f"NESum {state['nesum']:.1f}, spread {state['spread']:.3g}."
        )

    style, layout = {"description_width": "130px"}, widgets.Layout(width="440px")
    sliders = {
        "position": whole_slider("dial (40: q = 2)", 40, 0, 60),
        "samples": whole_slider("samples", len(z), min(8, len(z)), len(z)),
        "after": whole_slider("squash behind", z.shape[1], 1, z.shape[1]),
        "factor": widgets.FloatSlider(value=0, min=0, max=6, step=0.5, description="by 10 to the minus", style=style, layout=layout),
    }
    return live(lambda **values: dial_still(now(**values), dial(values["position"] / 60)), words, sliders)


def _question(kept: states.Table) -> Question:
    """The answer quotes the table, so the question stays true when it is measured anew."""
    names = list(kept.about["encoders"])
    ratio = {name: hill(kept["embedding"][k, -1], 2) for k, name in enumerate(names)}
    spread = {name: math.sqrt(float(kept["embedding"][k, -1].astype(np.float64).sum())) for k, name in enumerate(names)}
    ill, well = "alignment only", "SimCLR, τ = 0.2"
    size = kept["embedding"].shape[-1]
    return Question(
        text=f"An encoder was trained to pull twins together and nothing else: its embeddings all lie near one point of a sphere in {size} "
        "dimensions. What does its participation ratio say?",
        choices=("1: there is one point", "more than 1.5: it doesn't notice", "0: there is no cloud left"),
        right=1 if ratio[ill] > 1.5 else 0,
        answer=f"It says {ratio[ill]:.1f} of {size}; a healthy SimCLR has {ratio[well]:.1f}. Ranks are free of scale: dividing all "
        f"eigenvalues by a million changes none of them. The alarm is the spread, {spread[ill]:.3f} instead of {spread[well]:.2f}.",
    )


def _data(kept: states.Table, yours: Tensor | None) -> dict[str, Any]:
    about = kept.about
    columns = list(about["columns"])
    encoders = [
        {
            "name": name,
            "columns": [[_short(value) for value in row] for row in kept["columns"][k].tolist()],
            "rankmes": [[_short(value) for value in kept[f"{layer}_rankme_by_count"][k].tolist()] for layer in LAYERS],
            "epochs": [_packed(kept[layer][k]) for layer in LAYERS],
            "counts": [_packed(kept[f"{layer}_by_count"][k]) for layer in LAYERS],
        }
        for k, name in enumerate(about["encoders"])
    ]
    encoders += [] if yours is None else [_own(yours, columns, about)]
    return {
        "encoders": encoders,
        "names": columns,
        "epochs": list(about["epochs"]),
        "counts": list(about["counts"]),
        "probe": about["sizes"]["probe"],
    }


def _own(z: Tensor, columns: Sequence[str], about: Mapping[str, Any]) -> dict[str, Any]:
    """The learner's embeddings as one more row: the same at every epoch, and cut to each number of samples it has."""
    from contrastive_lab import measures

    rows = z.detach().cpu()
    known = (
        {"std": measures.embedding_std(rows) * rows.shape[1] ** 0.5, "rankme": measures.rankme(rows)}
        if len(rows) >= 4 * rows.shape[1]
        else {}
    )
    row = [_short(known.get(name, math.nan)) for name in columns]
    whole = np.repeat(measures.spectrum(rows).numpy()[None], len(about["epochs"]), axis=0)
    parts = np.stack([measures.spectrum(rows[: min(n, len(rows))]).numpy() for n in about["counts"]])
    empty = [None] * len(about["counts"])
    return {
        "name": "yours",
        "columns": [row] * len(about["epochs"]),
        "rankmes": [empty, empty],
        "epochs": [_packed(whole)] * 2,
        "counts": [_packed(parts)] * 2,
    }


def _packed(eigenvalues: Float[np.ndarray, "E D"]) -> dict[str, Any]:
    """Decimal logarithms of eigenvalues."""
    logs = np.log10(np.maximum(eigenvalues.astype(np.float64), 10.0**FAINTEST))
    return states.pack(logs, FAINTEST, STRONGEST)


def _short(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None


def _spectrum(eigenvalues: Numbers) -> Float64[np.ndarray, "D"]:
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all() or values.min() < 0 or values.max() <= 0:
        raise ValueError(f"eigenvalues has shape {values.shape}, but must list finite numbers of at least 0, the first above 0")
    return values


def _shares(values: Float64[np.ndarray, "D"]) -> Float64[np.ndarray, "K"]:
    share = np.sort(values)[::-1] / values.sum()
    return share[share > 1e-12 * share[0]]
