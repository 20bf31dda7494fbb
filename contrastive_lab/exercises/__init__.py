"""Exercises of the notebooks: each has a statement, a stub, three hints, known mistakes with their hints, a solution and a check."""

from contrastive_lab.exercises import (
    arbitrary_pairs,
    attraction,
    clusters,
    comparison,
    decoupling,
    dimensional_collapse,
    hard_negatives,
    modality_gap,
    object_locality,
    pixels,
    separation,
    start,
    two_forces,
)
from contrastive_lab.exercises.card import card, folded
from contrastive_lab.exercises.exercise import Case, Exercise, Mistake, NotYet

_NOTEBOOKS = (
    start,
    two_forces,
    decoupling,
    attraction,
    clusters,
    pixels,
    hard_negatives,
    separation,
    arbitrary_pairs,
    modality_gap,
    object_locality,
    dimensional_collapse,
    comparison,
)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for module in _NOTEBOOKS for exercise in module.ALL}
"""Every exercise by name; notebooks write `exercises.check("info_nce", info_nce)`."""


def get(name: str) -> Exercise:
    """The exercise called `name`; raises ValueError with the names there are."""
    if name not in EXERCISES:
        raise ValueError(f"name is {name!r}, but must be one of {', '.join(map(repr, EXERCISES))}")
    return EXERCISES[name]


def check(name: str, attempt: object) -> None:
    """Print that the attempt is right, or raise `NotYet` with the mistake that was recognised.

    `or_solution` puts the solution under the learner's name; whoever checks that without running their own cell again is told so.
    """
    exercise = get(name)
    if attempt is exercise.solution:
        raise NotYet(f"{name}: this is the lab's solution, with which the notebook went on. Run the cell with your own function first.")
    exercise.check(attempt)  # type: ignore[arg-type]


__all__ = ["EXERCISES", "Case", "Exercise", "Mistake", "NotYet", "card", "check", "folded", "get"]
