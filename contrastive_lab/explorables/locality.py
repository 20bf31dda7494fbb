"""Point at a cell: which other cells does each encoder find alike? Several encoders under the same click, with the truth beside them."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64, UInt8

from contrastive_lab.data import Images
from contrastive_lab.explorables import cells, table
from contrastive_lab.explorables.cells import Triangle
from contrastive_lab.explorables.page import Question, Slider, buttons, page, slider
from contrastive_lab.figures.palette import look
from contrastive_lab.figures.sprite import data_uri, sheet
from contrastive_lab.measures.lost import lost_from_similarity
from contrastive_lab.methods import Method

TITLES = {
    "colour": "raw colour",
    "untrained": "untrained network",
    "simclr": "SimCLR: images",
    "pixpro": "PixPro: cells",
    "pixcontrast": "PixContrast: cells, in-image negatives",
    "yours": "your network",
}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
COARSE = 4

PREDICTION = Question(
    text="The query is one cell of an object. Whose map of similar cells will rank the object's cells best (AUROC), in this world of "
    "plainly coloured things?",
    choices=("raw colour", "the network trained on whole images", "the network trained on cells"),
    right=0,
    answer="No network has to be trained to see that red is not grey: wherever an object differs from its background in colour, the colour "
    "of the cells is the baseline to beat. Outlining it is another exam: by the IoU at the middle threshold the maps trained on cells are "
    "far ahead on the white object, level with colour on the first picture, and PixPro's is behind it on the two mosaics.",
)


@dataclass(frozen=True)
class Panel:
    """One encoder: `maps[moment][image]`, with the epoch of every moment (0 alone where there is nothing to train)."""

    name: str
    epochs: tuple[int, ...]
    maps: tuple[tuple[Triangle, ...], ...]

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name)


def state_at(
    stored: Triangle,
    regions: UInt8[np.ndarray, "P"],
    grid: tuple[int, int],
    *,
    query: int,
    threshold: float | int = 0.5,
    coarse: bool = False,
) -> dict[str, Any]:
    """What one panel shows for one query cell.

    `similarity` is 0 ... 255 for cosines -1 ... 1. `mask` holds the cells above `threshold`, a share of the way from the map's lowest
    cosine to 1 (`level`). auroc and iou compare with the cells of the query's region: auroc leaves the query out and is NaN for a region
    of one cell. `coarse` averages the unit cells over a 4 x 4 map first. `lost` has LOST's degrees, seed and box (x0, y0, x1, y1 in cells).
    """
    count = grid[0] * grid[1]
    if not 0 <= query < count:
        raise ValueError(f"query is {query}, but must be a cell of the map, 0 to {count - 1}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, but is a share of the map's range, 0 to 1")
    matrix = cells.square(stored)
    if coarse:
        matrix = averaged(matrix, grid)
    row = matrix[query]
    level = row.min() + threshold * (1 - row.min())
    truth = regions == regions[query]
    found = row >= level - 1e-9
    return {
        "similarity": np.round(127.5 + 127.5 * row).astype(np.uint8),
        "level": float(level),
        "mask": found,
        "auroc": auroc(row, truth, query),
        "iou": float((found & truth).sum() / (found | truth).sum()),
        "lost": lost(matrix, grid),
    }


def auroc(row: Float64[np.ndarray, "P"], truth: Bool[np.ndarray, "P"], query: int) -> float:
    """Chance that a cell of the query's region is more similar to it than a cell outside; the query left out, ties half."""
    inside = truth.copy()
    inside[query] = False
    own, rivals = row[inside].round(9), np.sort(row[~truth].round(9))
    if not len(own) or not len(rivals):
        return float("nan")
    return float((np.searchsorted(rivals, own) + np.searchsorted(rivals, own, side="right")).sum() / (2 * len(own) * len(rivals)))


