"""What notebook 10 asks of a method with two modalities: embeddings of pairs over time, retrieval, and the explorable of one's own runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.explorables.gap_states import GapRun, gather_run, measure_pair
from contrastive_lab.methods import CLIP, Method, SketchCLIP
from contrastive_lab.training import Moment, Run
from contrastive_lab.training.observe import at_rest, embed


def embed_pairs(method: Method, images: Images, *, caption: int = 0) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """Unit vectors of clean images and of their partners: of one caption each, or of their sketches."""
    if not isinstance(method, CLIP):
        raise TypeError(f"method is {type(method).__name__}, but must have two modalities: CLIP or SketchCLIP")
    with at_rest(method):
        x = embed(method, images)
        if isinstance(method, SketchCLIP):
            return x, method.embed_partners(images.to(x.device).as_float())
        if images.captions is None:
            raise ValueError(f"the images {images.name!r} have no captions")
        return x, method.embed_texts([several[caption] for several in images.captions])


def recall(x: Float[Tensor, "N D"], y: Float[Tensor, "N D"]) -> float:
    """Share of rows whose partner is nearer than every stranger, the mean of both directions (R@1; it falls as N grows)."""
    from contrastive_lab import measures

    both = [measures.retrieval_margins(a, b) for a, b in ((x, y), (y, x))]
    return float(torch.stack([(margin > 0).double().mean() for margin in both]).mean())


class Pairs:
    """An observer: keeps the embeddings of fixed pairs as frames at every epoch's end; gap, cones and recall join the history."""

    def __init__(self, images: Images) -> None:
        self.images = images

    def __call__(self, moment: Moment) -> dict[str, float | Tensor] | None:
        from contrastive_lab import measures

        if not moment.epoch_end:
            return None
        x, y = embed_pairs(moment.method, self.images)
        numbers: dict[str, float | Tensor] = {
            "test gap": measures.modality_gap(x, y),
            "image cone": measures.mean_cosine(x),
            "text cone": measures.mean_cosine(y),
            "test alignment": measures.alignment(x, y),
            "recall": recall(x, y),
        }
        return numbers | {"images": x.half(), "texts": y.half()}


def pairs_at(run: Run, epoch: int = -1) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """The kept embeddings of one moment of a run, the last one by default."""
    return run.frames("images")[epoch].float(), run.frames("texts")[epoch].float()


def own_gap(runs: Mapping[float, Run], *, title: str = "your runs", names: tuple[str, str] = ("image", "caption")) -> GapRun:
    """Runs by temperature as a layer of the explorable; all must have kept the same epochs."""
    states = {tau: {epoch: measure_pair(*pairs_at(run, k)) for k, epoch in enumerate(_epochs(run))} for tau, run in runs.items()}
    if len({tuple(kept) for kept in states.values()}) != 1:
        raise ValueError(f"the runs kept different epochs ({', '.join(str(list(kept)) for kept in states.values())}); train them alike")
    return gather_run(title, names, states, count=len(pairs_at(next(iter(runs.values())))[0]))


def _epochs(run: Run) -> Sequence[int]:
    return [frame.epoch for frame in run.snapshots if "images" in frame.tensors]


COLUMNS = {
    "gap": "gap",
    "image cone": "cone, pictures",
    "text cone": "cone, sentences",
    "alignment": "alignment",
    "recall@1": "R@1",
    "recall@1, closed": "R@1 closed",
    "temperature": "temperature",
}


def larger_runs(data: str) -> None:
    """Print what benchmarks/clip_temperatures.py measured on this data, or that nobody has yet."""
    from contrastive_lab.lab import results
    from contrastive_lab.lab.tables import table

    try:
        measured = results.read(f"clip-{data}")
    except FileNotFoundError:
        print(f"{data}: nobody has measured this yet; python benchmarks/clip_temperatures.py {data} does (minutes on a GPU)")
        return
    print(
        f"{data}: {measured['images']:,} training pairs, {measured['epochs']} epochs, recall among {measured['pairs']} test pairs,", end=" "
    )
    print(f"{measured['environment']['device']}; untrained gap {next(iter(measured['arms'].values()))[0]['gap at the start']:.2f}")
    table(measured["arms"], COLUMNS, digits=3)
    print()
