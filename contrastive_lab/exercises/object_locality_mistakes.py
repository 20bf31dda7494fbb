"""What people write instead in notebook 11, as code, with what a teacher would say."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _plain_products(cells: Tensor) -> Tensor:
    rows = cells.flatten(1).T
    return rows @ rows.T


def _reshaped(cells: Tensor) -> Tensor:
    rows = F.normalize(cells.reshape(-1, cells.shape[0]), dim=1)
    return rows @ rows.T


def _columns_first(cells: Tensor) -> Tensor:
    rows = F.normalize(cells.transpose(1, 2).flatten(1).T, dim=1)
    return rows @ rows.T


def _channels_normalised(cells: Tensor) -> Tensor:
    rows = F.normalize(cells.flatten(1).T, dim=0)
    return rows @ rows.T


def _distances(cells: Tensor) -> Tensor:
    rows = F.normalize(cells.flatten(1).T, dim=1)
    return (rows[:, None] - rows[None]).norm(dim=2)


def _centred(cells: Tensor) -> Tensor:
    rows = cells.flatten(1).T
    rows = F.normalize(rows - rows.mean(dim=0), dim=1)
    return rows @ rows.T


SIMILARITY = (
    Mistake(
        "the cells are not normalised",
        "A bright cell has a long vector: make every row a unit vector, F.normalize(rows, dim=1).",
        _plain_products,
    ),
    Mistake(
        "reshape mixed cells and channels",
        "In memory the channel is the slow axis: flatten to (D, P) and transpose; a reshape to (P, D) cuts in the wrong places.",
        _reshaped,
    ),
    Mistake("you counted the cells column by column", "Cell (i, j) is number i * W + j: flatten H and W in this order.", _columns_first),
    Mistake("you normalised the channels", "dim=0 scales each channel over the cells. Each row is one cell: dim=1.", _channels_normalised),
    Mistake(
        "these are distances", "A similarity is largest where cells are alike; take the products, not the norms of differences.", _distances
    ),
    Mistake(
        "you subtracted the mean cell",
        "That is LOST's step, later in this notebook. Here the cosine of the features as they are is asked.",
        _centred,
    ),
)


def _gaps(heat: Tensor, own: Tensor, inside: Tensor) -> Tensor:
    return heat[own][:, None] - heat[~inside][None, :]


def _without(inside: Tensor, query: int) -> Tensor:
    own = inside.clone()
    own[query] = False
    return own


def _query_counts(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    gap = _gaps(heat, inside, inside)
    return (gap > 0).double().mean() + (gap == 0).double().mean() / 2


def _ties_lose(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    return (_gaps(heat, _without(inside, query), inside) > 0).double().mean()


def _ties_win(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    return (_gaps(heat, _without(inside, query), inside) >= 0).double().mean()


def _swapped(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    gap = -_gaps(heat, _without(inside, query), inside)
    return (gap > 0).double().mean() + (gap == 0).double().mean() / 2


def _sum_of_pairs(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    gap = _gaps(heat, _without(inside, query), inside)
    return (gap > 0).double().sum() + (gap == 0).double().sum() / 2


def _against_all(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    own = _without(inside, query)
    gap = heat[own][:, None] - heat[None, :]
    return (gap > 0).double().mean() + (gap == 0).double().mean() / 2


def _mean_gap(heat: Tensor, inside: Tensor, query: int) -> Tensor:
    return _gaps(heat, _without(inside, query), inside).mean()


AUROC = (
    Mistake(
        "the query ranks itself",
        "The query's similarity with itself is always 1: a free win. Leave it out of the object cells.",
        _query_counts,
    ),
    Mistake("ties count as lost", "Equal heat is a coin toss: add half of the pairs with gap == 0.", _ties_lose),
    Mistake("ties count as won", "Equal heat is a coin toss, half a win: count gap > 0, and half of gap == 0.", _ties_win),
    Mistake("object and background are exchanged", "Count the pairs in which the OBJECT cell is hotter.", _swapped),
    Mistake("you added up the pairs", "Divide by the number of pairs, |O| * |B|: a mean, not a sum.", _sum_of_pairs),
    Mistake(
        "object cells compete with one another",
        "The rivals are the background cells alone, heat[~inside], not all cells.",
        _against_all,
    ),
    Mistake("that is a mean difference", "Only the order counts: compare with > before you average.", _mean_gap),
)


def _parts(heat: Tensor, inside: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    found = heat > threshold
    return found, (found & inside).sum()


def _precision(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    found, both = _parts(heat, inside, threshold)
    return both / found.sum()


def _recall(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    return _parts(heat, inside, threshold)[1] / inside.sum()


def _dice(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    found, both = _parts(heat, inside, threshold)
    return 2 * both / (found.sum() + inside.sum())


def _accuracy(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    return ((heat > threshold) == inside).double().mean()


def _at_least(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    found = heat >= threshold
    return (found & inside).sum() / (found | inside).sum()


def _double_union(heat: Tensor, inside: Tensor, threshold: float = 0.5) -> Tensor:
    found, both = _parts(heat, inside, threshold)
    return both / (found.sum() + inside.sum())


IOU = (
    Mistake("that is the precision", "You divided by the size of your mask; divide by the union, found | inside.", _precision),
    Mistake("that is the recall", "You divided by the size of the object; divide by the union, found | inside.", _recall),
    Mistake("that is the Dice score", "Dice counts the intersection twice; IoU is intersection over union.", _dice),
    Mistake(
        "that is the accuracy",
        "Background cells that both leave out must not count: an object of one cell would always score high.",
        _accuracy,
    ),
    Mistake("the threshold itself is included", "The mask holds the cells strictly above the threshold.", _at_least),
    Mistake("the intersection is counted twice below the line", "The union counts a shared cell once: found | inside.", _double_union),
)


def _signs(cells: Tensor) -> Tensor:
    centred = cells - cells.mean(dim=0)
    return centred @ centred.T


def _with_itself(cells: Tensor) -> Tensor:
    return (_signs(cells) > 0).sum(dim=1)


def _not_centred(cells: Tensor) -> Tensor:
    positive = cells @ cells.T > 0
    return positive.sum(dim=1) - positive.diagonal().long()


def _added(cells: Tensor) -> Tensor:
    products = _signs(cells)
    return products.sum(dim=1) - products.diagonal()


def _negative(cells: Tensor) -> Tensor:
    return (_signs(cells) < 0).sum(dim=1)


def _wrong_mean(cells: Tensor) -> Tensor:
    centred = cells - cells.mean(dim=1, keepdim=True)
    positive = centred @ centred.T > 0
    return positive.sum(dim=1) - positive.diagonal().long()


def _share(cells: Tensor) -> Tensor:
    positive = _signs(cells) > 0
    return (positive.sum(dim=1) - positive.diagonal().long()) / (len(cells) - 1)


DEGREES = (
    Mistake("every cell counts itself", "Take the diagonal away: the degree counts OTHER cells.", _with_itself),
    Mistake(
        "the mean cell is still there", "Subtract cells.mean(dim=0) first; after a ReLU everything correlates positively.", _not_centred
    ),
    Mistake("you added up similarities", "The degree is a count: compare with 0 first, then sum the booleans.", _added),
    Mistake("you counted the enemies", "Count products above 0, not below.", _negative),
    Mistake("you subtracted each cell's own mean", "The mean is over the cells (dim=0): one vector for the whole image.", _wrong_mean),
    Mistake("that is a share", "Return the number of cells, not their share of all.", _share),
)
