"""What is wrong with an attempt, in words: first what kind of thing it returned, then which known mistake its numbers are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from contrastive_lab.exercises.gradients import autograd_complaint, gradient_complaint

if TYPE_CHECKING:
    from contrastive_lab.exercises.exercise import Answer, Case, Exercise, Mistake


Numbers = list[float] | None
"""The entries of an answer; None where the code stopped instead of answering."""


def diagnose(exercise: Exercise, attempt: Answer) -> str | None:
    """The complaint about an attempt, or None if it is right."""
    if not callable(attempt):
        return f"{exercise.name}: give the function itself, check({exercise.name}), not what it returned ({type(attempt).__name__})."
    cases = exercise.cases()
    complaint = autograd_complaint(exercise, attempt, cases[0])
    if complaint:
        return f"{exercise.name}: {complaint}"
    truths = [case.ask(exercise.solution) for case in cases]
    results: list[Numbers] = []
    stops = []
    for case, truth in zip(cases, truths, strict=True):
        try:
            result, complaint = _ask(exercise, attempt, case, truth)
        except _Stopped as stop:
            stops.append(str(stop))
            results.append(None)
            continue
        if complaint:
            return stops[0] if stops else complaint
        results.append(numbers(result))
    wanted: list[Numbers] = [numbers(truth) for truth in truths]
    if all(_all_close(a, b, exercise.tolerance) for a, b in zip(results, wanted, strict=True)):
        complaint = gradient_complaint(exercise, attempt, cases)
        return f"{exercise.name}: {complaint}" if complaint else None
    known = _known_mistake(exercise, cases, results, wanted)
    if known:
        return f"{exercise.name}: {known.name}. {known.hint}"
    if stops:
        return stops[0]
    clue = _deaf(exercise, attempt, cases[0]) or _clue(cases, results, wanted, exercise.tolerance)
    return f"{exercise.name}: not right yet, and not a mistake this check knows. {clue}"


def numbers(result: Any) -> list[float]:
    """Every entry of an answer, row by row; True counts as 1."""
    flat: list[float] = torch.as_tensor(result).detach().double().flatten().tolist()
    return flat


def numbers_or_none(case: Case, mistake: Mistake) -> Numbers:
    """The mistake's numbers; None in a case that it can't answer, as where it wants pairs and there are none."""
    try:
        return numbers(case.ask(mistake.answer))
    except RuntimeError:
        return None


class _Stopped(Exception):
    """The attempt raised; the message says what, and in which case."""


def _ask(exercise: Exercise, attempt: Answer, case: Case, truth: Any) -> tuple[Any, str | None]:
    """The attempt's answer in one case, or a complaint about what came instead."""
    before = [tensor.clone() for tensor in case.tensors]
    given = [tensor.clone() for tensor in case.tensors]
    try:
        result = attempt(*given, **case.settings)
    except NotImplementedError:  # what a stub of nbgrader raises
        result = None
    except Exception as error:  # the learner's own code: whatever it raises is news for them, not for us
        raise _Stopped(f"{exercise.name}: your code stopped with {type(error).__name__}: {error} ({case.title}).") from error
    if result is None or result is ...:
        return None, f"{exercise.name}: still the stub, it returns nothing. Write the body, or open hint 1."
    if any(not torch.equal(a, b) for a, b in zip(before, given, strict=True)):
        return None, f"{exercise.name}: your code changes its input in place; work on new tensors instead (x = x / 2, not x /= 2)."
    complaint = _wrong_kind(result, truth)
    return result, f"{exercise.name}: {complaint}" if complaint else None


def _wrong_kind(result: Any, truth: Any) -> str | None:
    """One number where one number is asked, otherwise a tensor of the right shape."""
    single = not isinstance(truth, Tensor) or truth.numel() == 1
    if isinstance(result, Tensor) and single and result.numel() != 1:
        return f"returns shape {tuple(result.shape)}; the answer is one number: which axes still need a mean or a sum?"
    if isinstance(result, Tensor):
        wrong = not single and result.shape != truth.shape
        return f"returns shape {tuple(result.shape)}; the answer has shape {tuple(truth.shape)}." if wrong else None
    if single and isinstance(result, Real):  # numpy's numbers too
        return None
    kind = "one number in a tensor" if single else f"a tensor of shape {tuple(truth.shape)}"
    return f"returns {type(result).__name__}, but the answer is {kind}."


