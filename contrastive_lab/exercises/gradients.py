"""What is wrong with an attempt whose values are right: where its gradients go, whether they are numbers; and a derivative by autograd."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from contrastive_lab.exercises.exercise import Answer, Case, Exercise

SAME = 1e-2  # gradients that differ by less than this share of the right one's length do so by rounding

_BY_AUTOGRAD = (
    "here autograd takes the derivative, which is excluded: the exercise is to derive the formula. "
    "Write it with softmax, products and sums; the notebook compares it with autograd afterwards."
)
_IN_PLACE = (
    "the value is right, but backward() fails: something that it needs was changed in place "
    "(by a name that ends in _, or by x[...] = ...); make a new tensor instead."
)
_CONSTANT = "the value is right, but a gradient passes through your answer to {}, and none may (a constant of the loss): add .detach()."
DRAWN = ("alpha", "beta")
"""Inputs that are drawn at random: no network is behind them, so a gradient to them is lost anyway."""


def gradient_complaint(exercise: Exercise, attempt: Answer, cases: Sequence[Case]) -> str | None:
    """What the exercise asks of gradients and the attempt doesn't keep, or None."""
    names = list(inspect.signature(exercise.solution).parameters)
    if exercise.gradient == "constant":
        got = _gradients(attempt, cases[0])
        if isinstance(got, str):
            return got
        through = [name for name, one in zip(names, got, strict=False) if name not in DRAWN and one.any()]
        return _CONSTANT.format(_listed(through)) if through else None
    if exercise.gradient != "same":
        return None
    for case in cases:
        wanted, mine = _gradients(exercise.solution, case), _gradients(attempt, case)
        assert not isinstance(wanted, str), wanted
        if isinstance(mine, str):
            return mine
        complaint = (case is cases[0] and _elsewhere(names, wanted, mine)) or _not_a_number(names, wanted, mine, case)
        if complaint:
            return f"the value is right, but {complaint}"
    return None


def _gradients(answer: Answer, case: Case) -> list[Tensor] | str:
    """The gradient of the answer's sum by each input (zeros where none arrives), or a complaint where there is no way to get it."""
    leaves = [tensor.clone().requires_grad_(tensor.is_floating_point()) for tensor in case.tensors]
    try:
        result = answer(*leaves, **case.settings)
    except Exception as error:  # such as numpy, which takes no tensor that asks for a gradient
        return (
            "the value is right, but with inputs that ask for a gradient, as in training, your code stops with "
            f"{type(error).__name__}: {error}."
        )
    if isinstance(result, Tensor) and result.requires_grad:
        try:
            torch.autograd.backward(result.double().sum())
        except RuntimeError:
            return _IN_PLACE
    return [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]


def _elsewhere(names: list[str], wanted: list[Tensor], mine: list[Tensor]) -> str | None:
    """Inputs that get no gradient, or one where none belongs, or another than the definition gives."""
    rows = list(zip(names, wanted, mine, strict=False))
    missing = [name for name, a, b in rows if a.any() and not b.any()]
    if missing:
        return f"no gradient reaches {_listed(missing)}; keep to tensors (no .item(), float() or detach())."
    extra = [name for name, a, b in rows if b.any() and not a.any()]
    if extra:
        remedy = _listed([f"{name}.detach()" for name in extra])
        return f"a gradient reaches {_listed(extra)}, and none may (a constant of this loss): write {remedy}."
    other = [name for name, a, b in rows if b.isfinite().all() and (a.double() - b.double()).norm() > SAME * a.double().norm()]
    if other:
        return (
            f"the gradient that reaches {_listed(other)} is not the derivative of that value: "
            "a part that depends on it was made a constant, or was overwritten unnoticed "
            "(detach(), no_grad(), .data, .item(), torch.tensor(...))."
        )
    return None


def _not_a_number(names: list[str], wanted: list[Tensor], mine: list[Tensor], case: Case) -> str | None:
    broken = [name for name, a, b in zip(names, wanted, mine, strict=False) if a.isfinite().all() and not b.isfinite().all()]
    if not broken:
        return None
    return (
        f"the gradient that reaches {_listed(broken)} is nan or infinite for {case.title}. The root of 0, log 0 and 0 / 0 spoil a gradient "
        "even where torch.where, a mask or nan_to_num hides them: keep the forbidden number out before (clamp_min, squares without a root)."
    )


def _listed(names: list[str]) -> str:
    return " and ".join(names)


class _Watch(TorchFunctionMode):
    """Notices whether autograd is asked for a derivative, backward or forward."""

    asked = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.asked = self.asked or getattr(func, "__name__", "") in ("grad", "backward", "_make_dual")
        return func(*args, **(kwargs or {}))


def autograd_complaint(exercise: Exercise, attempt: Answer, case: Case) -> str | None:
    """A derivative that was to be found on paper and is left to autograd; asked first, since only then do its own errors make sense."""
    if exercise.gradient != "on paper":
        return None
    with _Watch() as watch, suppress(Exception):  # the learner's own code; what it raises is told elsewhere
        case.ask(attempt)
    return _BY_AUTOGRAD if watch.asked else None
