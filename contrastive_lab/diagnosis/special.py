"""Illnesses of single methods: gates, two spaces, two modalities, cells."""

from __future__ import annotations

from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.illness import Illness


def gates(course: Course) -> Illness | None:
    opening = course.last("gate opening")
    if opening is None or not course.trained or 0.05 < opening < 0.95:
        return None
    if opening >= 0.95:
        return Illness(
            "open",
            f"all gates are open ({opening:.2f} of 1): every pair is compared in every coordinate, whatever its classes.",
            "Train on arbitrary pairs (pair_mode='arbitrary'), not on identical ones alone, and don't fix the gate open.",
        )
    return Illness(
        "shut",
        f"all gates are shut ({opening:.2f} of 1): hardly a coordinate is left to compare pairs in.",
        "Lower the learning rate of the gate, or take fewer distinct pairs.",
    )


def noise(course: Course) -> Illness | None:
    """A salient code that is not empty for background images."""
    target, background = course.last("salient length of targets"), course.last("salient length of background")
    if target is None or background is None or course.steps < 50 or background < 0.7 * target:
        return None
    return Illness(
        "noise",
        f"salient codes of background images are {background:.2f} long, those of targets {target:.2f}: the salient space describes what "
        "both sets share.",
        "Raise beta_background (10 by default; the authors took up to 1000 on photographs), or train longer.",
    )


def shared(course: Course) -> Illness | None:
    """A common space that tells targets from background: what only targets have leaks into it, and training doesn't push it out."""
    first, last = course.first("groups told by common"), course.last("groups told by common")
    if first is None or last is None or course.steps < 50 or last < TOLD or last < first:
        return None
    return Illness(
        "shared",
        f"the common space tells target from background: {last:.0%} of its nearest neighbours are of the same group ({first:.0%} at the "
        "start; half would be blind): what belongs to the salient space leaks into the common one.",
        "Raise lambda_jem (10 is the paper's), which rewards the joint entropy of both codes.",
    )


TOLD = 0.85
"""Share of neighbours of one's own group that a healthy common space stays below."""


def gap(course: Course) -> Illness | None:
    first, last = course.first("gap"), course.last("gap")
    if first is None or last is None or not course.trained or last < 0.5 or last < 0.75 * first:
        return None
    alignment = f", {last**2:.2f} of the pairs' distance is the gap alone"
    heat = f" at temperature {course.temperature:.3g}" if course.temperature is not None else ""
    return Illness(
        "gap",
        f"gap stays {last:.2f}{heat} (noise of a batch: {(2 / course.batch) ** 0.5:.2f}){alignment}: the modalities live in two cones.",
        "Train longer or with a higher temperature, or shift one cloud along the gap by hand and look at retrieval.",
    )


def apart(course: Course) -> Illness | None:
    share = course.last("cells with a match")
    if share is None or not course.trained or share >= 0.2:
        return None
    return Illness(
        "apart",
        f"only {share:.0%} of the cells have a partner in the other crop: most crops don't overlap.",
        "Take larger crops (augmentation.scale from 0.2 or 0.4 on) or a larger threshold.",
    )


def flat(course: Course) -> Illness | None:
    spread = course.last("cell spread")
    if spread is None or not course.trained or spread >= 0.2:
        return None
    return Illness(
        "flat",
        f"cell spread {spread:.2f} (1 is spread evenly): all cells of all maps say the same, the dense collapse.",
        "Keep the momentum twin and the propagation's stopped gradient, or add the instance branch.",
    )


RULES = (gates, noise, shared, gap, apart, flat)
