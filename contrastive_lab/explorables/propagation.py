"""Pixel propagation on a scene: which cells a cell listens to at each sharpness, and what that makes of the map."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int8, UInt8

from contrastive_lab.explorables.page import Question, Slider, buttons, page, readouts, slider

FLATTEST, SHARPEST = 0.05, 32.0
SIDE, PIXELS = 12, 48
NUMBERS = (21, 3)
"""Test scenes of two objects."""
NETWORKS = {"colour": "raw colour", "untrained": "untrained network", "pixpro": "PixPro"}
DEPTH = 127

PREDICTION = Question(
    text="Pixel propagation replaces each cell by a sum over all cells, weighted by max(cosine, 0) to the power γ. The cells of a network "
    "have positive cosines nearly everywhere. What happens to its map as γ goes to 0?",
    choices=("nothing: every cell keeps its own vector", "neighbouring cells become alike", "all cells become alike, wherever they lie"),
    right=2,
    answer="Every cell with a positive cosine gets weight 1, so all cells become nearly the same sum. Only cells with negative cosines "
    "stay out: raw colour keeps its two halves. The larger γ, the fewer cells are heard, those most like the chosen one; PixPro's 2 lies "
    "between.",
)


def state_at(cosines: Float[np.ndarray, "P P"], *, query: int, gamma: float | int = 2.0) -> dict[str, Any]:
    """Everything the explorable shows for the map whose cells have these `cosines`.

    `weights` are those of the query's sum, `before` its cosines, `after` the cosines of the propagated cells (of unit cells, no linear
    map) with the propagated query. `listened` is the number of cells that share the weight (exponential of its entropy), `spread` how
    different cells are after propagation, as one minus the mean cosine of all pairs, `spread_before` the same before.
    """
    _check(cosines, query, gamma)
    near = np.asarray(cosines, dtype=np.float64)
    weights = np.maximum(near, 0.0) ** gamma
    gram = weights @ near @ weights.T
    length = np.sqrt(np.diag(gram).clip(1e-12))
    after = (gram / length[:, None] / length[None, :]).clip(-1, 1)
    share = weights[query] / weights[query].sum()
    return {
        "before": near[query],
        "weights": weights[query],
        "after": after[query],
        "listened": float(np.exp(-(share * np.log(np.where(share > 0, share, 1.0))).sum())),
        "spread_before": _spread(near),
        "spread": _spread(after),
    }


def auroc(heat: Float[np.ndarray, "P"], inside: Bool[np.ndarray, "P"], query: int) -> float:
    """How well `heat` ranks the other cells of the query's object before the rest; 0.5 is blind, nan without both kinds."""
    others = np.arange(len(heat)) != query
    own, rest = heat[inside & others], heat[~inside & others]
    if len(own) == 0 or len(rest) == 0:
        return math.nan
    return float(((own[:, None] > rest).mean() + (own[:, None] >= rest).mean()) / 2)


@cache
def table() -> Mapping[str, Any]:
    """What scripts/states/propagation.py measured: for each of `NETWORKS` cosines (2, 144, 144) of two scenes, and `about`."""
    raw = files("contrastive_lab.explorables").joinpath("states", "propagation.npz").read_bytes()
    with np.load(io.BytesIO(raw)) as kept:
        about = json.loads(str(kept["about"]))
        return {name: unpack(kept[name]) for name in NETWORKS} | {"about": about}


def pack(cosines: Float[np.ndarray, "S P P"]) -> Int8[np.ndarray, "S T"]:
    """Upper triangles, in steps of 1/127."""
    rows, columns = np.triu_indices(cosines.shape[1])
    packed: Int8[np.ndarray, "S T"] = np.round(DEPTH * cosines[:, rows, columns]).astype(np.int8)
    return packed


