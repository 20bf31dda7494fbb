import numpy as np
import pytest

from contrastive_lab.data.scenes import Draws, below, mix, noise, splitmix64, uniform


def test_the_published_stream_of_splitmix64():
    gamma = 0x9E3779B97F4A7C15
    assert [splitmix64(n * gamma % 2**64) for n in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize(("seed", "split"), [(0, 0), (1, 4), (2**64 - 1, 107)])
def test_many_draws_equal_single_draws_bit_for_bit(seed, split):
    index = np.array([0, 1, 731, 2**40 + 3, 2**63 - 1])
    draws = Draws(seed, split, index)
    for field in (0, 13, 89, 20003):
        hashes = [mix(seed, split, int(i), field) for i in index]
        assert draws.hash(field).tolist() == hashes
        assert draws.uniform(field).tolist() == [uniform(h) for h in hashes]
        assert draws.fraction(field).tolist() == [(h % 2**32) / 2**32 for h in hashes]
        assert draws.noise(range(field, field + 12, 4)).tolist() == [
            [noise(seed, split, int(i), f) for f in range(field, field + 12, 4)] for i in index
        ]
        for n in (1, 6, 48, 2**32 - 1):
            assert draws.below(n, field).tolist() == [below(n, h) for h in hashes]


def test_extreme_hashes_stay_in_range():
    assert uniform(2**64 - 1) == 1 - 2**-53
    assert below(6, 2**64 - 1) == 5
    assert below(6, 0) == 0 == uniform(0)


def test_moments():
    draws = Draws(0, 0, np.arange(40_000))
    u, bell = draws.uniform(3), draws.noise(range(100, 104, 4))[:, 0]
    assert u.mean() == pytest.approx(0.5, abs=0.005)
    assert u.var() == pytest.approx(1 / 12, abs=0.001)
    assert bell.mean() == pytest.approx(0, abs=0.02)
    assert bell.var() == pytest.approx(1, abs=0.02)


def test_draws_of_different_fields_indices_splits_and_seeds_are_uncorrelated():
    base = Draws(0, 0, np.arange(20_000))
    others = [base.uniform(11), base.fraction(10), Draws(0, 0, np.arange(1, 20_001)).uniform(10)]
    others += [Draws(0, 1, base.index).uniform(10), Draws(1, 0, base.index).uniform(10)]
    for other in others:
        assert abs(np.corrcoef(base.uniform(10), other)[0, 1]) < 4 / 20_000**0.5


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (2**64, 0), (0, -1)])
def test_impossible_counters_are_refused(seed, index):
    with pytest.raises(ValueError, match=r"seed is|index holds"):
        Draws(seed, 0, np.array([index]))
