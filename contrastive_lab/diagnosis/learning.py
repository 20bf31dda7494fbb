"""Illnesses of the training itself: NaN, a loss that stays at guessing, temperatures and learning rates that can't work."""

from __future__ import annotations

import math

from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.illness import Illness

RATES = {"adam": 0.03, "adamw": 0.03, "sgd": 3.0, "lars": 20.0}
"""Learning rates above which an optimiser seldom works."""


def diverged(course: Course) -> Illness | None:
    if course.state != "diverged":
        return None
    where = f"after step {course.steps}" if course.steps else "in the first epoch"
    known = course.temperature is not None
    heat, raised = (f", temperature {course.temperature:g}", ", raise a temperature below 0.05") if known else ("", "")
    return Illness(
        "diverged",
        f"The loss became NaN or infinite {where} (learning rate {course.settings.get('lr'):g}{heat}).",
        f"Lower the learning rate by 3, give warmup_epochs=1 and clip=1.0{raised}, or train in 32-true.",
    )


def guessing(course: Course) -> Illness | None:
    loss, level, logs = course.last("loss"), course.guess, course.last("loss below ln K")
    if course.method == "swav" or loss is None or level is None or not course.trained or abs(loss - level) > 0.02 * level:
        return None
    assert logs is None
    return Illness(
        "guessing",
        f"The loss stays at {loss:.2f}, the level of guessing among {math.exp(level):.0f} candidates (ln = {level:.2f}).",
        "The network tells no twin from any stranger: look at the learning rate, the temperature and the collapse lamps.",
    )


def hot(course: Course) -> Illness | None:
    """A temperature at which even the best embedding hardly lowers the loss."""
    heat, rivals = course.temperature, course.rivals
    if heat is None or rivals is None or course.method == "swav":
        return None
    best = math.log(1 + rivals * math.exp(-1 / heat))
    room = math.log(1 + rivals) - best
    if room >= 0.7:
        return None
    return Illness(
        "hot",
        f"temperature {heat:g}: twins that coincide among orthogonal strangers still cost {best:.2f}, and guessing costs only "
        f"{math.log(1 + rivals):.2f}; all {rivals} negatives count alike.",
        "Take a temperature of 0.05 to 0.5.",
    )


def idle(course: Course) -> Illness | None:
    """Nothing moved: the weights are practically those of the start."""
    names = ("alignment", "uniformity", "rankme", "knn")
    pairs = [(first, last) for name in names if (first := course.first(name)) is not None and (last := course.last(name)) is not None]
    rate = max(course.values("lr"), default=None)
    if len(pairs) < 3 or rate is None or course.steps < 10:
        return None
    if any(abs(last - first) > 0.02 * max(abs(first), 0.05) for first, last in pairs):
        return None
    return Illness(
        "idle",
        f"Nothing moved in {course.steps} steps: every measure is that of the untrained network, at a learning rate of at most {rate:.1g}.",
        f"Raise lr; {'0.001' if 'adam' in str(course.settings.get('optimizer')) else '0.03 to 0.5'} is usual for "
        f"{course.settings.get('optimizer')}.",
    )


def restless(course: Course) -> Illness | None:
    optimizer, rate = str(course.settings.get("optimizer")), float(course.settings.get("lr", 0))
    losses = course.values("loss")
    if rate <= RATES.get(optimizer, math.inf) or not losses:
        return None
    rose = max(losses[-1] - min(losses), 0.0)
    moved = f"the loss ends {rose:.2f} above its best" if rose > 0.1 else f"the loss ends at {losses[-1]:.2f}"
    return Illness("restless", f"lr={rate:g} is far too large for {optimizer}: {moved}.", f"Try lr={RATES[optimizer] / 30:g}.")


RULES = (diverged, guessing, hot, idle, restless)
