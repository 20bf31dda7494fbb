import math
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.measures import (
    SampleSizeWarning,
    alpha_req,
    effective_rank,
    embedding_std,
    entropy_rank,
    hill_number,
    isoscore,
    lidar,
    nesum,
    participation_ceiling,
    participation_ratio,
    rankme,
    self_cluster,
    spectrum,
    stable_rank,
    uniformity,
)

RANKS = [rankme, effective_rank, entropy_rank, participation_ratio, nesum, stable_rank, isoscore]
CROSS = torch.tensor([[2.0, 0], [-2, 0], [0, 1], [0, -1]])


def cloud(n=200, d=6, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def skewed(n=400, d=12, seed=0):
    return cloud(n, d, seed) @ torch.diag(torch.arange(1, d + 1, dtype=torch.float64) ** -0.7) + 0.5


def test_worked_example():
    torch.testing.assert_close(spectrum(CROSS), torch.tensor([8 / 3, 2 / 3], dtype=torch.float64))
    assert rankme(CROSS) == pytest.approx(1.88988, abs=5e-6)
    assert entropy_rank(CROSS) == pytest.approx(1.64938, abs=5e-6)
    assert participation_ratio(CROSS) == pytest.approx(1.470588, abs=5e-7)
    assert nesum(CROSS) == pytest.approx(1.25)
    assert stable_rank(CROSS) == pytest.approx(1.25)
    assert isoscore(CROSS) == pytest.approx(0.470588, abs=5e-7)
    assert hill_number(CROSS, 0) == pytest.approx(2)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("shape", [(50, 7), (7, 50), (7, 7)])
def test_spectrum_against_numpy(center, normalize, shape):
    z = cloud(*shape) + 0.3
    rows = (F.normalize(z, dim=1) if normalize else z).numpy()
    rows = rows - rows.mean(axis=0) if center else rows
    singular = np.linalg.svd(rows, compute_uv=False)
    got = spectrum(z, center=center, normalize=normalize, values="singular")
    np.testing.assert_allclose(got.numpy(), singular, rtol=1e-9, atol=1e-7)
    eigen = spectrum(z, center=center, normalize=normalize, ddof=0)
    assert len(eigen) == shape[1]
    np.testing.assert_allclose(eigen[: len(singular)].numpy(), singular**2 / shape[0], rtol=1e-9, atol=1e-12)
    assert bool((eigen.diff() <= 0).all())


def test_covariance_has_ddof_one_by_default():
    z = cloud()
    np.testing.assert_allclose(spectrum(z).flip(0).numpy(), np.linalg.eigvalsh(np.cov(z.numpy().T)), rtol=1e-10)


def test_slices_do_not_change_the_spectrum(monkeypatch):
    z = skewed()
    whole = spectrum(z)
    for elements in (1, 12 * 7, 10**9):
        monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", elements)
        torch.testing.assert_close(spectrum(z), whole, rtol=1e-12, atol=0)


@pytest.mark.parametrize("ratio", [1e-4, 1e-5, 1e-6])
def test_small_directions_survive(ratio):
    """Pitfall 4c: a float32 Gram matrix reads 1.48e-4 at 1.09e-4 and 0 at 1e-5."""
    u = torch.linalg.qr(cloud(500, 8)).Q
    z = u @ torch.diag(torch.tensor([1.0] * 7 + [ratio], dtype=torch.float64))
    assert float(spectrum(z, center=False, values="singular")[-1]) == pytest.approx(ratio, rel=1e-3)


def test_directions_of_a_collapsed_cloud_survive_the_mean():
    """Around a mean of length 1e4, X^T X - N mu mu^T would leave nothing of directions of size 1e-4."""
    inner = cloud(400, 5) @ torch.diag(torch.tensor([1, 0.5, 0.2, 0.1, 0.05], dtype=torch.float64))
    assert participation_ratio(1e4 + 1e-3 * inner) == pytest.approx(participation_ratio(inner), rel=1e-5)


def test_rankme_is_the_papers_line():
    z = skewed()
    s = torch.linalg.svdvals(z)
    p = s / s.sum() + 1e-7
    assert rankme(z) == pytest.approx(float((-(p * p.log()).sum()).exp()), rel=1e-9)
    assert rankme(z, eps=1e-2) != pytest.approx(rankme(z), rel=1e-3)


def test_rankme_is_uncentred_raw_and_of_singular_values():
    z = skewed() + 5
    assert rankme(z) < 0.7 * rankme(z - z.mean(dim=0))  # a cone fills the first direction
    assert entropy_rank(z) == pytest.approx(entropy_rank(z - z.mean(dim=0)))
    assert effective_rank(z, center=True) > entropy_rank(z)  # square roots are flatter
    assert effective_rank(z) == pytest.approx(rankme(z), rel=1e-4)


def test_hill_numbers_are_one_dial():
    z = skewed()
    assert hill_number(z, 1) == pytest.approx(entropy_rank(z))
    assert hill_number(z, 2) == pytest.approx(participation_ratio(z))
    assert hill_number(z, math.inf) == pytest.approx(nesum(z))
    assert hill_number(z, 0) == pytest.approx(12)
    assert hill_number(z, 1 + 1e-6) == pytest.approx(entropy_rank(z), rel=1e-4)
    assert hill_number(z, 5000) == pytest.approx(nesum(z), rel=1e-2)
    dial = [hill_number(z, q) for q in (0, 0.5, 1, 2, 4, math.inf)]
    assert dial == sorted(dial, reverse=True)


def test_hill_number_of_order_zero_is_the_rank():
    z = cloud(200, 3) @ cloud(3, 9, seed=1)
    assert hill_number(z, 0) == pytest.approx(3)
    assert hill_number(z.float(), 0) == pytest.approx(3)


def test_nesum_is_the_centred_stable_rank():
    z = skewed()
    centred = z - z.mean(dim=0)
    expected = float((torch.linalg.matrix_norm(centred) / torch.linalg.matrix_norm(centred, 2)) ** 2)
    assert nesum(z) == pytest.approx(expected)
    assert stable_rank(z, center=True) == pytest.approx(expected)
    assert stable_rank(z) == pytest.approx(float((torch.linalg.matrix_norm(z) / torch.linalg.matrix_norm(z, 2)) ** 2))


def isoscore_in_seven_steps(z):
    """Rudman et al. 2022, algorithm 1, for rows of points."""
    d = z.shape[1]
    axes = np.linalg.eigh(np.cov(z.T))[1]
    variance = np.var(z @ axes, axis=0, ddof=1)
    normed = math.sqrt(d) * variance / np.linalg.norm(variance)
    defect = np.linalg.norm(normed - 1) / math.sqrt(2 * (d - math.sqrt(d)))
    share = (d - defect**2 * (d - math.sqrt(d))) ** 2 / d**2
    return (d * share - 1) / (d - 1)


def test_isoscore_is_the_official_recipe():
    z = skewed()
    assert isoscore(z) == pytest.approx(isoscore_in_seven_steps(z.numpy()), rel=1e-9)
    assert isoscore(cloud(5000, 4)) > 0.99


def test_self_cluster_slow_loop_and_ends():
    z = skewed(60, 4)
    unit = F.normalize(z, dim=1).tolist()
    total = sum(sum(a * b for a, b in zip(u, v, strict=True)) ** 2 for u in unit for v in unit)
    expected = 60 + 60 * 59 / 4
    assert self_cluster(z) == pytest.approx((total - expected) / (60**2 - expected), rel=1e-9)
    assert self_cluster(torch.ones(40, 4)) == pytest.approx(1)
    assert self_cluster(cloud(5000, 8)) == pytest.approx(0, abs=2e-3)


def test_mean_squared_cosine_is_one_over_the_uncentred_participation_ratio():
    z = torch.tensor([[1, 0], [0, 1], [0.6, 0.8]], dtype=torch.float64)
    moment = torch.linalg.eigvalsh(z.T @ z / 3)
    assert float(1 / (moment / moment.sum()).square().sum()) == pytest.approx(1.8)
    assert float((z @ z.T).square().mean()) == pytest.approx(1 / 1.8)
    x = skewed()
    second = spectrum(x, center=False, normalize=True)
    unit = F.normalize(x, dim=1)
    assert float((unit @ unit.T).square().mean()) == pytest.approx(float((second / second.sum()).square().sum()))


@pytest.mark.parametrize("seed", range(5))
def test_order_of_the_ranks(seed):
    z = skewed(seed=seed)
    assert 1 <= nesum(z) <= participation_ratio(z) <= entropy_rank(z) <= 12
    assert isoscore(z) == pytest.approx((participation_ratio(z) - 1) / 11)


def test_rotation_and_global_scale_do_not_matter_but_row_scale_does():
    z = skewed()
    turn = torch.linalg.qr(cloud(12, 12, seed=3)).Q
    row_scale = torch.rand(len(z), 1, dtype=torch.float64) * 9 + 0.1
    for rank in [*RANKS, self_cluster]:
        assert rank(7 * z @ turn) == pytest.approx(rank(z), rel=1e-9)
    assert participation_ratio(row_scale * z) != pytest.approx(participation_ratio(z), rel=1e-3)


@pytest.mark.filterwarnings("ignore::contrastive_lab.measures.SampleSizeWarning")
@pytest.mark.parametrize("n", [32, 64, 128, 256, 512, 1024, 8192])
def test_participation_ceiling(n):
    z = cloud(n, 128, seed=n, dtype=torch.float32)
    tolerance = 0.03 if n > 32 else 0.04  # centring takes one row away, which shows at N = 32
    assert participation_ratio(z) == pytest.approx(participation_ceiling(n, 128), rel=tolerance)


@pytest.mark.filterwarnings("ignore::contrastive_lab.measures.SampleSizeWarning")
@pytest.mark.parametrize(("n", "rank", "sum_ratio"), [(32, 30.9, 14.1), (128, 103.0, 31.8), (512, 123.6, 58.2), (8192, 127.8, 101.7)])
def test_isotropic_table(n, rank, sum_ratio):
    z = cloud(n, 128, seed=n + 1, dtype=torch.float32)
    assert rankme(z) == pytest.approx(rank, rel=0.01)
    assert nesum(z) == pytest.approx(sum_ratio, rel=0.06)


@pytest.mark.filterwarnings("ignore::contrastive_lab.measures.SampleSizeWarning")
def test_a_decaying_spectrum_is_ready_early_for_pr_and_nesum_and_late_for_rankme():
    """Section 4, pitfall a: eigenvalue 1/i of 128; at 256 rows PR and NESum are almost right while RankMe still climbs."""
    share = 1 / torch.arange(1, 129, dtype=torch.float64)
    share /= share.sum()
    many, few = (cloud(n, 128, seed=n, dtype=torch.float64) * share.sqrt() for n in (16384, 256))
    assert participation_ratio(few) == pytest.approx(float(1 / share.square().sum()), rel=0.06)
    assert nesum(few) == pytest.approx(float(1 / share[0]), rel=0.12)
    assert rankme(few) == pytest.approx(98.7, rel=0.02)
    assert rankme(many) == pytest.approx(107.1, rel=0.01)


@pytest.mark.parametrize("rank", RANKS)
def test_few_rows_warn(rank):
    with pytest.warns(SampleSizeWarning, match="31 rows for 8 dimensions"):
        rank(cloud(31, 8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rank(cloud(32, 8))
        rank(CROSS)  # plane toys stay silent


@pytest.mark.parametrize("rank", RANKS)
def test_the_warning_points_at_the_callers_line(rank):
    with pytest.warns(SampleSizeWarning) as caught:
        rank(cloud(5, 8))
    assert issubclass(SampleSizeWarning, UserWarning)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("rank", [*RANKS, lambda z: hill_number(z, 2)])
def test_complete_collapse_is_named_not_nan(rank):
    same = torch.full((40, 5), 0.3)
    dead = torch.zeros(40, 5)
    if rank in (rankme, effective_rank, stable_rank):
        assert rank(same) == pytest.approx(1, abs=1e-4)  # uncentred: one direction, the mean
    else:
        with pytest.raises(ValueError, match="complete collapse"):
            rank(same)
    with pytest.raises(ValueError, match="no spread"):
        rank(dead)


def test_std_lamp():
    assert embedding_std(torch.tensor([[1.0, 0], [-1, 0]])) == pytest.approx(0.70711, abs=5e-6)
    z = skewed()
    assert embedding_std(z) == pytest.approx(float(F.normalize(z, dim=1).std(dim=0).mean()), rel=1e-12)
    assert embedding_std(cloud(4000, 64)) * 8 == pytest.approx(1, rel=0.01)
    assert embedding_std(torch.ones(9, 4)) == 0
    assert embedding_std(5 * z) == pytest.approx(embedding_std(z))


def test_complete_collapse_is_invisible_to_scale_free_ranks():
    """Section 4: a shrunken cloud keeps its participation ratio; the std lamp and uniformity see it."""
    healthy, collapsed = cloud(400, 8), 100 + 0.01 * cloud(400, 8)
    assert participation_ratio(collapsed) == pytest.approx(participation_ratio(healthy), rel=1e-6)
    assert embedding_std(collapsed) < 1e-3 * embedding_std(healthy)
    assert uniformity(collapsed) > -1e-6


def test_dimensional_collapse_is_invisible_to_the_std_lamp():
    flat = torch.cat([cloud(400, 4), torch.zeros(400, 12, dtype=torch.float64)], dim=1) @ torch.linalg.qr(cloud(16, 16, seed=2)).Q
    assert embedding_std(flat) * 4 > 0.85
    assert participation_ratio(flat) < 4.1


@pytest.mark.parametrize(("first", "last"), [(0, 100), (2, 32), (9, 99), (5, 7)])
def test_alpha_of_a_power_law_is_its_exponent_over_any_window(first, last):
    eigen = 3.2 * torch.arange(1, 101, dtype=torch.float64) ** -1.5
    before = eigen.clone()
    alpha, explained = alpha_req(eigen, first=first, last=last)
    assert alpha == pytest.approx(1.5, rel=1e-10)
    assert explained == pytest.approx(1, rel=1e-10)
    assert torch.equal(eigen, before)


def test_alpha_is_the_weighted_fit_of_numpy():
    eigen = spectrum(skewed(2000, 40))
    rank = np.arange(3, 31)
    x, y = np.log(rank), eigen[2:30].log().numpy()
    slope, offset = np.polyfit(x, y, 1, w=np.sqrt(1 / rank))
    alpha, explained = alpha_req(eigen, first=2, last=30)
    assert alpha == pytest.approx(-slope, rel=1e-9)
    from sklearn.metrics import r2_score

    assert explained == pytest.approx(r2_score(y, slope * x + offset), rel=1e-9)
    assert alpha_req(eigen, first=10, last=40)[0] != pytest.approx(alpha, rel=1e-3)  # the window matters


def test_alpha_of_a_flat_spectrum():
    assert alpha_req(torch.ones(20), first=2, last=20) == (pytest.approx(0), 1.0)


def slow_lidar(z, q, delta):
    images = z.reshape(-1, q, z.shape[1]).numpy()
    n, _, d = images.shape
    means = images.mean(axis=1)
    between, within = np.zeros((d, d)), np.zeros((d, d))
    for i in range(n):
        between += np.outer(means[i] - means.mean(axis=0), means[i] - means.mean(axis=0)) / (n - 1)
        for v in range(q):
            within += np.outer(images[i, v] - means[i], images[i, v] - means[i]) / (n * (q - 1))
    values, vectors = np.linalg.eigh(within + delta * np.eye(d))
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    eigen = np.linalg.eigvalsh(root @ between @ root).clip(0) + 1e-8
    p = eigen / eigen.sum()
    return math.exp(-(p * np.log(p)).sum())


@pytest.mark.parametrize("delta", [1e-4, 0.1])
def test_lidar_slow_loop(delta, monkeypatch):
    centres = skewed(80, 5).repeat_interleave(3, dim=0)
    z = centres + 0.3 * cloud(240, 5, seed=4)
    assert lidar(z, views=3, delta=delta) == pytest.approx(slow_lidar(z, 3, delta), rel=1e-8)
    monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", 7 * 15)
    assert lidar(z, views=3, delta=delta) == pytest.approx(slow_lidar(z, 3, delta), rel=1e-8)


def test_lidar_alone_knows_the_positives():
    """Eight directions of equal size, two of them shared by the views: other ranks see eight, LiDAR two."""
    shared = torch.cat([cloud(300, 2), torch.zeros(300, 6, dtype=torch.float64)], dim=1).repeat_interleave(2, dim=0)
    private = torch.cat([0.01 * cloud(600, 2, seed=1), cloud(600, 6, seed=2)], dim=1)
    z = shared + private
    assert participation_ratio(z) > 7.5
    assert lidar(z, views=2) < 2.1


def test_everything_is_a_float():
    z = skewed()
    assert all(type(rank(z)) is float for rank in [*RANKS, self_cluster, embedding_std])
    assert all(type(part) is float for part in alpha_req(spectrum(z), first=2, last=10))
    assert spectrum(z).dtype == torch.float64


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_lidar_has_no_value_for_a_collapsed_cloud(noise):
    z = 1 + noise * torch.randn(800, 16, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="next to no spread between images"):
        lidar(z, views=2)
