"""What a method needs and a set of plain labelled images doesn't have, made from what it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from contrastive_lab.data.images import Images

# Several, so that a text encoder meets the class in more than one sentence.
TEMPLATES = ("a photo of a {}", "a small picture of a {}", "this is a {}", "one {} in a picture")


def suited(images: Images, needs: Collection[str]) -> Images:
    """The same images with two groups or captions where `needs` (of a method) names them and the set has none; otherwise unchanged.

    Groups: a digit is drawn onto every other image of each class, which makes it a target (`digits.superimpose`). Captions: the name of
    the image's class in `TEMPLATES`; images of one class then share their sentences, so that each is a false negative of the others.
    `source` says what was done.
    """
    if "groups" in needs and images.groups is None:
        from contrastive_lab.data.digits import superimpose

        images = superimpose(images)
    if "captions" in needs and images.captions is None and images.labels is not None and images.classes:
        sentences = [tuple(template.format(name) for template in TEMPLATES) for name in images.classes]
        images = replace(
            images,
            captions=tuple(sentences[label] for label in images.labels.tolist()),
            source=f"{images.source or images.name}, captioned with the names of their classes",
        )
    return images
