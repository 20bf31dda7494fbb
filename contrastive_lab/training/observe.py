"""What may watch a run without touching it: functions of a moment whose numbers join the history and whose tensors are kept as frames."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive_lab.data import Images
from contrastive_lab.methods import Method, Progress, Step
from contrastive_lab.views import Batch, Views


@dataclass(frozen=True)
class Moment:
    """One moment of a run: after optimiser step `iteration`, in epoch `epoch` (finished epochs where `epoch_end`).

    The first moment comes before any step (`iteration` 0, `epoch_end` true, `step` None): the untrained network.
    """

    iteration: int
    epoch: int
    step: Step | None
    method: Method
    epoch_end: bool
    progress: Progress


Observer = Callable[[Moment], Mapping[str, float | int | Tensor] | None]
"""Called after each step. Returned numbers join the history row of that step; returned tensors become a `Frame` of the run."""


class Evaluate:
    """Measures on a fixed probe set at the end of every `every`-th epoch and before training.

    alignment, uniformity, rankme, participation_ratio, std, mean_cosine and twins (share of images whose other view is nearer than every
    stranger) are taken on the embeddings, of `dim` numbers each, of two fixed random views of the first `probe` query images; knn
    (fraction correct) on the representation of all clean images, with `bank` as the neighbours to choose from.
    With fewer than 4 D probe images rankme and participation_ratio are too low, whatever the encoder does.
    `views` makes the two views (mild crops and jitter by default); k is 200, or 50 for a bank below 5,000 images.
    """

    def __init__(
        self, bank: Images, queries: Images, *, every: int = 1, probe: int = 512, views: Views | None = None, k: int | None = None
    ) -> None:
        if every < 1:
            raise ValueError(f"every is {every}, but must be at least 1 epoch")
        if len(queries) < 2:
            raise ValueError(f"queries has {len(queries)} images, but at least 2 are needed for pairs")
        if (bank.labels is None) != (queries.labels is None):
            raise ValueError("bank and queries must both have labels, or neither")
        if bank.classes and queries.classes and bank.classes != queries.classes:
            raise ValueError(
                f"bank has the classes {', '.join(bank.classes)} and queries {', '.join(queries.classes)}: equal numbers would mean other "
                "things; data.read_folder(..., like=bank) numbers a second folder like the first"
            )
        self.bank, self.queries, self.every = bank, queries, every
        self.k = k or (200 if len(bank) >= 5000 else 50)
        self.pair = _fixed_pair(queries.take(slice(0, probe)), views)

    def __call__(self, moment: Moment) -> dict[str, float] | None:
        if not moment.epoch_end or moment.epoch % self.every:
            return None
        with at_rest(moment.method):
            return self.measure(moment.method)

    def measure(self, method: Method) -> dict[str, float]:
        """The numbers by name; for a method that is in eval mode already."""
        from contrastive_lab import measures

        device = next(method.parameters()).device
        one, two = (_embed_chunks(method, view) for view in self.pair.views[:2])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", measures.SampleSizeWarning)  # the docstring says it once, not every epoch
            numbers = {
                "alignment": measures.alignment(one, two),
                "uniformity": measures.uniformity(one),
                "rankme": measures.rankme(one),
                "participation_ratio": _directions(one),
                "std": measures.embedding_std(one),
                "mean_cosine": measures.mean_cosine(one),
                "twins": (measures.retrieval_margins(one, two) > 0).double().mean().item(),
                "dim": float(one.shape[1]),
                "probe": float(len(one)),
            }
        if self.bank.labels is not None and self.queries.labels is not None:
            bank, queries = (_pointed(represent(method, images)) for images in (self.bank, self.queries))
            truth = self.queries.labels.to(device)
            guess = measures.weighted_knn(bank, self.bank.labels.to(device), queries, k=min(self.k, len(bank)))
            numbers["knn"] = (guess == truth).float().mean().item()
        return numbers


class Snapshot:
    """Keeps the embeddings (and, if asked, representations) of fixed images at the end of every `every`-th epoch, as float16 frames."""

    def __init__(self, images: Images, *, every: int = 1, representation: bool = False) -> None:
        if every < 1:
            raise ValueError(f"every is {every}, but must be at least 1 epoch")
        self.images, self.every, self.representation = images, every, representation

    def __call__(self, moment: Moment) -> dict[str, float | Tensor] | None:
        if not moment.epoch_end or moment.epoch % self.every:
            return None
        with at_rest(moment.method):
            frame: dict[str, float | Tensor] = {"embeddings": embed(moment.method, self.images).half()}
            if self.representation:
                frame["representation"] = represent(moment.method, self.images).half()
        return frame


@contextmanager
def at_rest(method: Method) -> Iterator[None]:
    """No gradients, every module in eval mode and uncompiled, and afterwards each in the mode it was in."""
    modes = [(module, module.training) for module in method.modules()]
    method.eval()
    try:
        # Images come here in other numbers than in training: each would be compiled anew.
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def chunk_for(size: int) -> int:
    """How many images of `size` pixels a side an encoder is given at a time: 1,000 up to 64 pixels, and no more pixels than that beyond."""
    return max(1, min(1000, 1000 * 64**2 // size**2))


def represent(method: Method, images: Images, *, chunk: int | None = None) -> Float[Tensor, "N D"]:
    """Representation of clean images, on the method's device, a `chunk` of images at a time (see `chunk_for`)."""
    return torch.cat([method.represent(part) for part in _clean(method, images, chunk)])


def embed(method: Method, images: Images, *, chunk: int | None = None) -> Float[Tensor, "N E"]:
    """Unit embeddings of clean images, on the method's device, a `chunk` of images at a time (see `chunk_for`)."""
    return torch.cat([method.embed(part) for part in _clean(method, images, chunk)])


def _embed_chunks(method: Method, view: Float[Tensor, "N C H W"]) -> Float[Tensor, "N E"]:
    device, chunk = next(method.parameters()).device, chunk_for(view.shape[-1])
    return torch.cat([method.embed(view[start : start + chunk].to(device)) for start in range(0, len(view), chunk)])


def _clean(method: Method, images: Images, chunk: int | None) -> Iterator[Float[Tensor, "n C H W"]]:
    device, chunk = next(method.parameters()).device, chunk or chunk_for(images.size)
    for start in range(0, len(images), chunk):
        yield images.take(slice(start, start + chunk)).to(device).as_float()


def _pointed(rows: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Rows of a dead network, which are zero and point nowhere, as one common direction: kNN falls to chance, and the run goes on."""
    return torch.where(rows.any(dim=1, keepdim=True), rows, 1.0)


def _directions(embeddings: Float[Tensor, "N D"]) -> float:
    """The participation ratio; 1 for a cloud without any spread, whose directions can't be counted: a collapsed run must go on."""
    from contrastive_lab import measures

    return 1.0 if bool((embeddings == embeddings[0]).all()) else measures.participation_ratio(embeddings)


def _fixed_pair(images: Images, views: Views | None) -> Batch:
    if views is None:
        from contrastive_lab.views import Augmentation, TwoViews

        views = TwoViews(Augmentation.for_data("scenes", size=images.size, mean=images.mean, std=images.std))
    return views(images.pixels, generator=torch.Generator(images.device).manual_seed(0))
