import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab import measures
from contrastive_lab.measures import alignment, alignment_distances, mean_cosine, modality_gap, retrieval_margins


def cloud(n=37, d=5, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_worked_example():
    x, y = torch.tensor([[1.0, 0], [0, 1]]), torch.tensor([[0.0, 1], [0, 1]])
    assert alignment(x, y) == pytest.approx(1.0, abs=1e-12)
    assert alignment(x, y, alpha=1) == pytest.approx(math.sqrt(2) / 2, abs=1e-12)
    torch.testing.assert_close(alignment_distances(x, y), torch.tensor([math.sqrt(2), 0.0]))
    assert retrieval_margins(x, y).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("alpha", [0.5, 1, 2, 3.7])
@pytest.mark.parametrize("normalize", [True, False])
def test_slow_loop(alpha, normalize):
    x, y = cloud(seed=1), cloud(seed=2)
    total = 0.0
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if normalize:
            a, b = ([v / math.hypot(*row) for v in row] for row in (a, b))
        total += math.dist(a, b) ** alpha
    assert alignment(x, y, alpha=alpha, normalize=normalize) == pytest.approx(total / len(x), rel=1e-12)


def test_mean_is_over_rows_not_over_entries():
    x = cloud(10, 4)
    assert alignment(x, -x) == pytest.approx(4.0)  # antipodes: distance 2 whatever D is


def test_rows_are_normalised_unless_told_otherwise():
    x, y = cloud(seed=1), cloud(seed=2)
    scale = torch.rand(len(x), 1, dtype=torch.float64) * 50 + 0.1
    assert alignment(x * scale, y / scale) == pytest.approx(alignment(x, y), rel=1e-12)
    assert alignment(x * 20, y * 20, normalize=False) > 100


def test_margins_of_a_slow_loop():
    x, y = F.normalize(cloud(seed=3), dim=1), F.normalize(cloud(seed=4), dim=1)
    expected = [float(x[i] @ y[i]) - max(float(x[i] @ y[j]) for j in range(len(y)) if j != i) for i in range(len(x))]
    torch.testing.assert_close(retrieval_margins(x, y), torch.tensor(expected, dtype=torch.float64))


def test_margins_do_not_depend_on_the_slices(monkeypatch):
    x, y = cloud(seed=3), cloud(seed=4)
    whole, value = retrieval_margins(x, y), alignment(x, y)
    for elements in (1, 7 * 37 // 16 + 1, 10**9):
        monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", elements)
        torch.testing.assert_close(retrieval_margins(x, y), whole, rtol=0, atol=1e-14)
        assert alignment(x, y) == pytest.approx(value, rel=1e-14)


def test_margins_of_a_narrow_cone_keep_their_digits():
    """All cosines are 1 - 1e-9; plain float32 cosines would be 1 or 1 - 6e-8 and the margins noise."""
    ray = torch.ones(1, 16, dtype=torch.float64)
    x = ray + 1e-4 * cloud(40, 16, seed=5)
    y = x + 1e-6 * cloud(40, 16, seed=6)
    exact = retrieval_margins(x, y)
    assert bool((exact > 0).all())
    unit_x, unit_y = F.normalize(x, dim=1).float(), F.normalize(y, dim=1).float()
    got = retrieval_margins(unit_x, unit_y).double()
    assert float((got > 0).double().mean()) == 1.0
    torch.testing.assert_close(got, exact, rtol=0.05, atol=0)


def test_collapsed_pairs_are_measured_by_differences():
    """Phenomena, rule 4: 2 - 2 cos in float32 rounds this cloud to 0 or 1.2e-7."""
    x = torch.ones(64, 128, dtype=torch.float64)
    y = x + 1e-4 * cloud(64, 128, seed=7)
    truth = alignment(x, y)
    unit_x, unit_y = F.normalize(x, dim=1).float(), F.normalize(y, dim=1).float()
    assert alignment(unit_x, unit_y) == pytest.approx(truth, rel=2e-3)
    naive = float((2 - 2 * (unit_x * unit_y).sum(dim=1)).mean())
    assert abs(naive - truth) > 0.05 * truth


def test_alignment_is_gap_squared_plus_spread_of_the_differences():
    x, y = cloud(200, 6, seed=8) + 1, cloud(200, 6, seed=9)
    difference = F.normalize(x, dim=1) - F.normalize(y, dim=1)
    spread = float(torch.cov(difference.T, correction=0).trace())
    assert alignment(x, y) == pytest.approx(modality_gap(x, y) ** 2 + spread, rel=1e-12)
    mean_pair_cosine = float(F.cosine_similarity(x, y).mean())
    assert alignment(x, y) == pytest.approx(2 - 2 * mean_pair_cosine, rel=1e-12)
    assert alignment(x, y) >= modality_gap(x, y) ** 2


def test_rotation_leaves_alignment_and_cones_alone():
    x, y = cloud(seed=1), cloud(seed=2)
    turn = torch.linalg.qr(cloud(5, 5, seed=3)).Q
    assert alignment(x @ turn, y @ turn) == pytest.approx(alignment(x, y), rel=1e-12)
    assert mean_cosine(x @ turn) == pytest.approx(mean_cosine(x), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_type_and_extreme_sizes(dtype):
    x, y = cloud(seed=1).to(dtype), cloud(seed=2).to(dtype)
    assert alignment(x, y) == pytest.approx(alignment(x.double(), y.double()), rel=1e-6)
    assert alignment_distances(x, y).dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    huge = torch.finfo(dtype).max
    corner = torch.tensor([[huge, huge], [huge, -huge]], dtype=dtype)
    assert alignment(corner, corner.flip(0)) == pytest.approx(2.0)


def test_values_are_plain_floats():
    x, y = cloud(seed=1), cloud(seed=2)
    assert type(alignment(x, y)) is float
    assert not alignment_distances(x.requires_grad_(), y).requires_grad
    assert measures.retrieval_margins(x, y).shape == (37,)
