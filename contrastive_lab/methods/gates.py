"""The gates of Hydra: which coordinates are open for a pair of classes."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from contrastive_lab.contrast import readable


class GateNetwork(nn.Module):
    """Class pair -> gate in (0, 1)^D, symmetric in the pair: a sigmoid MLP on the mean of two class embeddings.

    fuse: "mean" of the embeddings, or "product" of the two classes' own gates. Read gates in eval mode: it holds a batch norm.
    """

    def __init__(
        self, num_classes: int, dim: int, *, embed_dim: int = 512, hidden_dim: int = 1024, fuse: Literal["mean", "product"] = "mean"
    ) -> None:
        super().__init__()
        if fuse not in ("mean", "product"):
            raise ValueError(f"fuse is {fuse!r}, but must be 'mean' or 'product'")
        if num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}, but must be at least 2; with fewer than 3 there are no negatives")
        self.num_classes, self.fuse = num_classes, fuse
        self.embedding = nn.Embedding(num_classes, embed_dim)
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.BatchNorm1d(embed_dim),
            nn.Linear(embed_dim, hidden_dim),
            nn.ReLU(),
            nn.BatchNorm1d(hidden_dim),
            nn.Linear(hidden_dim, dim),
        )

    def forward(self, labels: Int64[Tensor, "B"], pair_labels: Int64[Tensor, "B"]) -> Float[Tensor, "B D"]:
        check_classes(self.num_classes, labels=labels, pair_labels=pair_labels)
        one, two = self.embedding(labels), self.embedding(pair_labels)
        if self.fuse == "product":
            return self.layers(one).sigmoid() * self.layers(two).sigmoid()
        return self.layers((one + two) / 2).sigmoid()

    @torch.no_grad()
    def class_gates(self) -> Float[Tensor, "C D"]:
        """The gate of each class with itself."""
        every = torch.arange(self.num_classes, device=self.embedding.weight.device)
        return _in_eval(self, every, every)

    @torch.no_grad()
    def pair_gates(self) -> Float[Tensor, "C C D"]:
        """The gates of all pairs of classes."""
        every = torch.arange(self.num_classes, device=self.embedding.weight.device)
        one, two = torch.meshgrid(every, every, indexing="ij")
        return _in_eval(self, one.flatten(), two.flatten()).view(self.num_classes, self.num_classes, -1)


class OpenGate(nn.Module):
    """All coordinates open for all pairs: the control that shows why the gate is needed. Same interface as `GateNetwork`."""

    ones: Float[Tensor, "D"]

    def __init__(self, num_classes: int, dim: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.register_buffer("ones", torch.ones(dim), persistent=False)

    def forward(self, labels: Int64[Tensor, "B"], pair_labels: Int64[Tensor, "B"]) -> Float[Tensor, "B D"]:
        return self.ones.expand(len(labels), -1)

    def class_gates(self) -> Float[Tensor, "C D"]:
        return self.ones.repeat(self.num_classes, 1)

    def pair_gates(self) -> Float[Tensor, "C C D"]:
        return self.ones.repeat(self.num_classes, self.num_classes, 1)


def _in_eval(gate: GateNetwork, one: Tensor, two: Tensor) -> Tensor:
    was_training = gate.training
    gate.eval()
    opened: Tensor = gate(one, two)
    gate.train(was_training)
    return opened


def check_classes(num_classes: int | None, **labels: Tensor) -> None:
    """Raise unless every named tensor holds classes that count from 0, and below `num_classes` where that is known."""
    for name, value in labels.items():
        if not readable(value) or len(value) == 0:
            continue
        low, high = int(value.min()), int(value.max())
        if low < 0 or (num_classes is not None and high >= num_classes):
            remedy = "leave unlabelled images out" if low < 0 else f"num_classes is {num_classes}, give {high + 1}"
            raise ValueError(f"{name} reach from {low} to {high}, but classes count from 0 to num_classes - 1; {remedy}")