def unpack(packed: Int8[np.ndarray, "S T"]) -> Float64[np.ndarray, "S P P"]:
    """The symmetric matrices that were packed."""
    size = int((math.isqrt(8 * packed.shape[1] + 1) - 1) // 2)
    rows, columns = np.triu_indices(size)
    full = np.zeros((len(packed), size, size))
    full[:, rows, columns] = full[:, columns, rows] = packed / DEPTH
    return full


@cache
def scenes_shown() -> tuple[UInt8[np.ndarray, "S 3 H W"], UInt8[np.ndarray, "S 12 12"]]:
    """Pixels of the two scenes, and for each cell 0 for the background or the number of the object that covers most of it."""
    from contrastive_lab.data import scenes

    world = scenes.World(seed=0, split="test", two=1.0).draw(np.array(NUMBERS))
    painted = scenes.render(world, PIXELS)
    step = PIXELS // SIDE
    cells = painted.instance.reshape(len(NUMBERS), SIDE, step, SIDE, step)
    covered = np.stack([(cells == k).mean(axis=(2, 4)) for k in range(3)])
    objects: UInt8[np.ndarray, "S 12 12"] = covered.argmax(axis=0).astype(np.uint8)
    return np.moveaxis(painted.pixels, -1, 1).copy(), objects


def first_query(scene: int) -> int:
    """The middle one of the cells of object 1."""
    cells = np.flatnonzero(scenes_shown()[1][scene].ravel() == 1)
    return int(cells[len(cells) // 2])


@dataclass(frozen=True)
class Propagation:
    """The explorable for the networks of the table."""

    gamma: float | int = 2.0
    alt: str = (
        "A scene of 12 by 12 cells with a chosen cell, and three maps of the same cells: cosine with the chosen cell, weight in its "
        "sum, and cosine after pixel propagation; objects are outlined. Sliders set the sharpness gamma and the chosen cell, buttons the "
        "scene and the network: raw colour, untrained or PixPro."
    )

    def html(self, identity: str = "clab-propagation") -> str:
        from contrastive_lab.figures import data_uri, sheet

        pixels, objects = scenes_shown()
        controls = slider(Slider("gamma", "sharpness γ", round(math.log(FLATTEST), 3), round(math.log(SHARPEST), 3), 0.01))
        controls += slider(Slider("query", "chosen cell", 0, SIDE**2 - 1, 1))
        networks = buttons(**{f"net-{name}": title for name, title in NETWORKS.items()})
        choices = buttons(scene="Other scene", reset="Start again", collapse="Break it: γ near 0")
        numbers = readouts(
            [
                ("cells that share the weight", "listened", "listened-note"),
                ("object found (AUROC)", "auroc", "auroc-note"),
                ("difference between cells", "spread", "spread-note"),
            ]
        )
        body = (
            '<svg data-part="stage" viewBox="0 -1.6 54 15.2" role="img" aria-label="the scene and three maps of its cells"></svg>'
            f'<p class="small">Click a cell to choose it. Outlines: the objects, which no network was told.</p>{networks}'
            f"{numbers}{controls}{choices}"
        )
        kept = {name: pack(table()[name]) for name in NETWORKS}
        data = {
            "cosines": {name: [base64.b64encode(row.tobytes()).decode() for row in rows] for name, rows in kept.items()},
            "names": NETWORKS,
            "start": "colour",
            "side": SIDE,
            "depth": DEPTH,
            "gamma": self.gamma,
            "queries": [first_query(scene) for scene in range(len(NUMBERS))],
            "objects": [cells.ravel().tolist() for cells in objects],
            "scenes": [data_uri(sheet(image[None], columns=1)) for image in pixels],
        }
        return page(identity, alt=self.alt, body=body, script="propagation.js", mount="mountPropagation", data=data, question=PREDICTION)

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_correspondence import propagation_poster

        shown = {NETWORKS[name]: table()[name][0] for name in ("colour", "pixpro")}
        return propagation_poster(scenes_shown()[0][0], scenes_shown()[1][0], shown, first_query(0), (0.1, 2.0))

    def live(self) -> Any:
        """Sliders for gamma and the chosen cell, over a picture that the kernel repaints, for raw colour and PixPro."""
        from contrastive_lab.explorables.explorable import live, log_slider, whole_slider
        from contrastive_lab.explorables.stills_correspondence import propagation_poster

        (image, *_), (objects, *_) = scenes_shown()
        shown = {NETWORKS[name]: table()[name][0] for name in ("colour", "pixpro")}
        sliders = {
            "gamma": log_slider("gamma", self.gamma, FLATTEST, SHARPEST),
            "query": whole_slider("chosen cell", first_query(0), 0, SIDE**2 - 1),
        }
        return live(lambda gamma, query: propagation_poster(image, objects, shown, query, (gamma,)), self.describe, sliders)

    def describe(self, *, gamma: float | int, query: int) -> str:
        """The state in one sentence."""
        state = state_at(table()["pixpro"][0], query=query, gamma=gamma)
        return (
            f"PixPro, γ = {gamma:.2f}: {state['listened']:.1f} of {SIDE**2} cells share the weight of cell {query}; "
            f"difference between cells {state['spread_before']:.2f} before, {state['spread']:.2f} after."
        )


def _spread(cosines: Float64[np.ndarray, "P P"]) -> float:
    size = len(cosines)
    return float(1 - (cosines.sum() - np.trace(cosines)) / (size * (size - 1)))


def _check(cosines: Float[np.ndarray, "P P"], query: int, gamma: float | int) -> None:
    if cosines.ndim != 2 or cosines.shape[0] != cosines.shape[1]:
        raise ValueError(f"cosines has shape {cosines.shape}, but must be (P, P): every cell with every other")
    if not 0 <= query < len(cosines):
        raise ValueError(f"query is {query}, but must be one of the cells 0 to {len(cosines) - 1}")
    if not (math.isfinite(gamma) and gamma > 0):
        raise ValueError(f"gamma is {gamma}, but must be finite and above 0")