def _known_mistake(exercise: Exercise, cases: Sequence[Case], results: list[Numbers], truths: list[Numbers]) -> Mistake | None:
    return next((mistake for mistake in exercise.mistakes if _is_mistake(exercise, mistake, cases, results, truths)), None)


def _is_mistake(exercise: Exercise, mistake: Mistake, cases: Sequence[Case], results: list[Numbers], truths: list[Numbers]) -> bool:
    """Whether the mistake gives the attempt's numbers, or stops as it does, in every case, and is wrong in one at least."""
    wrong = [numbers_or_none(case, mistake) for case in cases]
    same = all(_all_close(a, b, exercise.tolerance) for a, b in zip(results, wrong, strict=True))
    return same and not all(_all_close(a, b, exercise.tolerance) for a, b in zip(wrong, truths, strict=True))


def _deaf(exercise: Exercise, attempt: Answer, case: Case) -> str | None:
    """A clue where a setting makes no difference, as with a number, or a variable of the notebook, in its place."""
    for name, value in case.settings.items():
        if not isinstance(value, float):
            continue
        other = replace(case, settings={**case.settings, name: 0.8 * value})
        try:
            mine = [numbers(each.ask(attempt)) for each in (case, other)]
        except Exception:  # the learner's own code; what it raises elsewhere says nothing about this case
            continue
        truth = [numbers(each.ask(exercise.solution)) for each in (case, other)]
        if all(map(math.isfinite, mine[0])) and mine[0] == mine[1] and truth[0] != truth[1]:
            return f"Your value does not change with `{name}`: does a number, or another variable, stand in its place?"
    return None


def _clue(cases: Sequence[Case], results: list[Numbers], truths: list[Numbers], tolerance: float) -> str:
    rows = [(case, mine, truth) for case, mine, truth in zip(cases, results, truths, strict=True) if mine is not None and truth is not None]
    case, mine, truth = next((c, a, b) for c, a, b in rows if not _all_close(a, b, tolerance))
    pairs = [pair for _, a, b in rows for pair in zip(a, b, strict=True)]
    place, value, right = next((k, a, b) for k, (a, b) in enumerate(zip(mine, truth, strict=True)) if not _close(a, b, tolerance))
    if not math.isfinite(value) and any(math.isfinite(a) for a, _ in pairs):
        why = "a number overflowed or a logarithm saw 0 (logsumexp avoids both), or 0 was divided by 0"
        return f"Your value is {value} for {case.title}: {why}."
    if not math.isfinite(value):
        return f"Your value is {value} in every case: look for the logarithm of 0 or less, a division by 0, or infinity times 0."
    if len(truth) > 1 and {*mine, *truth} <= {0.0, 1.0}:
        extra, missing = (sum(x > y for x, y in zip(*sides, strict=True)) for sides in ((mine, truth), (truth, mine)))
        return (
            f"For {case.title} your answer is True in {extra} places where it must be False, and False in {missing} where it must be True."
        )
    zeros = all(_close(a, b, tolerance) for a, b in pairs if abs(b) <= 1e-6)
    ratios = [a / b for a, b in pairs if abs(b) > 1e-6] if zeros else []
    if ratios and all(_close(r, -1.0, 1e-3) for r in ratios):
        return "Your value is minus the right one in every case: a sign is wrong."
    if ratios and all(_close(r, ratios[0], 1e-3) for r in ratios) and math.isfinite(ratios[0]):
        return f"Your value is {ratios[0]:.3g} times the right one in every case: a factor is missing or too many."
    gaps = [a - b for a, b in pairs]
    if all(_close(g, gaps[0], 1e-3) for g in gaps):
        return f"Your value is off by {gaps[0]:+.4f} in every case: a constant is missing or too many."
    where = "your value" if len(truth) == 1 else f"entry {place} of your answer (row by row, from 0)"
    return f"For {case.title} {where} is {value:.4f}, the right one {right:.4f}."


def _all_close(a: Numbers, b: Numbers, tolerance: float) -> bool:
    if a is None or b is None:
        return a is b
    return len(a) == len(b) and all(_close(x, y, tolerance) for x, y in zip(a, b, strict=True))


def _close(a: float, b: float, tolerance: float) -> bool:
    if not (math.isfinite(a) and math.isfinite(b)):
        return (math.isnan(a) and math.isnan(b)) or a == b
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
