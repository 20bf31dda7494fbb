"""What goes wrong in the exercises of notebook 09, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _eigenvalues(z: Tensor) -> Tensor:
    return torch.linalg.svdvals(z - z.mean(dim=0)).square()


def _ratio(weights: Tensor) -> Tensor:
    return weights.sum().square() / weights.square().sum()


def _uncentred(z: Tensor) -> Tensor:
    return _ratio(torch.linalg.svdvals(z).square())


def _singular_values(z: Tensor) -> Tensor:
    return _ratio(torch.linalg.svdvals(z - z.mean(dim=0)))


def _upside_down(z: Tensor) -> Tensor:
    return 1 / _ratio(_eigenvalues(z))


def _not_shares(z: Tensor) -> Tensor:
    return 1 / (_eigenvalues(z) / (len(z) - 1)).square().sum()


def _largest_only(z: Tensor) -> Tensor:
    values = _eigenvalues(z)
    return values.sum() / values.max()


def _variances_of_coordinates(z: Tensor) -> Tensor:
    return _ratio(z.var(dim=0))


def _unit_rows_first(z: Tensor) -> Tensor:
    return _ratio(_eigenvalues(F.normalize(z, dim=1)))


PARTICIPATION_RATIO = (
    Mistake(
        "the mean is still in",
        "You count the second moment: a cloud far from the origin then seems to have one direction, its mean. Subtract z.mean(dim=0).",
        _uncentred,
    ),
    Mistake(
        "singular values instead of eigenvalues",
        "The eigenvalues of the covariance are the *squares* of the singular values of the centred rows (up to a factor that cancels).",
        _singular_values,
    ),
    Mistake("your value is upside down", "The sum of squared shares is 1/D when all are equal. The ratio is one over it.", _upside_down),
    Mistake(
        "the eigenvalues are not shares",
        "Divide by their sum first, or put the square of the sum above the line: the ratio must not change when z is doubled.",
        _not_shares,
    ),
    Mistake(
        "that is NESum",
        "You divided the sum by the largest eigenvalue, the Hill number of infinite order. The participation ratio squares all of them.",
        _largest_only,
    ),
    Mistake(
        "variances of the coordinates",
        "You took the diagonal of the covariance. Rotating the cloud would change that; the eigenvalues stay.",
        _variances_of_coordinates,
    ),
    Mistake(
        "you made the rows unit vectors",
        "This measure takes the rows as they are. Whoever wants unit rows normalises before calling it.",
        _unit_rows_first,
    ),
)


def _entropy(share: Tensor) -> Tensor:
    return -(share * share.log()).sum()


def _singular_shares(z: Tensor) -> Tensor:
    values = torch.linalg.svdvals(z)
    return values / values.sum() + 1e-7


def _centred(z: Tensor) -> Tensor:
    return _entropy(_singular_shares(z - z.mean(dim=0))).exp()


def _eigenvalue_shares(z: Tensor) -> Tensor:
    values = torch.linalg.svdvals(z).square()
    return _entropy(values / values.sum() + 1e-7).exp()


def _entropy_itself(z: Tensor) -> Tensor:
    return _entropy(_singular_shares(z))


def _two_logarithms(z: Tensor) -> Tensor:
    share = _singular_shares(z)
    return torch.exp(-(share * share.log2()).sum())


def _lost_minus(z: Tensor) -> Tensor:
    return torch.exp(-_entropy(_singular_shares(z)))


def _shares_of_the_largest(z: Tensor) -> Tensor:
    values = torch.linalg.svdvals(z)
    return _entropy(values / values.max() + 1e-7).exp()


def _without_the_constant(z: Tensor) -> Tensor:
    values = torch.linalg.svdvals(z)
    return _entropy(values / values.sum()).exp()


def _mean_for_sum(z: Tensor) -> Tensor:
    share = _singular_shares(z)
    return torch.exp(-(share * share.log()).mean())


RANKME = (
    Mistake("you centred the rows", "RankMe takes the matrix as it is, mean included. That is why a cone pushes it down.", _centred),
    Mistake(
        "eigenvalues instead of singular values",
        "RankMe shares out the singular values themselves, not their squares: small directions count for more.",
        _eigenvalue_shares,
    ),
    Mistake("that is the entropy", "The rank is its exponential: D equal shares have entropy log D, and exp(log D) = D.", _entropy_itself),
    Mistake("two kinds of logarithm", "You took log2 and undid it with exp. Use the natural logarithm for both.", _two_logarithms),
    Mistake(
        "a minus is missing", "p log p is negative; the entropy has a minus in front, so that its exponential is at least 1.", _lost_minus
    ),
    Mistake("the shares don't add up to one", "Divide by the sum of the singular values, not by the largest.", _shares_of_the_largest),
    Mistake(
        "a dead direction spoils the sum",
        "A share of 0 gives 0 times log 0, which is nan. Add the 1e-7 of the definition to each share, after the division.",
        _without_the_constant,
    ),
    Mistake("a mean where the entropy has a sum", "The entropy adds up p log p over the directions.", _mean_for_sum),
)


def _no_limit(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    """Near q = 1 the formula is a power of infinity."""
    share = eigenvalues / eigenvalues.sum()
    return torch.ones(()) if q == 1 else share.pow(q).sum().pow(1 / (1 - q))


def _wrong_sign(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    share = eigenvalues / eigenvalues.sum()
    return (share * share.log()).sum().exp() if q == 1 else share.pow(q).sum().pow(1 / (q - 1))


def _no_outer_power(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    share = eigenvalues / eigenvalues.sum()
    return _entropy(share).exp() if q == 1 else 1 / share.pow(q).sum()


def _renyi(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    share = eigenvalues / eigenvalues.sum()
    return _entropy(share) if q == 1 else share.pow(q).sum().log() / (1 - q)


def _no_shares(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    return _entropy(eigenvalues).exp() if q == 1 else eigenvalues.pow(q).sum().pow(1 / (1 - q))


def _of_the_roots(eigenvalues: Tensor, q: float = 2.0) -> Tensor:
    share = eigenvalues.sqrt() / eigenvalues.sqrt().sum()
    return _entropy(share).exp() if q == 1 else share.pow(q).sum().pow(1 / (1 - q))


HILL_NUMBER = (
    Mistake(
        "q = 1 is missing", "There the formula is 1 to the power infinity. Its limit is exp(-sum of p log p); treat q = 1 apart.", _no_limit
    ),
    Mistake("the outer exponent has the wrong sign", "It is 1/(1 - q): with D equal shares the result has to be D, not 1/D.", _wrong_sign),
    Mistake(
        "the outer exponent is missing", "1 / sum(p^q) is right for q = 2 only; for other orders take the power 1/(1 - q).", _no_outer_power
    ),
    Mistake(
        "that is the Rényi entropy", "You stopped at the logarithm. The Hill number is its exponential, a number of directions.", _renyi
    ),
    Mistake("the eigenvalues are not shares", "Divide by their sum first: the number must not change when all of them double.", _no_shares),
    Mistake(
        "square roots of the eigenvalues",
        "RankMe works on roots; the Hill numbers of this notebook share out the eigenvalues.",
        _of_the_roots,
    ),
)
