"""What an instructor gets beyond the solutions: a plan for two and for three hours, the known mistakes, the answers unfolded.

All of it is computed from the notebook's own text and exercises, so that it can't fall behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from contrastive_lab.exercises import Exercise, get

WORDS_A_MINUTE, PICTURE, CELL, BREAK, SLOWER = 120, 6.0, 0.5, 10, 1.5
"""Minutes for an explorable and for a code cell that is run and read; a class of three hours has a break of ten minutes, and a class may
take half as long again as the sum for one reader, if there is time."""


@dataclass
class Section:
    """A part of a notebook between two second-level headings. `minutes` estimates what it takes a student, exercises included."""

    title: str
    minutes: float = 0.0
    exercises: list[Exercise] = field(default_factory=list)
    questions: int = 0


def sections(notebook: Any) -> list[Section]:
    """The sections of a notebook read from its percent script, with estimated minutes."""
    found = [Section("Start")]
    for cell in notebook.cells:
        heading = next((line[3:].strip() for line in cell.source.splitlines() if line.startswith("## ")), None)
        if heading is not None:
            found.append(Section(heading))
        here = found[-1]
        if "card" in cell.metadata:
            here.exercises.append(get(cell.metadata["card"]))
            here.minutes += here.exercises[-1].minutes
        elif cell.cell_type == "markdown":
            here.minutes += len(cell.source.split()) / WORDS_A_MINUTE
            here.questions += cell.source.count("<summary>")
        else:
            here.minutes += PICTURE if "explorables.show(" in cell.source else CELL
    return found


def plan(parts: list[Section], *, hours: int) -> list[tuple[int, int, str]]:
    """Start and length in minutes, and what happens; fills `hours`.

    Three hours have a break in the middle. Where everything doesn't fit, only the first exercise of a section is done in class; the others
    are homework: their checks let the notebook go on with the solution. What is left over goes to discussion.
    """
    room = 60 * hours - (BREAK if hours > 2 else 0)
    tight = sum(part.minutes for part in parts) > room
    wanted = [part.minutes - sum(e.minutes for e in part.exercises[1:]) * tight for part in parts]
    scale = min(SLOWER, room / max(sum(wanted), 1e-9))
    rows: list[tuple[int, int, str]] = []
    now, rest = 0, hours > 2
    for part, minutes in zip(parts, wanted, strict=True):
        length = max(1, math.floor(scale * minutes))
        if rest and now + length / 2 > room / 2:
            rows.append((now, BREAK, "Break"))
            now, rest = now + BREAK, False
        later = [e.title for e in part.exercises[1:]] if tight else []
        rows.append((now, length, part.title + (f" (homework: {', '.join(later)})" if later else "")))
        now += length
    if rest:
        rows.append((now, BREAK, "Break"))
        now += BREAK
    if (left := 60 * hours - now) > 0:
        rows.append((now, left, "Discussion of the predictions, explorables with everybody's guesses; or the next notebook"))
    return rows


def teach(notebook: Any, name: str) -> None:
    """Put a page for the teacher in front of a notebook read from its script, below its title."""
    import nbformat

    parts = sections(notebook)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(_page(parts, name)))  # type: ignore[no-untyped-call]


def _page(parts: list[Section], name: str) -> str:
    lines = ["## For the instructor", ""]
    lines += [
        "Minutes are estimates from the length of the text and the exercises' own figures; they were not taken in a classroom. "
        "Every exercise has a check that names the mistakes below, and `or_solution` lets a class go on together.",
        "",
    ]
    for hours in (2, 3):
        lines += [f"### A plan for {hours} hours", "", "| from | minutes | what |", "|---|---|---|"]
        lines += [f"| {start // 60}:{start % 60:02d} | {length} | {what} |" for start, length, what in plan(parts, hours=hours)]
        lines.append("")
    questions = sum(part.questions for part in parts)
    lines += [
        "### Discussion",
        "",
        f"The notebook folds {questions} answers; in this edition they are open, right below their questions.",
        "",
    ]
    lines += ["### Common mistakes", ""]
    for part in parts:
        for exercise in part.exercises:
            lines += [f"**{exercise.title}** (`{exercise.name}`, {exercise.minutes} minutes, difficulty {exercise.difficulty} of 3)", ""]
            lines += [f"* *{mistake.name}*: {mistake.hint}" for mistake in exercise.mistakes]
            lines.append("")
    lines.append(f"Source: notebooks/text/{name}.py")
    return "\n".join(lines)
