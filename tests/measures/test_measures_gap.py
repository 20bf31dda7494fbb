import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.measures import (
    alignment,
    gap_noise_floor,
    gap_separability,
    mean_cosine,
    modality_gap,
    modality_gap_vector,
    retrieval_margins,
    shift_along_gap,
)

IMAGES = torch.tensor([[1, 0], [0.8, 0.6]])
TEXTS = torch.tensor([[-0.6, 0.8], [0, 1]])


def cloud(n=60, d=6, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def two_cones(n=60, d=6):
    shared = cloud(n, d, seed=1)
    return shared + 2 * torch.eye(d, dtype=torch.float64)[0], shared + 0.4 * cloud(n, d, seed=2) - torch.eye(d, dtype=torch.float64)[1]


def test_worked_example():
    torch.testing.assert_close(modality_gap_vector(IMAGES, TEXTS), torch.tensor([1.2, -0.6]))
    assert modality_gap(IMAGES, TEXTS) == pytest.approx(1.3416, abs=5e-5)
    assert alignment(IMAGES, TEXTS) == pytest.approx(2.0, abs=1e-6)
    cone = torch.tensor([[1, 0], [0, 1], [0.6, 0.8]])
    assert mean_cosine(cone) == pytest.approx(0.46667, abs=5e-6)
    assert mean_cosine(cone, include_self=True) == pytest.approx(0.64444, abs=5e-6)


def test_slow_loops():
    x, y = two_cones()
    unit_x, unit_y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    assert modality_gap(x, y) == pytest.approx(math.dist(unit_x.mean(dim=0).tolist(), unit_y.mean(dim=0).tolist()))
    pairs = [float(unit_x[i] @ unit_x[j]) for i in range(60) for j in range(60) if i != j]
    assert mean_cosine(x) == pytest.approx(sum(pairs) / len(pairs))


def test_centroids_are_not_normalised_again():
    x = torch.tensor([[1.0, 0], [0, 1]])
    assert modality_gap(x, -x) == pytest.approx(math.sqrt(2))  # 2 with normalised centroids


def test_slices_and_row_scale_do_not_matter(monkeypatch):
    x, y = two_cones()
    gap, cone, side = modality_gap(x, y), mean_cosine(x), gap_separability(x, y)
    scale = torch.rand(60, 1, dtype=torch.float64) + 0.1
    assert modality_gap(scale * x, y / scale) == pytest.approx(gap)
    for elements in (1, 50):
        monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", elements)
        assert modality_gap(x, y) == pytest.approx(gap, rel=1e-12)
        assert mean_cosine(x) == pytest.approx(cone, rel=1e-12)
        assert gap_separability(x, y) == side


@pytest.mark.parametrize("n", [50, 100, 2000])
def test_noise_floor_of_identical_distributions(n):
    gaps = [modality_gap(cloud(n, 64, seed=seed), cloud(n, 64, seed=100 + seed)) for seed in range(4)]
    assert sum(gaps) / 4 == pytest.approx(gap_noise_floor(n, n), rel=0.1)
    assert gap_noise_floor(50, 50) == pytest.approx(0.2)
    assert gap_noise_floor(100, 300) == pytest.approx(math.sqrt(1 / 100 + 1 / 300))


def test_cone_of_random_relu_layers_narrows_with_depth():
    """Section 3: mean cosine 0.32, 0.49, 0.61 after one, two, three random layers of 512."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1024, 512, generator=generator)
    for expected in (0.32, 0.49, 0.61):
        x = torch.relu(
            x @ torch.randn(512, 512, generator=generator) / math.sqrt(512) + torch.randn(512, generator=generator) / math.sqrt(512)
        )
        assert mean_cosine(x) == pytest.approx(expected, abs=0.03)


def test_modalities_may_differ_in_number():
    x, y = two_cones()
    assert 0 < modality_gap(x, y[:20]) < 2
    assert gap_separability(x, y[:20]) <= 1


def test_separability_slow_loop():
    x, y = two_cones()
    unit_x, unit_y = F.normalize(x, dim=1).numpy(), F.normalize(y[:40], dim=1).numpy()
    axis = unit_x.mean(axis=0) - unit_y.mean(axis=0)
    threshold = (unit_x.mean(axis=0) + unit_y.mean(axis=0)) @ axis / 2
    right = (unit_x @ axis > threshold).sum() + (unit_y @ axis < threshold).sum()
    assert gap_separability(x, y[:40]) == pytest.approx(right / 100)


def test_separability_ends():
    assert gap_separability(IMAGES, TEXTS) == 1.0
    assert gap_separability(IMAGES, IMAGES) == 0.5  # no gap, no side


def slow_shift(x, y, delta, sides):
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    axis = F.normalize(x.mean(dim=0) - y.mean(dim=0), dim=0)
    share = 1.0 if sides == "one" else 0.5
    moved_x = F.normalize(x - share * delta * axis, dim=1)
    moved_y = y if sides == "one" else F.normalize(y + 0.5 * delta * axis, dim=1)
    return moved_x, moved_y, axis


@pytest.mark.parametrize("sides", ["one", "two"])
def test_shift_slow_loop(sides):
    x, y = two_cones()
    deltas = [-1, -0.3, 0, 0.25, 0.8, 1.5, 4]
    for row, delta in zip(shift_along_gap(x, y, deltas, sides=sides), deltas, strict=True):
        moved_x, moved_y, axis = slow_shift(x, y, delta, sides)
        offset = moved_x.mean(dim=0) - moved_y.mean(dim=0)
        sign = math.copysign(1, float(offset @ axis)) if sides == "one" else 1
        assert row["delta"] == delta
        assert row["gap"] == pytest.approx(sign * float(offset.norm()), rel=1e-9)
        assert row["alignment"] == pytest.approx(alignment(moved_x, moved_y), rel=1e-9)
        for k in (1, 5):
            for key, a, b in (("x_to_y", moved_x, moved_y), ("y_to_x", moved_y, moved_x)):
                scores = (a @ b.T).numpy()
                found = np.mean([i in np.argsort(-scores[i])[:k] for i in range(60)])
                assert row[f"recall_{key}@{k}"] == pytest.approx(found)


def test_no_shift_is_the_plain_measurement():
    x, y = two_cones()
    [row] = shift_along_gap(x, y, [0])
    assert row["gap"] == pytest.approx(modality_gap(x, y))
    assert row["alignment"] == pytest.approx(alignment(x, y))
    assert row["recall_x_to_y@1"] == pytest.approx(float((retrieval_margins(x, y) > 0).double().mean()))


def test_delta_counts_in_units_of_the_direction():
    """The gap closes near delta = gap, not at delta = 1; one-sided it then turns negative."""
    x, y = torch.ones(50, 8) + 0.01 * cloud(50, 8, dtype=torch.float32), torch.ones(50, 8) + 0.01 * cloud(50, 8, 1, torch.float32)
    y[:, 0] += 0.3
    gap = modality_gap(x, y)
    assert gap < 0.2
    at_gap, beyond = shift_along_gap(x, y, [gap, 1.0])
    assert abs(at_gap["gap"]) < 0.1 * gap
    assert beyond["gap"] < -gap
    assert all(row["gap"] > 0 for row in shift_along_gap(x, y, [gap, 1.0], sides="two"))


def test_slices_do_not_change_the_sweep(monkeypatch):
    x, y = two_cones()
    whole = shift_along_gap(x, y, [0, 0.5])
    monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", 1)
    for row, expected in zip(shift_along_gap(x, y, [0, 0.5]), whole, strict=True):
        assert row == pytest.approx(expected, rel=1e-12)


def test_repeated_captions_are_never_found_first():
    x = cloud(30, 6)
    captions = torch.cat([x[:15] + 0.1, x[:15] + 0.1])
    [row] = shift_along_gap(torch.cat([x[:15], x[:15]]), captions, [0.0])
    assert row["recall_x_to_y@1"] == 0
    assert row["recall_x_to_y@5"] > 0.9


def test_a_row_on_the_origin_is_named():
    x, y = torch.tensor([[1.0, 0], [1, 0]]), torch.tensor([[-1.0, 0], [-1, 0]])
    with pytest.raises(ValueError, match="row 0 of x onto the origin"):
        shift_along_gap(x, y, [0.5, 1])
    with pytest.raises(ValueError, match="no gap"):
        shift_along_gap(x, x, [0.5])
