import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.measures import alignment, mean_cosine, uniformity, uniformity_floor


def cloud(n=37, d=5, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def slow_uniformity(x, t, normalize=True):
    rows = x.tolist()
    if normalize:
        rows = [[v / math.hypot(*row) for v in row] for row in rows]
    terms = [math.exp(-t * math.dist(a, b) ** 2) for i, a in enumerate(rows) for b in rows[:i]]
    return math.log(sum(terms) / len(terms))


def test_worked_example_without_self_pairs():
    x = torch.tensor([[1.0, 0], [0, 1], [-1, 0]])
    assert uniformity(x) == pytest.approx(-4.3963, abs=5e-5)
    assert uniformity(x) != pytest.approx(-1.0743, abs=0.1)  # the value with the three self pairs


def test_ends_of_the_range():
    assert uniformity(torch.tensor([[1.0, 2, 3]]).repeat(5, 1)) == 0
    assert uniformity(torch.tensor([[1.0, 0], [-2, 0]]), t=3) == pytest.approx(-12)


@pytest.mark.parametrize("t", [0.5, 2, 7.1])
@pytest.mark.parametrize("normalize", [True, False])
def test_slow_loop(t, normalize):
    x = cloud()
    assert uniformity(x, t=t, normalize=normalize) == pytest.approx(slow_uniformity(x, t, normalize), rel=1e-12)
    if normalize:
        assert uniformity(x.float(), t=t) == pytest.approx(slow_uniformity(x, t), rel=1e-6)


@pytest.mark.parametrize("chunk", [1, 2, 7, 36, 37, 38, 5000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_chunks_do_not_change_the_value(chunk, dtype):
    x = cloud(dtype=dtype)
    assert uniformity(x, chunk=chunk) == pytest.approx(uniformity(x), rel=1e-6 if dtype == torch.float32 else 1e-13)
    narrow = 1 + 1e-5 * x
    assert uniformity(narrow, chunk=chunk) == pytest.approx(uniformity(narrow), rel=1e-5 if dtype == torch.float32 else 1e-9)


def test_log_of_the_mean_not_mean_of_the_logs():
    x = torch.tensor([[1.0, 0], [1, 0], [-1, 0]])
    assert uniformity(x) == pytest.approx(math.log((1 + 2 * math.exp(-8)) / 3), rel=1e-6)


def test_far_apart_features_stay_finite():
    x = 1000 * cloud(8, 3)
    nearest = float(torch.pdist(x).square().min())
    assert uniformity(x, normalize=False) == pytest.approx(-2 * nearest - math.log(28), rel=1e-9)
    assert uniformity(x.float(), normalize=False) == pytest.approx(uniformity(x.float().double(), normalize=False), rel=1e-9)


@pytest.mark.parametrize("spread", [1e-2, 1e-4, 1e-6])
def test_collapsed_cloud_keeps_its_digits(spread):
    """Phenomena, rule 4: the plain Gram form reads 1.49e-8 where the mean squared distance is 1.98e-8; exp then rounds to 1."""
    x = F.normalize(torch.ones(1, 64, dtype=torch.float64) + spread * cloud(300, 64), dim=1).float()
    squared = torch.pdist(x.double()).square()
    assert uniformity(x) == pytest.approx(math.log1p(float(torch.expm1(-2 * squared).mean())), rel=1e-4)


def test_two_tight_clusters_are_not_mistaken_for_one():
    half = torch.ones(1, 32) + 1e-5 * cloud(100, 32, dtype=torch.float32)
    both = torch.cat([half, -half])
    within = 2 * 100 * 99 / (200 * 199)
    assert uniformity(both) == pytest.approx(math.log(within + (1 - within) * math.exp(-8)), rel=1e-5)


@pytest.mark.parametrize(
    ("dim", "value"),
    [(2, -1.5750), (3, -2.0798), (8, -3.0825), (16, -3.5130), (32, -3.7518), (64, -3.8752), (128, -3.9375), (256, -3.9688), (512, -3.9844)],
)
def test_floor_table(dim, value):
    assert uniformity_floor(dim) == pytest.approx(value, abs=5.1e-5)


@pytest.mark.parametrize("t", [0.01, 0.5, 2, 10, 50])
@pytest.mark.parametrize("dim", [2, 3, 17, 512])
def test_floor_equals_scipy(dim, t):
    from scipy.special import hyp0f1

    assert uniformity_floor(dim, t=t) == pytest.approx(-2 * t + math.log(hyp0f1(dim / 2, t * t)), rel=1e-9, abs=1e-12)


def test_floor_closed_forms():
    assert uniformity_floor(3, t=1.7) == pytest.approx(math.log((1 - math.exp(-4 * 1.7)) / (4 * 1.7)), rel=1e-12)
    assert uniformity_floor(1) == pytest.approx(math.log((1 + math.exp(-8)) / 2), rel=1e-12)
    assert uniformity_floor(4, t=2000) == pytest.approx(-1.5 * math.log(2000), abs=3)  # beyond exp's range: I_1 decays as t^-3/2
    assert uniformity_floor(3, t=2000) == pytest.approx(-math.log(8000), rel=1e-12)


def test_even_circle_reaches_the_floor():
    angle = torch.arange(2000, dtype=torch.float64) * math.tau / 2000
    x = torch.stack([angle.cos(), angle.sin()], dim=1)
    with_self_pairs = math.exp(uniformity_floor(2))
    assert uniformity(x) == pytest.approx(math.log((2000 * with_self_pairs - 1) / 1999), rel=1e-9)


@pytest.mark.parametrize(("n", "spread"), [(16, 0.12), (64, 0.03), (256, 0.008), (1024, 0.003)])
def test_isotropic_cloud_shows_no_batch_size_effect(n, spread):
    assert uniformity(cloud(n, 128, seed=n)) == pytest.approx(-3.937, abs=spread)


def test_jensen_bound_and_translation_of_infonce():
    x = cloud(200, 8) + 1
    assert uniformity(x) >= -4 * (1 - mean_cosine(x))
    assert uniformity(x, t=0.001) == pytest.approx(-0.002 * (1 - mean_cosine(x)), rel=1e-2)  # equality as t -> 0


def test_infonce_is_alignment_plus_uniformity_with_many_negatives():
    """Identity 6 of section 8: the temperature sets t = 1 / (2 tau)."""
    x = F.normalize(cloud(3000, 16, seed=1), dim=1)
    y = F.normalize(x + 0.2 * cloud(3000, 16, seed=2), dim=1)
    tau = 0.5
    scores = x @ y.T / tau
    infonce = float((scores.logsumexp(dim=1) - scores.diagonal()).mean())
    forces = alignment(x, y) / (2 * tau) + uniformity(x, t=1 / (2 * tau)) + math.log(3000)
    assert infonce == pytest.approx(forces, abs=0.02)


def test_row_scale_and_rotation_do_not_matter():
    x = cloud()
    scale = torch.rand(len(x), 1, dtype=torch.float64) * 9 + 0.1
    turn = torch.linalg.qr(cloud(5, 5, seed=3)).Q
    assert uniformity(scale * x @ turn) == pytest.approx(uniformity(x), rel=1e-12)
    assert type(uniformity(x)) is float
