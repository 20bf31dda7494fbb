"""Every method on the embedded world within minutes: progress, a table, a report. Also as `contrastive-lab demo`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Budget:
    """How much the demo does: training images, epochs and network width."""

    count: int
    epochs: int
    width: int
    batch_size: int


BUDGETS = {"laptop": Budget(2000, 8, 16, 128), "smoke": Budget(96, 1, 8, 32)}
SCENES: Mapping[str, Any] = {"two": 0.0, "label": "colour"}
"""One object in each scene, and its colour as the class: well defined, and learnt within the demo's few epochs (shape needs far more)."""

SMALL_HEADS: Mapping[str, Mapping[str, int]] = {name: {"hidden_dim": 128, "out_dim": 64} for name in ("pixpro", "pixcontrast")}
"""The dense methods project every cell of their maps; with heads of the usual size they would take half of the demo."""


def run_demo(profile: str = "laptop", *, folder: str | Path = "demo", only: Sequence[str] = (), seed: int = 0) -> dict[str, str]:
    """Train, measure, print, report; returns what failed, by method. Finished methods of an earlier try are not trained again."""
    from contrastive_lab.cli.app import explain, known
    from contrastive_lab.cli.explore import own_pages
    from contrastive_lab.cli.tables import console, headline_table
    from contrastive_lab.methods import METHODS
    from contrastive_lab.report import load_records, summarise, write_report

    budget = BUDGETS[known("profile", profile, BUDGETS)]
    names = [known("method", name, METHODS) for name in only] or list(METHODS)
    home = Path(folder) / f"{profile}-{seed}"
    screen, start = console(), time.perf_counter()
    screen.print(f"{len(names)} methods and an untrained network, {budget.epochs} epochs of {budget.count:,} images each, in {home}")
    finished, failures = [], {}
    for number, name in enumerate(("untrained", *names)):
        screen.print(f"[dim]{number}/{len(names)}[/] [bold]{name}[/]")
        try:
            _one(name, home / name, budget, seed)
            finished.append(home / name)
        except (ValueError, TypeError, RuntimeError, NotImplementedError, MemoryError) as error:
            failures[name] = explain(error)
            screen.print(f"  [red]failed[/]: {type(error).__name__}; the others go on")
    if finished:
        screen.print(headline_table(summarise(load_records(finished)), title=f"\nAfter {time.perf_counter() - start:.0f} seconds\n"))
        page = write_report(finished, Path(folder) / "report.html", pages=own_pages(finished))
        screen.print(f"\nThe report: {page}\nOpen it in a browser: {page.as_uri()}", soft_wrap=True)
    return failures


def _one(name: str, folder: Path, budget: Budget, seed: int) -> None:
    from contrastive_lab.cli.trial import EVALUATION, evaluate_run, run_trial
    from contrastive_lab.methods import METHODS
    from contrastive_lab.training import Settings

    if (folder / EVALUATION).exists() and json.loads((folder / "run.json").read_text("utf-8")).get("state") == "finished":
        return
    method = "simclr" if name == "untrained" else name
    data = "digits" if "groups" in METHODS[method].needs else "scenes"
    epochs = 0 if name == "untrained" else budget.epochs
    # Methods whose recipe wants small batches need the many steps that come with them: these runs are short.
    batch = min(budget.batch_size, METHODS[method].recipe("scenes").batch_size)
    changes: dict[str, Any] = {"epochs": epochs, "batch_size": batch, "width": budget.width, "seed": seed, "device": "cpu"}
    changes["options"] = SMALL_HEADS.get(method, {})
    settings = Settings.recommended(method, data, **changes)
    sets = _sets(data, method, budget.count)
    run = run_trial(settings, sets, folder)
    if run.state == "interrupted":
        raise KeyboardInterrupt
    evaluate_run(run, sets)


def _sets(data: str, method: str, count: int) -> Any:
    from contrastive_lab.cli.trial import load_sets

    return load_sets(data, method, count=count, **(SCENES if data == "scenes" else {}))


if __name__ == "__main__":
    from contrastive_lab.cli.app import app

    app(["demo"])
