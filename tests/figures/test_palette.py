"""Colours hold on both grounds and for colour-blind readers; no two methods share marker and colour."""

import itertools

import numpy as np
import pytest

from contrastive_lab.figures import CLASSES, LOOKS, look
from contrastive_lab.methods import METHODS

SEEN_AS = {  # Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB
    "trichromat": np.eye(3),
    "deuteranope": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "protanope": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
}


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    cones = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
    opponents = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])
    return opponents @ np.cbrt(cones @ rgb.clip(0, 1))


def contrast(one: str, two: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, two))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#14171c"])
def test_every_colour_stands_out_on_light_and_dark(ground):
    weak = {c for c in [v.colour for v in LOOKS.values()] + [v.colour for v in CLASSES] if contrast(c, ground) < 2.95}
    assert not weak


@pytest.mark.parametrize("eyes", SEEN_AS)
def test_methods_stay_apart_for_every_kind_of_eye(eyes):
    seen = {name: oklab(SEEN_AS[eyes] @ linear(style.colour)) for name, style in LOOKS.items()}
    for one, two in itertools.combinations(seen, 2):
        gap = np.linalg.norm(seen[one] - seen[two])
        least = 0.06 if LOOKS[one].dash == LOOKS[two].dash else 0.03
        assert gap > least, f"{one} and {two} look alike ({gap:.3f}): another colour, or above 0.03 another dash"


def test_no_information_by_colour_alone():
    symbols = [style.symbol for style in LOOKS.values()]
    assert len(set(symbols)) == len(symbols), "two methods have one mark; plotly has more, such as cross-open or hourglass-open"
    assert len({style.symbol for style in CLASSES}) == len(CLASSES)


def test_every_method_has_a_look_of_its_own():
    assert set(METHODS) <= set(LOOKS), "add it to LOOKS in figures/palette.py, or it is drawn like another method"


def test_a_stranger_gets_a_look_that_stays():
    assert look("my_own_method") == look("my_own_method") != LOOKS["untrained"]
