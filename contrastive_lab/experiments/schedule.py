"""Many trials within a time limit: results are kept one by one, and the next call goes on where this one stopped."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from contrastive_lab.experiments.environment import environment

Results = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Trial:
    """A named call: `work(**arguments)` must be importable and return numbers. The name is its key in the results."""

    name: str
    work: Callable[..., Mapping[str, Any]]
    arguments: Mapping[str, Any] = field(default_factory=dict)


def run_trials(trials: Sequence[Trial], path: str | Path, *, minutes: float = math.inf, jobs: int = 1, gpus: int = 0) -> Results:
    """Run the trials that `path` (JSON) does not hold yet, `jobs` at a time, each in a process of its own, and add what they return.

    After `minutes` no trial is started any more; those under way are finished. A trial that raises is recorded with its error and
    tried again by the next call. Every row gets `seconds` of the whole trial and the environment it ran in. With `gpus` the jobs are
    spread over so many GPUs, each seeing one; several jobs share a GPU where there are more of them.
    """
    for name, value, least in (("jobs", jobs, 1), ("gpus", gpus, 0)):
        if value < least:
            raise ValueError(f"{name} is {value}, but must be at least {least}")
    target = Path(path)
    results = read_results(target)
    open_trials = [trial for trial in trials if "error" in results.get(trial.name, {"error": "missing"})]
    end = time.monotonic() + 60 * minutes
    context = multiprocessing.get_context("spawn")
    # A fresh process for each trial: memory peaks belong to one trial, and none inherits another's state.
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool, tqdm(total=len(open_trials), unit="trial") as bar:
        running: dict[Future[dict[str, Any]], tuple[Trial, int]] = {}
        places = list(range(jobs))
        while open_trials or running:
            while open_trials and len(running) < jobs and time.monotonic() < end:
                trial, place = open_trials.pop(0), places.pop(0)
                running[pool.submit(_attempt, trial, place % gpus if gpus else None)] = trial, place
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                trial, place = running.pop(future)
                places.append(place)
                results[trial.name] = future.result()
                write_results(target, results)
                bar.set_postfix_str(trial.name)
                bar.update()
    return results


def read_results(path: str | Path) -> Results:
    """What a results file holds; nothing if there is none."""
    return json.loads(Path(path).read_text("utf-8")) if Path(path).exists() else {}


def write_results(path: str | Path, results: Mapping[str, Any]) -> None:
    """Replace a results file as a whole, so that a stop at any moment leaves the old one or the new one."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")
    os.replace(unfinished, target)


def _attempt(trial: Trial, gpu: int | None) -> dict[str, Any]:
    if gpu is not None:  # read by CUDA when it starts, which in this fresh process it has not yet
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)
    start = time.perf_counter()
    try:
        row = dict(trial.work(**trial.arguments))
    except Exception as error:  # one failing trial must not lose the others
        row = {"error": f"{type(error).__name__}: {error}"}
    return {**row, "seconds": round(time.perf_counter() - start, 2), "environment": environment()}
