"""Illnesses of the cloud: one point, few directions, a cone, torn twins, and features no better than untrained ones."""

from __future__ import annotations

from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.illness import Illness

COLLAPSED, THIN, TORN, CONE, LOSS_OF_KNN = 0.2, 0.15, 1.2, 0.5, 0.05
"""Spread below which there is no cloud; share of the directions below which it is thin; alignment above which twins are strangers;
mean cosine above which it is a cone; fall of kNN below the untrained network."""

YOUNG = 200
"""Steps below which a narrow cloud may still be opening."""

CONED = ("swav", "hydra", "pixpro", "clip", "clip-sketch", "sepclr")
"""Methods in whose space a cone is nothing to cure: they don't push all pairs apart, gate the space, or have the gap for it."""


def collapse(course: Course) -> Illness | None:
    spread, alignment = course.spread, course.last("alignment")
    if spread is None or not course.trained or spread >= COLLAPSED:
        return None
    aligned = "" if alignment is None else f" Alignment {alignment:.3f} looks perfect and means nothing: strangers are as close as twins."
    return Illness(
        "collapse",
        f"std {course.last('std'):.3f} (times √{course.dim}: {spread:.2f}, where 1 is isotropic): complete collapse, "
        f"all images are nearly one point.{aligned}",
        "Something must push: negatives, a balanced assignment, or a predictor with a stopped gradient; a very large learning rate also "
        "kills the network.",
    )


def dimensions(course: Course) -> Illness | None:
    rank, ratio, spread, room = course.last("rankme"), course.last("participation_ratio"), course.spread, course.directions
    if rank is None or ratio is None or spread is None or room is None or not course.trained:
        return None
    if spread < COLLAPSED or rank > THIN * room or ratio > THIN * room or (course.method in CONED and course.steps < YOUNG):
        return None
    seen = "" if room == course.dim else f" (the probe of {course.last('probe'):.0f} images could show about {room:.0f})"
    return Illness(
        "dimensions",
        f"rank {rank:.0f} of {course.dim}{seen} while there is a cloud (spread {spread:.2f} of 1): dimensional collapse; "
        f"half of the variance lies in about {max(1, round(ratio / 2))} of the directions.",
        "Look for a bottleneck in the projector, a temperature of 1 or more, or augmentations that outweigh the images' differences.",
    )


def cone(course: Course) -> Illness | None:
    cosine, spread = course.last("mean_cosine"), course.spread
    if course.method in CONED or cosine is None or spread is None or course.steps < YOUNG or spread < COLLAPSED or cosine < CONE:
        return None
    heat = course.temperature
    blame = f"; at temperature {heat:g} the push comes from the nearest neighbours alone" if heat is not None and heat < 0.05 else ""
    share = "" if course.share is None else f", uniformity reaches {course.share:.0%} of its floor"
    return Illness(
        "cold",
        f"The embeddings sit in a cone: two strangers have a cosine of {cosine:.2f} on average{share}{blame}.",
        "Train longer, or raise the temperature towards 0.1 to 0.5.",
    )


def torn(course: Course) -> Illness | None:
    alignment, similar = course.last("alignment"), course.last("positive similarity")
    if alignment is None or similar is None or course.steps < 50 or alignment < TORN or similar > 0.3:
        return None
    return Illness(
        "torn",
        f"alignment {alignment:.2f}: twins are almost as far apart as strangers (2.0), although the cloud is spread.",
        "Something must pull: check that the two views of a batch belong together, and that the crops still overlap.",
    )


def unlearnt(course: Course) -> Illness | None:
    before, after = course.first("knn"), course.last("knn")
    if before is None or after is None or not course.trained or after > before - LOSS_OF_KNN:
        return None
    return Illness(
        "unlearnt",
        f"kNN fell from {before:.1%} (untrained) to {after:.1%}: training removed what these labels need.",
        "Look for a collapse, or for an augmentation that changes what the labels are about (colour jitter and labels of colour).",
    )


RULES = (collapse, dimensions, cone, torn, unlearnt)
