import math

import pytest
import torch

from contrastive_lab.measures import participation_ratio, pca, pca_path, procrustes


def cloud(n=40, d=3, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def turn(d=3, seed=5, mirrored=False):
    q = torch.linalg.qr(cloud(d, d, seed)).Q
    flip = torch.linalg.det(q) < 0
    q[:, 0] *= -1 if bool(flip) != mirrored else 1
    return q


def test_finds_rotation_and_shift_again():
    onto = cloud() + 3
    torch.testing.assert_close(procrustes(onto @ turn() - 8, onto), onto)


def test_a_quarter_turn_by_hand():
    points, onto = torch.tensor([[1.0, 0], [-1, 0], [0, 2]]), torch.tensor([[0.0, 1], [0, -1], [-2, 0]])
    torch.testing.assert_close(procrustes(points, onto), onto)


def test_reflections_only_when_allowed():
    onto = cloud()
    mirrored = onto @ turn(mirrored=True)
    torch.testing.assert_close(procrustes(mirrored, onto), onto)
    rotated = procrustes(mirrored, onto, allow_reflection=False)
    assert float((rotated - onto).norm()) > 1
    orientation = torch.linalg.det((mirrored - mirrored.mean(dim=0)).T @ (rotated - rotated.mean(dim=0)))
    assert float(orientation) > 0


def test_equals_scipy():
    from scipy.linalg import orthogonal_procrustes

    points, onto = cloud(seed=1), cloud(seed=2) + 1
    centred, target = points - points.mean(dim=0), onto - onto.mean(dim=0)
    rotation, _ = orthogonal_procrustes(centred.numpy(), target.numpy())
    torch.testing.assert_close(procrustes(points, onto), centred @ torch.from_numpy(rotation) + onto.mean(dim=0))


def test_no_scaling_because_it_hides_collapse():
    onto = cloud()
    shrunk = procrustes(0.01 * onto @ turn(), onto)
    assert float((shrunk - shrunk.mean(dim=0)).norm()) == pytest.approx(0.01 * float((onto - onto.mean(dim=0)).norm()))


def test_best_of_all_turns_in_the_plane():
    points, onto = cloud(15, 2, seed=1), cloud(15, 2, seed=2)
    centred, target = points - points.mean(dim=0), onto - onto.mean(dim=0)
    reached = float((procrustes(points, onto) - onto).square().sum())
    for mirror in (1.0, -1.0):
        for step in range(360):
            c, s = math.cos(math.radians(step)), math.sin(math.radians(step))
            other = centred @ torch.tensor([[c, mirror * -s], [s, mirror * c]], dtype=torch.float64)
            assert float((other - target).square().sum()) >= reached - 1e-9


def test_pca_equals_scikit_learn_up_to_signs():
    from sklearn.decomposition import PCA

    z = cloud(200, 6) @ torch.diag(torch.arange(1.0, 7, dtype=torch.float64))
    theirs = torch.from_numpy(PCA(3, svd_solver="full").fit_transform(z.numpy()))
    torch.testing.assert_close(pca(z, dim=3).abs(), theirs.abs(), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(pca(z, dim=2), pca(z, dim=3)[:, :2])


def test_pca_has_one_sign_whatever_the_machine_returns():
    z = cloud(200, 4) @ torch.diag(torch.tensor([4.0, 3, 2, 1], dtype=torch.float64))
    torch.testing.assert_close(pca(-z), -pca(z))
    assert pca(z.float()).dtype == torch.float32


def jitter(path):
    steps = (path[1:] - path[:-1]).norm(dim=2).median()
    return float(steps / (path.amax() - path.amin()))


def test_path_holds_still_where_single_projections_spin():
    z = cloud(300, 8) @ torch.diag(torch.tensor([2.0, 2.0, 1, 1, 1, 1, 1, 1], dtype=torch.float64))  # two nearly equal axes
    frames = [z @ turn(8, seed) + 0.01 * cloud(300, 8, seed) for seed in range(6)]
    path = pca_path(frames)
    assert path.shape == (6, 300, 2)
    assert jitter(path) < 0.05
    assert jitter(torch.stack([pca(frame) for frame in frames])) > 3 * jitter(path)


def test_path_keeps_the_size_of_each_epoch():
    z = cloud(100, 5)
    path = pca_path(torch.stack([z, 0.1 * z, 0.01 * z]))
    torch.testing.assert_close(path[1], 0.1 * path[0])
    torch.testing.assert_close(path[2], 0.01 * path[0])
    assert participation_ratio(path[0]) == pytest.approx(participation_ratio(path[2]))


def test_epochs_may_differ_in_width_but_not_in_images():
    assert pca_path([cloud(20, 5), cloud(20, 9)]).shape == (2, 20, 2)
    with pytest.raises(ValueError, match=r"frames\[1\] has 19 rows"):
        pca_path([cloud(20, 5), cloud(19, 5)])
