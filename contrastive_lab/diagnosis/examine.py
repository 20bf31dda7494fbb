"""All rules over one run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contrastive_lab.diagnosis import geometry, learning, rivals, special
from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.illness import Illness

RULES: tuple[Callable[[Course], Illness | None], ...] = (*learning.RULES, *rivals.RULES, *geometry.RULES, *special.RULES)


def examine(
    history: Sequence[Mapping[str, float | int]],
    settings: Mapping[str, Any],
    *,
    state: str = "finished",
    evaluation: Mapping[str, Any] | None = None,
) -> list[Illness]:
    """What is wrong with a run, most basic first; an empty list for a healthy one. `settings` as saved: `Settings` as a dictionary."""
    course = Course(history, settings, state, evaluation or {})
    return [found for rule in RULES if (found := rule(course)) is not None]


def examine_folder(folder: str | Path) -> list[Illness]:
    """The same for a run's folder; raises `ValueError` where it holds none."""
    home = Path(folder)
    if not (home / "settings.json").exists():
        raise ValueError(f"folder {str(home)!r} holds no run: settings.json is missing; give a folder that training wrote")
    lines = (home / "history.jsonl").read_text("utf-8").splitlines() if (home / "history.jsonl").exists() else []
    state, evaluation = (_read(home / name) for name in ("run.json", "evaluation.json"))
    return examine(
        [json.loads(line) for line in lines if line.strip()],
        _read(home / "settings.json"),
        state=state.get("state", "running"),
        evaluation=evaluation,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is broken ({error}); restore it, or delete {path.parent}") from error
