"""Losses over all pairs in memory that grows with the batch, not with its square: the rows of the score matrix, a tile at a time.

A loss that is a mean over the rows of `scores = x @ y.T` needs each row only once, if its gradient is computed in the same moment: with
g = d loss / d scores for the rows of a tile, the tile adds g @ y to its own rows of the gradient of x, and g.T @ x to the gradient of y.
The tile is then forgotten. So nothing of size N x N is ever kept or computed twice; the backward pass only multiplies by a number.

What a paper changes is the function of one tile, the row loss: it is given scores and says what the rows cost and what g is. Two stand
below: `twin_rows` (InfoNCE, NT-Xent, DCL) and `repelled_rows` (CACR). The dense losses in `methods` are the ones to read first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from contrastive_lab.contrast import Temperature, unit

RowLoss = Callable[[Tensor, slice], tuple[Tensor, Tensor]]
"""From the scores of the rows in a slice to the loss of each and its gradient by the scores; may work in their memory."""


def tiled_mean(row_loss: RowLoss, x: Float[Tensor, "A D"], y: Float[Tensor, "B D"], *, chunk: int) -> Float[Tensor, ""]:
    """Mean over the rows of `row_loss(x @ y.T)`, `chunk` rows at a time: memory about 2 chunk B numbers.

    Has first derivatives only; asking for more raises `RuntimeError`.
    """
    check_chunk(chunk)
    wanted = torch.is_grad_enabled() and (x.requires_grad or y.requires_grad)
    mean: Tensor = _TiledMean.apply(row_loss, x, y, chunk, wanted)
    return mean


def check_chunk(chunk: int | None) -> None:
    """Raise unless `chunk` is None or a number of rows."""
    if chunk is not None and (isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1):
        raise ValueError(
            f"chunk is {chunk!r}, but must be a whole number of at least 1, or None for the dense form; 512 suits most machines"
        )


def tiled_twins(stack: Float[Tensor, "A D"], *, temperature: Temperature, chunk: int, decoupled: bool = False) -> Float[Tensor, ""]:
    """NT-Xent, or DCL if `decoupled`, of two stacked views."""
    itself = torch.arange(len(stack), device=stack.device)
    vectors = unit(stack)
    return tiled_mean(
        twin_rows(itself.roll(len(stack) // 2), itself=itself, decoupled=decoupled), vectors / temperature, vectors, chunk=chunk
    )


def tiled_pairs(q: Float[Tensor, "N D"], k: Float[Tensor, "N D"], *, temperature: Temperature, chunk: int) -> Float[Tensor, ""]:
    """InfoNCE in one direction: query i among all keys, key i positive."""
    return tiled_mean(twin_rows(torch.arange(len(q), device=q.device)), unit(q) / temperature, unit(k), chunk=chunk)


def tiled_repulsion(
    x: Float[Tensor, "N D"],
    y: Float[Tensor, "N D"],
    *,
    t: float,
    chunk: int,
    unit_rows: bool,
    detach: bool = False,
    rbf_scale: float | None = None,
) -> Float[Tensor, ""]:
    """CACR's weighted mean cost between the rows of x and the other rows of y, squared distances or their Gaussian potential.

    The potential leaves logarithms here: where `rbf_scale` times the cost of all pairs exceeds about 100, it is 0 in float32.
    `unit_rows`: the caller has normalized both, so their gradient is that along the sphere.
    """
    if unit_rows:  # |x - y|^2 = 2 - 2 x.y
        return tiled_mean(repelled_rows(t, offset=2.0, detach=detach, rbf_scale=rbf_scale), x, -2 * y, chunk=chunk)
    one = x.new_ones(len(x), 1)
    # |x - y|^2 as one product: (x, |x|^2, 1) times (-2 y, 1, |y|^2). Rounding may leave -1e-7 for 0, which no root or logarithm ever sees.
    left = torch.cat([x, x.square().sum(dim=1, keepdim=True), one], dim=1)
    right = torch.cat([-2 * y, one, y.square().sum(dim=1, keepdim=True)], dim=1)
    return tiled_mean(repelled_rows(t, detach=detach, rbf_scale=rbf_scale), left, right, chunk=chunk)


def twin_rows(twin: Int64[Tensor, "A"], *, itself: Int64[Tensor, "A"] | None = None, decoupled: bool = False) -> RowLoss:
    """Log of the sum of exponentials minus the score of the positive, whose column is `twin`.

    itself: the column of each row that stands nowhere (the anchor's own); decoupled: leave the positive out of the sum (DCL).
    """

    def row_loss(scores: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        positive = twin[rows, None]
        attraction = scores.gather(1, positive)
        if itself is not None:
            scores.scatter_(1, itself[rows, None], -torch.inf)
        if decoupled:
            scores.scatter_(1, positive, -torch.inf)
        level = scores.logsumexp(dim=1, keepdim=True)
        share = scores.sub_(level).exp_()
        share.scatter_add_(1, positive, share.new_full(positive.shape, -1.0))
        return (level - attraction).squeeze(1), share

    return row_loss


def repelled_rows(t: float, *, offset: float = 0.0, detach: bool = False, rbf_scale: float | None = None) -> RowLoss:
    """Weighted mean of costs (scores plus `offset`) over all columns but the row's own, near ones weighing more: softmax(-t cost).

    With `rbf_scale` it is the mean of exp(-rbf_scale cost); with `detach` the weights carry no gradient.
    """

    def row_loss(costs: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        own = torch.arange(rows.start, rows.start + len(costs), device=costs.device)[:, None]
        if offset:
            costs.add_(offset)
        weights = (-t * costs).scatter_(1, own, -torch.inf).softmax(dim=1)
        values = costs if rbf_scale is None else costs.mul_(-rbf_scale).exp_()
        mean = torch.linalg.vecdot(weights, values)[:, None]
        # d mean / d cost = weight * (d value / d cost - t (value - mean)), the second term through the weights.
        through_weights = 0.0 if detach else t
        slope = (values - mean).mul_(-through_weights).add_(1.0 if rbf_scale is None else values * -rbf_scale)
        return mean.squeeze(1), weights.mul_(slope)

    return row_loss


class _TiledMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, row_loss: RowLoss, x: Tensor, y: Tensor, chunk: int, wanted: bool) -> Tensor:
        x_gradient = torch.empty_like(x) if wanted and x.requires_grad else None
        y_gradient = torch.zeros_like(y) if wanted and y.requires_grad else None
        losses = []
        with torch.autocast(x.device.type, enabled=False):  # low-precision scores are off by whole percents
            for start in range(0, len(x), chunk):
                rows = slice(start, min(start + chunk, len(x)))
                loss, gradient = row_loss(x[rows] @ y.T, rows)
                losses.append(loss)
                if x_gradient is not None:
                    torch.mm(gradient, y, out=x_gradient[rows])
                if y_gradient is not None:
                    y_gradient.addmm_(gradient.T, x[rows])
        ctx.save_for_backward(x_gradient, y_gradient)
        ctx.count = len(x)
        return torch.cat(losses).mean()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError("a tiled loss has first derivatives only, so create_graph=True can't work; take chunk=None, the dense form")
        x_gradient, y_gradient = (None if g is None else g * (upstream / ctx.count) for g in ctx.saved_tensors)
        return None, x_gradient, y_gradient, None, None