def averaged(matrix: Float64[np.ndarray, "P P"], grid: tuple[int, int]) -> Float64[np.ndarray, "P P"]:
    """Cosines after averaging the unit cells over a 4 x 4 map, each cell showing its block's."""
    down, across = (np.minimum(COARSE * np.arange(n) // n, COARSE - 1) for n in grid)
    block = (down[:, None] * COARSE + across).ravel()
    belongs = (block == np.arange(COARSE**2)[:, None]).astype(float)
    belongs /= np.maximum(belongs.sum(axis=1, keepdims=True), 1)
    gram = belongs @ matrix @ belongs.T
    size = np.sqrt(np.maximum(np.diag(gram), 1e-12))
    return np.clip((gram / np.outer(size, size))[block][:, block], -1, 1)


def lost(matrix: Float64[np.ndarray, "P P"], grid: tuple[int, int]) -> dict[str, Any]:
    """LOST on unit cells less their mean: features after a ReLU all correlate positively, and LOST reads signs."""
    centred = matrix - matrix.mean(axis=0) - matrix.mean(axis=1, keepdims=True) + matrix.mean()
    box = lost_from_similarity(torch.from_numpy(centred), grid=grid, patch=1, k=max(1, len(matrix) // 9))
    degrees: Int64[np.ndarray, "P"] = box.degrees.numpy()
    return {"degrees": degrees, "seed": box.seed, "box": (box.x0, box.y0, box.x1, box.y1)}


@dataclass(frozen=True)
class ObjectLocality:
    """The explorable for some images and encoders; by default the shipped table."""

    pixels: UInt8[np.ndarray, "M 3 H W"]
    regions: UInt8[np.ndarray, "M P"]
    grid: tuple[int, int]
    panels: tuple[Panel, ...]
    names: tuple[str, ...]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    start: int = 0
    question: Question | None = PREDICTION
    alt: str = (
        "An image with a query cell, and beside it one heat map for each encoder: how similar every cell is to the query. A line encloses "
        "the cells above the threshold. Under each map: AUROC and IoU with the true object, and a small ROC curve. Sliders choose "
        "threshold, epoch and image; the query moves by click or arrow keys; buttons show LOST, in-image negatives, a map of 4 x 4 cells."
    )

    @classmethod
    def shipped(cls) -> ObjectLocality:
        """The encoders of scripts/states/locality.py."""
        kept = table.read("locality")
        found: dict[str, tuple[list[int], list[tuple[Triangle, ...]]]] = {}
        for number, (name, epoch) in enumerate(kept.about["panels"]):
            epochs, maps = found.setdefault(name, ([], []))
            epochs.append(epoch)
            maps.append(
                tuple(Triangle(a, float(w), float(p)) for a, (w, p) in zip(kept["levels"][number], kept["bend"][number], strict=True))
            )
        first = found["untrained"][1]
        panels = [
            Panel(name, tuple(epochs), tuple(maps)) if name in ("colour", "untrained") else Panel(name, (0, *epochs), (*first, *maps))
            for name, (epochs, maps) in found.items()
        ]
        height, width = kept.about["grid"]
        return cls(
            kept["pixels"], kept["regions"], (height, width), tuple(panels), tuple(kept.about["images"]), paths(kept.about["numbers"])
        )

    @classmethod
    def of(cls, methods: Method | Mapping[str, Method], images: Images, *, names: Sequence[str] = ()) -> ObjectLocality:
        """The same for encoders of your own on up to six images (exact masks where the images have them), beside both baselines."""
        chosen = {"yours": methods} if isinstance(methods, Method) else dict(methods)
        if not chosen:
            raise ValueError("methods is empty; give one method, or several by name")
        images = images.take(slice(0, 6)).to("cpu")
        one = next(iter(chosen.values()))
        first = cells.dense_map(one, images)
        grid = (first.shape[2], first.shape[3])
        maps = {"colour": cells.colour_map(images, grid), "untrained": cells.dense_map(cells.untrained(one), images)}
        maps |= {name: cells.dense_map(method, images) for name, method in chosen.items()}
        wrong = [name for name, found in maps.items() if tuple(found.shape[2:]) != grid]
        if wrong:
            raise ValueError(f"the maps of {', '.join(map(repr, wrong))} don't have {grid} cells; compare encoders of one resolution")
        panels = tuple(Panel(name, (0,), (tuple(cells.triangle(m) for m in found),)) for name, found in maps.items())
        masks = images.masks if images.masks is not None else torch.zeros(len(images), *grid, dtype=torch.uint8)
        titles = tuple(names) or tuple(f"image {number}" for number in range(len(images)))
        return cls(images.pixels.numpy(), cells.regions(masks, grid), grid, panels, titles, question=None)

    def query(self, image: int) -> int:
        """Where the crosshair starts: the middle of the first object (or quadrant), else of the image."""
        known = self.regions[image][self.regions[image] > 0]
        if not len(known):
            return (self.grid[0] // 2) * self.grid[1] + self.grid[1] // 2
        inside = np.flatnonzero(self.regions[image] == known.min())
        places = np.stack([inside // self.grid[1], inside % self.grid[1]], axis=1)
        return int(inside[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()])

    def state(
        self, panel: int, *, image: int = 0, query: int | None = None, moment: int = -1, threshold: float | int = 0.5, coarse: bool = False
    ) -> dict[str, Any]:
        """`state_at` of one panel; `moment` counts its epochs, the last by default."""
        moments = self.panels[panel].maps
        stored = moments[min(moment, len(moments) - 1)][image]
        place = self.query(image) if query is None else query
        return state_at(stored, self.regions[image], self.grid, query=place, threshold=threshold, coarse=coarse)

    def html(self, identity: str | None = None) -> str:
        identity = identity or f"clab-locality-{zlib.crc32(self.pixels.tobytes() + repr(self.panels).encode()):08x}"
        longest = max(len(one.epochs) for one in self.panels)
        rows = [Slider("theta", "threshold θ", 0, 1, 0.02), Slider("image", "image", 0, len(self.names) - 1, 1)]
        rows += [Slider("moment", "epoch", 0, longest - 1, 1)] if longest > 1 else []
        labels = {"reset": "Start again", "lost": "Show LOST"}
        labels |= {"dense": "Negatives from the same image"} if any(one.name == "pixcontrast" for one in self.panels) else {}
        choices = buttons(**labels, collapse="Break it: 4 × 4 cells")
        body = (
            '<div class="panels" data-part="row"><div style="flex:0 1 190px"><svg data-part="stage" tabindex="0" role="application" '
            'aria-label="the image; arrow keys move the query cell"></svg><p class="small" data-part="caption"></p></div></div>'
            f"{''.join(slider(one) for one in rows)}{choices}"
            + (
                '<svg data-part="plane" viewBox="0 0 640 190" role="img" aria-label="locality against kNN over the epochs"></svg>'
                * bool(self.numbers)
            )
        )
        side = int(self.pixels.shape[2])
        data = {
            "grid": list(self.grid),
            "side": side,
            "sprite": data_uri(sheet(self.pixels, columns=len(self.pixels))),
            "names": list(self.names),
            "regions": ["".join(map(str, row.tolist())) for row in self.regions],
            "queries": [self.query(image) for image in range(len(self.names))],
            "start": self.start,
            "panels": [self._packed(one) for one in self.panels],
            "paths": self.numbers,
        }
        return page(
            identity, alt=self.alt, body=body, script=("cells.js", "locality.js"), mount="mountLocality", data=data, question=self.question
        )

    @staticmethod
    def _packed(panel: Panel) -> dict[str, Any]:
        def text(one: Triangle) -> list[Any]:
            return ["".join(ALPHABET[level] for level in one.levels.tolist()), one.widest, one.power]

        first = 1 if len(panel.maps) > 1 else 0  # every trained panel begins with the untrained network's map, which is there already
        maps = [[text(one) for one in moment] for moment in panel.maps[first:]]
        own = look(panel.name).colour if panel.name not in ("colour", "yours") else "#cf7e00" if panel.name == "colour" else "#3f99ea"
        return {"name": panel.name, "title": panel.title, "epochs": list(panel.epochs), "maps": maps, "colour": own}

    def poster(self) -> bytes:
        from contrastive_lab.explorables.stills_locality import locality_poster

        return locality_poster(self, images=[n for n in (0, 2, 4) if n < len(self.names)])

    def live(self) -> Any:
        """Sliders over a picture that the kernel repaints; for encoders and images of your own."""
        from contrastive_lab.explorables.explorable import live, whole_slider
        from contrastive_lab.explorables.stills_locality import locality_still

        sliders = {
            "image": whole_slider("image", 0, 0, len(self.names) - 1),
            "row": whole_slider("row of the query", self.query(0) // self.grid[1], 0, self.grid[0] - 1),
            "column": whole_slider("column", self.query(0) % self.grid[1], 0, self.grid[1] - 1),
            "threshold": whole_slider("threshold, %", 50, 0, 100),
        }
        return live(
            lambda image, row, column, threshold: locality_still(self, image, row * self.grid[1] + column, threshold / 100),
            self.describe,
            sliders,
        )

    def describe(self, *, image: int, row: int, column: int, threshold: int) -> str:
        """The state in one sentence."""
        query = row * self.grid[1] + column
        states = {one.title: self.state(n, image=image, query=query, threshold=threshold / 100) for n, one in enumerate(self.panels)}
        if not self.regions[image].any():
            return f"Query: row {row}, column {column}; no mask is known for this image, so look for yourself."
        return "; ".join(f"{title}: AUROC {state['auroc']:.2f}, IoU {state['iou']:.2f}" for title, state in states.items())


def paths(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Locality and kNN over the epochs for every method, and colour's locality, for the plane under the maps."""
    methods = {name: rows for name, rows in numbers.items() if name != "colour"}
    return {
        "colour": round(float(numbers["colour"]["auroc"]), 3),
        "methods": {name: [[row["epoch"], round(row["auroc"], 3), round(row["knn"], 3)] for row in rows] for name, rows in methods.items()},
    }


def picture(raw: bytes, *, side: int) -> Images:
    """A picture file of your own as an image of `side` pixels: its largest middle square, shrunk; no mask is known."""
    from PIL import Image

    with Image.open(io.BytesIO(raw)) as opened:
        whole = opened.convert("RGB")
    edge = min(whole.size)
    left, top = (whole.width - edge) // 2, (whole.height - edge) // 2
    small = whole.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.LANCZOS)
    return Images(torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].contiguous(), "own")


def upload(method: Method, like: Images) -> Any:
    """A button that takes a picture file and shows its maps; `like` gives side, mean and deviation of the images that `method` knows."""
    from dataclasses import replace

    import ipywidgets as widgets

    button, place = widgets.FileUpload(accept="image/*", multiple=False, description="your picture"), widgets.VBox([])

    def look_at(_: Any) -> None:
        if button.value:
            try:
                own = picture(content(button.value), side=like.size)
            except OSError as error:  # not a picture: said under the button, where the learner looks
                place.children = (widgets.HTML(f"this file can't be read as a picture: {error}"),)
                return
            place.children = (ObjectLocality.of(method, replace(own, mean=like.mean, std=like.std), names=("your picture",)).live(),)

    button.observe(look_at, names="value")
    return widgets.VBox([button, place])


def content(value: Any) -> bytes:
    """The bytes of an upload: a tuple of records in ipywidgets 8, a dictionary by file name in 7."""
    record = next(iter(value.values())) if isinstance(value, Mapping) else value[0]
    return bytes(record["content"])
