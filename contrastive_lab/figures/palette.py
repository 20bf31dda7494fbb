"""One look for each method in the whole lab: a colour, a marker and a dash, so that no figure speaks by colour alone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How one method is drawn everywhere. `symbol` and `dash` are plotly's names."""

    colour: str
    symbol: str = "circle"
    dash: str = "solid"


LOOKS: dict[str, Look] = {
    "untrained": Look("#757575", "circle-open", "dot"),
    "simclr": Look("#3f99ea", "circle", "solid"),
    "dcl": Look("#cf7e00", "square", "solid"),
    "dclw": Look("#e1756c", "diamond", "dash"),
    "cacr": Look("#127536", "triangle-up", "solid"),
    "moco": Look("#9963fc", "triangle-down", "dash"),
    "mochi": Look("#7e24fc", "star", "solid"),
    "swav": Look("#cf0912", "cross", "solid"),
    "pixpro": Look("#3690ab", "x", "dashdot"),
    "pixcontrast": Look("#875187", "hexagon", "dash"),
    "sepclr": Look("#fc3fa2", "pentagon", "solid"),
    "hydra": Look("#5163cf", "star-diamond", "dashdot"),
    "clip": Look("#ea1b5a", "bowtie", "dot"),
    "supcon": Look("#b41bb4", "hourglass", "longdash"),
}
"""Marks differ from each other. Colours keep a contrast of 3:1 on white and on #14171c, and stay apart for deuteranopes and protanopes;
two that are near each other have different dashes (tests/figures)."""

CLASSES: tuple[Look, ...] = (
    Look("#3f99ea", "circle"),
    Look("#cf7e00", "square"),
    Look("#127536", "triangle-up"),
    Look("#d863cf", "cross"),
    Look("#cf0912", "circle-open"),
    Look("#7e24fc", "line-ew-open"),
    Look("#757575", "diamond"),
    Look("#3690ab", "x"),
    Look("#e1756c", "star"),
    Look("#875187", "hexagon"),
)
"""Looks of class 0, 1, ...; for the embedded world's shapes the marker resembles the shape."""

GOOD, BAD = "#127536", "#cf0912"


def look(method: str) -> Look:
    """The look of a method, also of a run called "dcl (run 2)"; a name the lab doesn't know gets one that depends on the name alone."""
    method = method.split(" ")[0]
    if method in LOOKS:
        return LOOKS[method]
    others = [LOOKS[name] for name in sorted(LOOKS) if name != "untrained"]
    return others[zlib.crc32(method.encode()) % len(others)]


NAMED: dict[str, str] = {
    "red": "#d8342c",
    "green": "#2f8a3f",
    "blue": "#4a66e0",
    "yellow": "#a98a00",
    "purple": "#9450bd",
    "orange": "#d9731a",
    "cyan": "#1d929c",
    "white": "#808489",
}
"""Classes that are colours are drawn in them, dark or light enough for both grounds; white becomes grey."""


def class_look(number: int, name: str = "") -> Look:
    """The look of class `number`; the markers of the first ten differ."""
    usual = CLASSES[number % len(CLASSES)]
    return Look(NAMED[name], usual.symbol) if name in NAMED else usual
