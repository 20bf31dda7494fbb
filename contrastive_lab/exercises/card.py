"""An exercise as text for a notebook: a card with the statement and folded hints, and the folded solution."""

from __future__ import annotations

from contrastive_lab.exercises.exercise import Exercise

LEVELS = {1: "●○○ warm-up", 2: "●●○ takes thought", 3: "●●● hard"}


def card(exercise: Exercise) -> str:
    """Markdown: title, difficulty, minutes, statement, three hints and the solution, each folded."""
    head = f"### Exercise: {exercise.title}\n\n"
    head += f"**{LEVELS[exercise.difficulty]}** · about {exercise.minutes} minutes\n\n{exercise.statement.strip()}"
    hints = [folded(f"Hint {level}", hint) for level, hint in enumerate(exercise.hints, start=1)]
    return "\n\n".join([head, *hints, folded("Solution", f"```python\n{exercise.solution_source}\n```")])


def folded(title: str, text: str) -> str:
    """Text behind a line that opens on a click; works in JupyterLab, Colab and on GitHub."""
    return f"<details><summary>{title}</summary>\n\n{text.strip()}\n\n</details>"
