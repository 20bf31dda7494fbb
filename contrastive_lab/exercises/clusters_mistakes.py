"""What goes wrong in the exercises of notebook 05, as code that is wrong on purpose, with what a teacher says to it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from contrastive_lab.exercises.exercise import Mistake


def _sweeps(logs: Tensor, iterations: int, *, first: int = 0) -> Tensor:
    for _ in range(iterations):
        logs = logs - logs.logsumexp(dim=first, keepdim=True)
        logs = logs - logs.logsumexp(dim=1 - first, keepdim=True)
    return logs


def _no_epsilon(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return _sweeps(scores, iterations).exp()


def _times_epsilon(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return _sweeps(scores * epsilon, iterations).exp()


def _rows_first(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return _sweeps(scores / epsilon, iterations, first=1).exp()


def _softmax_only(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return (scores / epsilon).softmax(dim=1)


def _columns_only(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return (scores / epsilon).softmax(dim=0)


def _one_sweep(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return _sweeps(scores / epsilon, 1).exp()


def _hard(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return F.one_hot(_sweeps(scores / epsilon, iterations).argmax(dim=1), scores.shape[1]).float()


def _logs(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return _sweeps(scores / epsilon, iterations)


def _total_one(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    return _sweeps(scores / epsilon, iterations).exp() / len(scores)


def _half_sweeps(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    logs = scores / epsilon
    for step in range(iterations):
        logs = logs - logs.logsumexp(dim=step % 2, keepdim=True)
    return logs.exp()


def _softmax_again(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    codes = scores / epsilon
    for _ in range(iterations):
        codes = codes.softmax(dim=0).softmax(dim=1)
    return codes


def _both_at_once(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    logs = scores / epsilon
    for _ in range(iterations):
        logs = logs - logs.logsumexp(dim=0, keepdim=True) - logs.logsumexp(dim=1, keepdim=True)
    return logs.exp()


def _overflows(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    codes = (scores / epsilon).exp()
    for _ in range(iterations):
        codes = codes / codes.sum(dim=0, keepdim=True)
        codes = codes / codes.sum(dim=1, keepdim=True)
    return codes


SINKHORN = (
    Mistake("epsilon is not used", "Divide the scores by epsilon before the first sweep: it decides how sharp the codes are.", _no_epsilon),
    Mistake("you multiplied by epsilon", "A small epsilon must make the codes sharper: divide by it.", _times_epsilon),
    Mistake(
        "the images are scaled first",
        "In each sweep the prototypes (dim=0) come first and the images (dim=1) last, so that each image's code sums to exactly 1.",
        _rows_first,
    ),
    Mistake(
        "that is a softmax of each image",
        "Nothing balances the prototypes: with a favourite, all images choose it. Scale the columns too, once in each sweep.",
        _softmax_only,
    ),
    Mistake(
        "only the prototypes are scaled", "Each image's masses must add up to 1 as well: scale the rows (dim=1) after them.", _columns_only
    ),
    Mistake("you did a single sweep", "Both steps are repeated `iterations` times: put them inside the loop.", _one_sweep),
    Mistake("the codes are hard", "Return the masses themselves, without an argmax: SwAV's codes are soft.", _hard),
    Mistake("you returned the logarithms", "Take .exp() at the end: codes are masses between 0 and 1.", _logs),
    Mistake(
        "all codes together sum to 1",
        "In the paper's matrix they do; here each image's row sums to 1, so multiply by B (or don't divide).",
        _total_one,
    ),
    Mistake(
        "each sweep is only half of one",
        "One sweep scales the prototypes and then the images: both lines stand in the loop, one after the other.",
        _half_sweeps,
    ),
    Mistake(
        "that is a softmax of a softmax",
        "Within the sweeps stay with logarithms, logs - logs.logsumexp(...) or log_softmax, and take .exp() once, at the end.",
        _softmax_again,
    ),
    Mistake(
        "columns and rows are scaled at the same time",
        "One after the other: the sums of the rows must be taken after the columns were scaled.",
        _both_at_once,
    ),
    Mistake(
        "your exponentials don't fit into float32",
        "At epsilon 0.005 the largest is exp(200), and with the maximum subtracted whole rows or columns become 0. Subtract logsumexp "
        "from the logarithms instead of dividing.",
        _overflows,
    ),
)


def _logp(scores: Tensor, temperature: float) -> Tensor:
    return F.log_softmax(scores / temperature, dim=1)


def _cross(codes: Tensor, logp: Tensor) -> Tensor:
    return -(codes * logp).sum(dim=1).mean()


def _own_codes(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return (_cross(codes1, _logp(scores1, temperature)) + _cross(codes2, _logp(scores2, temperature))) / 2


def _no_temperature(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return (_cross(codes1, _logp(scores2, 1.0)) + _cross(codes2, _logp(scores1, 1.0))) / 2


def _both_added(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return _cross(codes1, _logp(scores2, temperature)) + _cross(codes2, _logp(scores1, temperature))


def _one_direction(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return _cross(codes2, _logp(scores1, temperature))


def _times_temperature(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return (_cross(codes1, _logp(scores2, 1 / temperature)) + _cross(codes2, _logp(scores1, 1 / temperature))) / 2


def _no_logarithm(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return (_cross(codes1, _logp(scores2, temperature).exp()) + _cross(codes2, _logp(scores1, temperature).exp())) / 2


def _hard_codes(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return (F.cross_entropy(scores2 / temperature, codes1.argmax(dim=1)) + F.cross_entropy(scores1 / temperature, codes2.argmax(dim=1))) / 2


def _mean_of_entries(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return -((codes1 * _logp(scores2, temperature)).mean() + (codes2 * _logp(scores1, temperature)).mean()) / 2


def _sum_of_images(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    return len(scores1) * (_cross(codes1, _logp(scores2, temperature)) + _cross(codes2, _logp(scores1, temperature))) / 2


def _double_softmax(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    first, second = (F.log_softmax(_logp(scores, temperature).exp(), dim=1) for scores in (scores1, scores2))
    return (_cross(codes1, second) + _cross(codes2, first)) / 2


def _over_images(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    first, second = (F.log_softmax(scores / temperature, dim=0) for scores in (scores1, scores2))
    return (_cross(codes1, second) + _cross(codes2, first)) / 2


def _divergence(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    entropy = torch.special.entr(codes1).sum(dim=1).mean() + torch.special.entr(codes2).sum(dim=1).mean()
    return _both_added(scores1, scores2, codes1, codes2, temperature) / 2 - entropy / 2


def _reversed(scores1: Tensor, scores2: Tensor, codes1: Tensor, codes2: Tensor, temperature: float = 0.1) -> Tensor:
    first, second = (_logp(scores, temperature).exp() for scores in (scores1, scores2))
    return (_cross(second, codes1.clamp_min(1e-12).log()) + _cross(first, codes2.clamp_min(1e-12).log())) / 2


SWAPPED_PREDICTION = (
    Mistake(
        "each view predicts its own code",
        "That is easy and teaches nothing: the code of view 1 belongs with the prediction of view 2.",
        _own_codes,
    ),
    Mistake("you forgot the temperature", "Divide the scores by temperature before the softmax.", _no_temperature),
    Mistake("you multiplied by the temperature", "A small temperature must make the prediction sharper: divide by it.", _times_temperature),
    Mistake("the logarithm is missing", "The code weighs log p: F.log_softmax, not F.softmax.", _no_logarithm),
    Mistake(
        "the codes became hard labels",
        "Take the codes as they are: they spread each image over several prototypes, and argmax throws that away.",
        _hard_codes,
    ),
    Mistake("your value is exactly twice the loss", "You added both directions; the formula has 2B below the line.", _both_added),
    Mistake("only one direction is there", "Add the cross-entropy of codes1 with the prediction of view 2, and halve.", _one_direction),
    Mistake(
        "you averaged over prototypes too",
        "Sum over the K prototypes (dim=1), then the mean over images. The paper's listing does the same as you: 1/K of the loss.",
        _mean_of_entries,
    ),
    Mistake("you added up the images", "The loss is a mean over the B images.", _sum_of_images),
    Mistake("that is a softmax of a softmax", "log_softmax wants the scores, not probabilities.", _double_softmax),
    Mistake("the softmax runs over the images", "An image chooses among prototypes: dim=1.", _over_images),
    Mistake(
        "that is the KL divergence",
        "You subtracted the entropy of the codes. Its gradient is the same, but ln K is then no longer the level of collapse.",
        _divergence,
    ),
    Mistake("code and prediction are exchanged", "The code weighs, the prediction is inside the logarithm: -q log p.", _reversed),
)
