"""What is wrong with an attempt, in words: first what kind of thing it returned, then which known mistake its numbers are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from contrastive_lab.exercises.exercise import Answer, Case, Exercise, Mistake


def diagnose(exercise: Exercise, attempt: Answer) -> str | None:
    """The complaint about an attempt, or None if it is right."""
    if not callable(attempt):
        return f"{exercise.name}: give the function itself, check({exercise.name}), not what it returned ({type(attempt).__name__})."
    cases = exercise.cases()
    results = []
    for case in cases:
        result, complaint = _ask(exercise, attempt, case)
        if complaint:
            return complaint
        results.append(result)
    truths = [_number(case.ask(exercise.solution)) for case in cases]
    if all(_close(a, b, exercise.tolerance) for a, b in zip(results, truths, strict=True)):
        return _gradient_complaint(exercise, attempt, cases[0])
    return _name_mistake(exercise, cases, results, truths)


def _ask(exercise: Exercise, attempt: Answer, case: Case) -> tuple[float, str | None]:
    """The attempt's number in one case, or a complaint about what came instead."""
    before = [tensor.clone() for tensor in case.tensors]
    given = [tensor.clone() for tensor in case.tensors]
    try:
        result = attempt(*given, **case.settings)
    except Exception as error:  # the learner's own code: whatever it raises is news for them, not for us
        return math.nan, f"{exercise.name}: your code stopped with {type(error).__name__}: {error} ({case.title})."
    if result is None or result is ...:
        return math.nan, f"{exercise.name}: still the stub, it returns nothing. Write the body, or open hint 1."
    if any(not torch.equal(a, b) for a, b in zip(before, given, strict=True)):
        return math.nan, f"{exercise.name}: your code changes its input in place; work on new tensors instead (x = x / 2, not x /= 2)."
    if isinstance(result, Tensor) and result.numel() != 1:
        return (
            math.nan,
            f"{exercise.name}: returns shape {tuple(result.shape)}; the answer is one number: which axes still need a mean or a sum?",
        )
    if not isinstance(result, Tensor | float | int):
        return math.nan, f"{exercise.name}: returns {type(result).__name__}, but the answer is one number in a tensor."
    return _number(result), None


def _name_mistake(exercise: Exercise, cases: Sequence[Case], results: list[float], truths: list[float]) -> str:
    for mistake in exercise.mistakes:
        if _is_mistake(exercise, mistake, cases, results, truths):
            return f"{exercise.name}: {mistake.name}. {mistake.hint}"
    return f"{exercise.name}: not right yet, and not a mistake this check knows. {_clue(cases, results, truths, exercise.tolerance)}"


def _is_mistake(exercise: Exercise, mistake: Mistake, cases: Sequence[Case], results: list[float], truths: list[float]) -> bool:
    """Whether the mistake gives the attempt's number in every case, and is wrong in one at least."""
    wrong = [_number(case.ask(mistake.answer)) for case in cases]
    same = all(_close(a, b, exercise.tolerance) for a, b in zip(results, wrong, strict=True))
    return same and not all(_close(a, b, exercise.tolerance) for a, b in zip(wrong, truths, strict=True))


def _clue(cases: Sequence[Case], results: list[float], truths: list[float], tolerance: float) -> str:
    rows = list(zip(cases, results, truths, strict=True))
    case, mine, truth = next((c, a, b) for c, a, b in rows if not _close(a, b, tolerance))
    if not math.isfinite(mine) and any(math.isfinite(a) for _, a, _ in rows):
        return f"Your value is {mine} for {case.title}: a number overflowed or a logarithm saw 0. logsumexp avoids both."
    ratios = [a / b for _, a, b in rows if abs(b) > 1e-6]
    if ratios and all(_close(r, ratios[0], 1e-3) for r in ratios) and math.isfinite(ratios[0]):
        return f"Your value is {ratios[0]:.3g} times the right one in every case: a factor is missing or too many."
    gaps = [a - b for _, a, b in rows]
    if all(_close(g, gaps[0], 1e-3) for g in gaps):
        return f"Your value is off by {gaps[0]:+.4f} in every case: a constant is missing or too many."
    return f"For {case.title} your value is {mine:.4f}, the right one {truth:.4f}."


def _gradient_complaint(exercise: Exercise, attempt: Answer, case: Case) -> str | None:
    """A loss with the right value can still be useless: nothing to learn from without a gradient."""
    leaves = [tensor.clone().requires_grad_() for tensor in case.tensors]
    result = attempt(*leaves, **case.settings)
    if isinstance(result, Tensor) and result.requires_grad:
        return None
    return f"{exercise.name}: the value is right, but no gradient reaches the input; keep to tensors (no .item(), float() or detach())."


def _number(result: Any) -> float:
    return float(result.detach()) if isinstance(result, Tensor) else float(result)


def _close(a: float, b: float, tolerance: float) -> bool:
    if not (math.isfinite(a) and math.isfinite(b)):
        return (math.isnan(a) and math.isnan(b)) or a == b
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
