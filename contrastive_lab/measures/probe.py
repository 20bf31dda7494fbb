"""Linear probe: what a linear classifier can read from frozen, cached features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, Integer
from torch import Tensor

from contrastive_lab.measures.arithmetic import exact_arithmetic, working_dtype
from contrastive_lab.measures.inputs import class_numbers, points, positive, same_width, whole


@dataclass(frozen=True)
class ProbeResult:
    """Accuracies are shares in 0 ... 1. `per_class` holds the classes that occur in the test labels; `loss` is the training objective."""

    top1: float
    train_top1: float
    per_class: dict[int, float]
    loss: float
    steps: int
    classes: int
    predictions: Int64[Tensor, "M"]


@exact_arithmetic()
def linear_probe(
    train: Float[Tensor, "N D"],
    train_labels: Integer[Tensor, "N"],
    test: Float[Tensor, "M D"],
    test_labels: Integer[Tensor, "M"],
    *,
    l2: float | int = 1e-4,
    steps: int = 150,
) -> ProbeResult:
    """Logistic regression by full-batch L-BFGS on features standardised with the training mean and deviation; no randomness.

    Minimises mean cross-entropy + l2/2 |W|^2 (scikit-learn's C is 1 / (N l2)), the bias goes free. Quick stand-in for the usual
    90 epochs of SGD on augmented crops: the order of encoders carries over, the accuracies don't exactly.
    """
    positive(l2=l2)
    whole(steps=steps)
    train, test = points("train", train), points("test", test, at_least=1)
    same_width(train, test, names=("train", "test"))
    test = test.to(train.device)
    train_labels, test_labels = class_numbers("train_labels", train_labels, train), class_numbers("test_labels", test_labels, test)
    classes = 1 + max(int(train_labels.max()), int(test_labels.max()))
    inputs, questions = _standardised(train, test)
    weights, loss, taken = _logistic_regression(inputs, train_labels, classes=classes, l2=l2, steps=steps)
    predictions = (questions @ weights).argmax(dim=1)
    right = predictions == test_labels
    present = torch.bincount(test_labels).nonzero()[:, 0].tolist()
    return ProbeResult(
        top1=_share(right),
        train_top1=_share((inputs @ weights).argmax(dim=1) == train_labels),
        per_class={int(c): _share(right[test_labels == c]) for c in present},
        loss=loss,
        steps=taken,
        classes=classes,
        predictions=predictions,
    )


def few_label_curve(
    train: Float[Tensor, "N D"],
    train_labels: Integer[Tensor, "N"],
    test: Float[Tensor, "M D"],
    test_labels: Integer[Tensor, "M"],
    *,
    per_class: Sequence[int] = (10, 20, 50, 100, 200, 500),
    seed: int = 0,
    l2: float | int = 1e-4,
) -> dict[int, float]:
    """Probe accuracy with so many labels per class; larger sets contain the smaller ones, sizes that a class can't fill are left out.

    Raises `ValueError` if none is left.
    """
    for count in per_class:
        whole(per_class=count)
    labels = class_numbers("train_labels", train_labels, points("train", train)).cpu()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    members = [order[labels[order] == c] for c in torch.bincount(labels).nonzero()[:, 0].tolist()]
    smallest = min(len(of_class) for of_class in members)
    if smallest < min(per_class, default=1):
        raise ValueError(
            f"per_class is {tuple(per_class)}, but the smallest class of train_labels has {smallest} images; give a size up to that"
        )
    curve = {}
    for count in sorted(n for n in per_class if n <= smallest):
        chosen = torch.cat([of_class[:count] for of_class in members]).to(train.device)
        curve[count] = linear_probe(train[chosen], train_labels.to(train.device)[chosen], test, test_labels, l2=l2).top1
    return curve


def _share(right: Tensor) -> float:
    return float(right.double().mean())


def _standardised(train: Float[Tensor, "N D"], test: Float[Tensor, "M D"]) -> tuple[Float[Tensor, "N E"], Float[Tensor, "M E"]]:
    """Both sets in units of the training deviation, with a last column of ones for the bias; constant features become 0."""
    dtype = working_dtype(train, test)
    deviation, mean = torch.std_mean(train.double(), dim=0, correction=0)
    is_constant = deviation <= 1e-12 * mean.abs()
    scale = torch.where(is_constant, 0.0, 1 / torch.where(is_constant, 1.0, deviation))

    def standard(rows: Float[Tensor, "n D"]) -> Float[Tensor, "n E"]:
        return F.pad(((rows.double() - mean) * scale).to(dtype), (0, 1), value=1.0)

    return standard(train), standard(test)


def _logistic_regression(
    inputs: Float[Tensor, "N E"], labels: Int64[Tensor, "N"], *, classes: int, l2: float | int, steps: int
) -> tuple[Float[Tensor, "E K"], float, int]:
    weights = inputs.new_zeros(inputs.shape[1], classes)
    penalised = torch.ones_like(weights)
    penalised[-1] = 0
    target = F.one_hot(labels, classes).to(inputs.dtype)
    search = torch.optim.LBFGS(
        [weights], max_iter=steps, tolerance_grad=1e-6, tolerance_change=1e-9, history_size=20, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        # The gradient by hand: half the time of autograd, and the caller may be in inference mode.
        log_probability = (inputs @ weights).log_softmax(dim=1)
        shrunk = weights * penalised
        weights.grad = inputs.T @ (log_probability.exp() - target) / len(inputs) + l2 * shrunk
        return -(log_probability * target).sum() / len(inputs) + l2 / 2 * shrunk.square().sum()

    search.step(objective)  # type: ignore[no-untyped-call]
    loss = float(objective())
    return weights, loss, int(search.state[weights]["n_iter"])
