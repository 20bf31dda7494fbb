"""Student, solution and instructor editions come from one text and hold what each of them should."""

import json
from pathlib import Path

import pytest

from contrastive_lab.exercises import EXERCISES
from contrastive_lab.lab import build, teaching

TEXT = Path(__file__).parents[2] / "notebooks" / "text"
SOURCES = build.sources(TEXT)


def cells(source, edition):
    return json.loads(build.build(source, edition=edition))["cells"]


def code(source, edition):
    return ["".join(cell["source"]) for cell in cells(source, edition) if cell["cell_type"] == "code"]


def asked(source):
    return [e for e in EXERCISES.values() if f'exercise="{e.name}"' in source.read_text("utf-8")]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_students_start_from_stubs_and_solutions_are_complete(source):
    for exercise in asked(source):
        assert exercise.stub in code(source, "student")
        assert exercise.solution_source not in code(source, "student")
        assert exercise.solution_source in code(source, "solution")
        assert exercise.solution_source in code(source, "instructor")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_instructor_gets_plans_mistakes_and_open_answers(source):
    texts = ["".join(cell["source"]) for cell in cells(source, "instructor") if cell["cell_type"] == "markdown"]
    front = texts[1]
    assert "A plan for 2 hours" in front
    assert "A plan for 3 hours" in front
    for exercise in asked(source):
        assert all(mistake.name in front and mistake.hint in front for mistake in exercise.mistakes)
    assert not any("<details>" in text for text in texts)


@pytest.mark.parametrize("hours", [2, 3])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_plans_fit_their_hours_without_gaps(source, hours):
    import jupytext

    parts = teaching.sections(jupytext.read(source, fmt="py:percent"))
    rows = teaching.plan(parts, hours=hours)
    now = 0
    for start, length, _ in rows:
        assert start == now
        assert length >= 1
        now += length
    assert 60 * hours <= now <= 60 * hours + len(rows)
    assert sum(title == "Break" for _, _, title in rows) == (1 if hours == 3 else 0)
    homework = any("homework" in title for _, _, title in rows)
    assert homework <= (sum(part.minutes for part in parts) > 60 * hours - 10)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_solutions_find_the_modules_they_use(source):
    before = ""
    for text in code(source, "solution"):
        answered = next((e for e in asked(source) if text.startswith(f"def {e.name}(")), None)
        if answered is not None:
            used = {name for name in ("math", "torch", "F", "Tensor") if name in answered.solution.__code__.co_names}
            assert used <= {name for name in used if f"import {name}" in before or f" as {name}" in before}, answered.name
        before += text
