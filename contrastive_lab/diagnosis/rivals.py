"""Illnesses of negatives and prototypes: false ones, one that counts alone, shortcuts through the batch, prototypes nobody uses."""

from __future__ import annotations

import math

from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.illness import Illness


def false_negatives(course: Course) -> Illness | None:
    share = course.last("false negatives among hardest")
    if share is None or share < 0.5:
        return None
    return Illness(
        "false",
        f"{share:.0%} of the hardest 5 % of the queue show the query's own class: they are pushed away as strangers.",
        "Don't sharpen what pushes hardest (mixing, small temperature); take positives from the class if labels may be used.",
        kind="note",
    )


def leak(course: Course) -> Illness | None:
    """Twins recognised in training and not at rest, on easier views: by statistics of their batch or by the age of the key."""
    seen, rest = course.last("proxy accuracy"), course.last("twins")
    if seen is None or rest is None or not course.trained or seen < 0.4 or seen < rest + 0.25:
        return None
    return Illness(
        "leak",
        f"In training {seen:.0%} of the queries beat the whole queue with their own key; at rest only {rest:.0%} find their twin: "
        "a shortcut through the batch. Batch norm gives a batch a signature that its keys share and the queue doesn't.",
        "Shuffle keys over several groups of batch norm (splits=4 or more, larger batches), and let the twin move slowly (momentum 0.99).",
    )


def lone(course: Course) -> Illness | None:
    count = course.last("effective negatives")
    if count is None or count >= 2:
        return None
    return Illness(
        "lone",
        f"Of all negatives {count:.1f} count: the weights of repulsion fall on the nearest one alone.",
        "Lower t_neg (2 is the paper's), or the push listens to outliers and false negatives.",
    )


def codes(course: Course) -> Illness | None:
    """Codes that say nothing, so that the loss stays at ln K."""
    below, entropy = course.last("loss below ln K"), course.last("code entropy")
    if below is None or entropy is None or not course.trained or entropy < 0.99:
        return None
    count = (course.rivals or 0) + 1
    return Illness(
        "codes",
        f"loss stays at ln K = {math.log(count):.2f} ({below:+.3f} below): the codes are uniform (entropy {entropy:.3f} of 1), so there is "
        "nothing to predict.",
        "Lower epsilon; 0.05 is the paper's.",
    )


def prototypes(course: Course) -> Illness | None:
    used, spread, below = course.last("prototypes used"), course.last("mean prediction entropy"), course.last("loss below ln K")
    count = (course.rivals or 0) + 1
    if used is None or below is None or spread is None or not course.trained or used > max(3.0, 0.05 * min(count, course.batch)):
        return None
    stays = f"loss stays at ln K = {math.log(count):.2f}: " if abs(below) < 0.05 * math.log(count) else ""
    return Illness(
        "prototypes",
        f"{stays}all prototypes but {used:.0f} of {count} are unused.",
        "Freeze the prototypes for an epoch, lower the learning rate, take more than three Sinkhorn sweeps or fewer prototypes.",
    )


RULES = (false_negatives, leak, lone, codes, prototypes)
