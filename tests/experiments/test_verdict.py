import random

import pytest

from contrastive_lab.experiments import compare, spread


def test_spread_is_mean_and_sample_deviation():
    assert spread([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert spread([5.0]) == (5.0, 0.0)
    with pytest.raises(ValueError, match="empty"):
        spread([])


@pytest.mark.parametrize(
    ("treatment", "outcome"),
    [
        ([0.7, 0.72, 0.74], "confirmed"),
        ([0.3, 0.28, 0.26], "refuted"),
        ([0.6, 0.7, 0.8], "undecided"),  # 3.5 standard errors: with three seeds that is not rare enough
        ([0.9, 0.5, 0.2], "undecided"),
        ([0.5, 0.5, 0.5], "undecided"),
    ],
)
def test_outcome_follows_the_paired_differences(treatment, outcome):
    control = dict.fromkeys(range(3), 0.5)
    arm = dict(enumerate(treatment))
    verdict = compare("better", arm, control)
    assert verdict.outcome == outcome
    opposite = {"confirmed": "refuted", "refuted": "confirmed", "undecided": "undecided"}[outcome]
    assert compare("worse", arm, control, larger=False).outcome == opposite
    assert outcome in str(verdict)


def test_standard_error_by_hand():
    verdict = compare("x", {0: 1.0, 1: 2.0, 2: 3.0, 3: 6.0}, {0: 0.0, 1: 0.0, 2: 0.0, 3: 0.0})
    assert verdict.difference == 3.0
    assert verdict.standard_error == pytest.approx((14 / 3) ** 0.5 / 2)
    assert verdict.margin == pytest.approx(3.182 * verdict.standard_error, rel=1e-3)  # Student's t, 3 degrees of freedom, 97.5 %


def test_nothing_is_decided_by_luck_in_one_case_of_twenty():
    draw = random.Random(0)
    nothing = [{seed: draw.gauss(0, 1) for seed in range(3)} for _ in range(4000)]
    decided = sum(compare("x", arm, dict.fromkeys(range(3), 0.0)).outcome != "undecided" for arm in nothing)
    assert decided / 4000 == pytest.approx(0.05, abs=0.012)


def test_equal_differences_leave_no_doubt():
    assert compare("x", dict.fromkeys(range(3), 1.5), dict.fromkeys(range(3), 1.0)).outcome == "confirmed"


def test_two_seeds_decide_nothing_and_none_is_an_error():
    assert compare("x", {0: 1.0, 1: 1.1}, {0: 0.0, 1: 0.0}).outcome == "undecided"
    assert compare("x", {0: 1.0, 1: 1.1, 7: 5.0}, {0: 0.0, 1: 0.0, 8: 2.0}).seeds == (0, 1)
    with pytest.raises(ValueError, match="common seeds"):
        compare("x", {0: 1.0}, {1: 1.0})
