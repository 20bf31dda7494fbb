import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.measures import (
    attention_mass_mask,
    best_mask_iou,
    locality_auroc,
    mask_iou,
    pixel_correspondence,
    pointing_hit,
    self_similarity,
)


def cells(p=30, d=4, seed=0):
    return torch.randn(p, d, generator=torch.Generator().manual_seed(seed))


def blob(rows=5, columns=6):
    mask = torch.zeros(rows, columns, dtype=torch.bool)
    mask[1:4, 2:5] = True
    return mask


def test_self_similarity_of_rows_and_maps_agree():
    features = cells()
    cosines = self_similarity(features)
    slow = torch.tensor([[float(F.cosine_similarity(a, b, dim=0)) for b in features] for a in features])
    torch.testing.assert_close(cosines, slow)
    feature_map = features.T.reshape(4, 5, 6)
    torch.testing.assert_close(self_similarity(feature_map), cosines)
    torch.testing.assert_close(self_similarity(features * torch.rand(30, 1).add(0.1)), cosines)


def test_auroc_equals_scikit_learn():
    from sklearn.metrics import roc_auc_score

    features, mask = cells(), blob()
    cosines, inside = self_similarity(features.double()), mask.flatten()
    scores = []
    for query in inside.nonzero()[:, 0].tolist():
        others = torch.arange(30) != query
        scores.append(roc_auc_score(inside[others].numpy(), cosines[query, others].numpy()))
    assert locality_auroc(features, mask) == pytest.approx(sum(scores) / len(scores), abs=1e-9)


def test_auroc_ends_and_ties():
    mask = blob()
    inside = mask.flatten()
    knows = torch.where(inside[:, None], torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]]))
    assert locality_auroc(knows, mask) == 1.0
    assert locality_auroc(torch.ones(30, 7) * 0.3, mask) == 0.5  # all tie
    assert locality_auroc((cells(30, 1).abs() + 0.1) * cells(1, 64, seed=9), mask) == 0.5  # one direction in many lengths
    half = torch.where(torch.arange(30)[:, None] % 2 == 0, torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]]))
    from sklearn.metrics import roc_auc_score

    expected = []
    for query in inside.nonzero()[:, 0].tolist():
        others = torch.arange(30) != query
        expected.append(roc_auc_score(inside[others].numpy(), self_similarity(half)[query, others].numpy()))
    assert locality_auroc(half, mask) == pytest.approx(sum(expected) / len(expected))


def test_auroc_leaves_the_query_out():
    """Two object cells that oppose each other: counting the query itself would lift 0 to one half."""
    features = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, 1]])
    mask = torch.tensor([[True, True], [False, False]])
    assert locality_auroc(features, mask) == 0.0


def test_auroc_is_scale_free_and_sees_collapsed_maps():
    features, mask = cells(), blob()
    narrow = 1 + 1e-4 * cells(30, 4).double()
    assert locality_auroc(5 * features, mask) == pytest.approx(locality_auroc(features, mask))
    from sklearn.metrics import roc_auc_score

    unit = F.normalize(narrow, dim=1)
    distance = -torch.cdist(unit, unit, compute_mode="donot_use_mm_for_euclid_dist")
    inside, scores = mask.flatten(), []
    for query in inside.nonzero()[:, 0].tolist():
        others = torch.arange(30) != query
        scores.append(roc_auc_score(inside[others].numpy(), distance[query, others].numpy()))
    assert locality_auroc(narrow, mask) == pytest.approx(sum(scores) / len(scores), abs=0.01)


def test_slices_do_not_change_the_auroc(monkeypatch):
    whole = locality_auroc(cells(), blob())
    for elements in (1, 31):
        monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", elements)
        assert locality_auroc(cells(), blob()) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("threshold", [-1, -0.2, 0, 0.5, 0.9])
def test_mask_iou_equals_scikit_learns_jaccard(threshold):
    from sklearn.metrics import jaccard_score

    features, mask = cells(), blob()
    found = self_similarity(features.double())[8] > threshold
    expected = jaccard_score(mask.flatten().numpy(), found.numpy())
    assert mask_iou(features, mask, query=8, threshold=threshold) == pytest.approx(expected)


def test_mask_iou_by_hand():
    features = torch.tensor([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]])
    mask = torch.tensor([[True, True], [True, False]])
    assert mask_iou(features, mask, query=0, threshold=0.5) == pytest.approx(2 / 3)
    assert mask_iou(features, mask, query=0, threshold=1.5) == 0
    assert mask_iou(features, mask, query=3, threshold=-2) == pytest.approx(3 / 4)
    assert best_mask_iou(features, mask, query=0) == (1.0, pytest.approx(-0.5))


@pytest.mark.parametrize("query", [0, 8, 20])
def test_best_mask_iou_tries_every_threshold(query):
    features, mask = cells().round(), blob()  # rounding makes ties
    features[features.abs().sum(dim=1) == 0] = 1
    every = [mask_iou(features, mask, query=query, threshold=t / 1000) for t in range(-1001, 1000)]
    best, threshold = best_mask_iou(features, mask, query=query)
    assert best == pytest.approx(max(every))
    assert mask_iou(features, mask, query=query, threshold=threshold) == pytest.approx(best)


def test_attention_mass_worked_example():
    attention = torch.tensor([[0.5, 0.3, 0.15, 0.05]])
    assert attention_mass_mask(attention, keep=0.6).tolist() == [[True, True, False, False]]
    assert attention_mass_mask(attention, keep=0.5).tolist() == [[True, False, False, False]]
    assert attention_mass_mask(attention, keep=1).all()
    assert attention_mass_mask(attention * 7, keep=0.6).tolist() == [[True, True, False, False]]


def test_attention_mass_slow_loop_and_ties():
    attention = cells(6, 5).abs()
    kept, mass = set(), 0.0
    for value, cell in sorted(((-v, i) for i, v in enumerate(attention.flatten().tolist()))):
        if mass >= 0.6 * float(attention.sum()):
            break
        kept.add(cell)
        mass -= value
    assert set(attention_mass_mask(attention).flatten().nonzero()[:, 0].tolist()) == kept
    assert attention_mass_mask(torch.ones(2, 3), keep=0.5).tolist() == [[True, True, True], [False, False, False]]


def test_pointing():
    mask = torch.tensor([[False, True], [False, False]])
    assert pointing_hit(torch.tensor([[0.1, 0.9], [0.2, -1]]), mask) is True
    assert pointing_hit(torch.tensor([[0.9, 0.9], [0.2, -1]]), mask) is False  # equal heat: the first cell counts


def corners(size=2, step=1.0, offset=0.0):
    return torch.tensor([[offset + (c + 0.5) * step, (r + 0.5) * step] for r in range(size) for c in range(size)])


def test_correspondence_worked_example():
    centers, features = corners(), torch.eye(4)
    accuracy, partners = pixel_correspondence(features, features, centers, centers, cell_q=(1, 1), cell_k=(1, 1))
    assert accuracy == 1.0
    assert torch.equal(partners, torch.eye(4, dtype=torch.bool))
    _, wider = pixel_correspondence(features, features, centers, centers, cell_q=(1, 1), cell_k=(1, 1), ratio=0.75)
    assert wider.sum(dim=1).tolist() == [3, 3, 3, 3]  # the neighbours at 0.7071 too, the diagonal at 1.0 not


def test_correspondence_slow_loop():
    centers_q, centers_k = corners(4, 1.0), corners(5, 1.4, offset=1.3)
    features_q, features_k = cells(16, 5, seed=1), cells(25, 5, seed=2)
    accuracy, partners = pixel_correspondence(features_q, features_k, centers_q, centers_k, cell_q=(1, 1), cell_k=(-1.4, 1.4))
    reach = 0.7 * math.hypot(1.4, 1.4)
    right = counted = 0
    for q, k in itertools.product(range(16), range(25)):
        assert bool(partners[q, k]) == (math.dist(centers_q[q].tolist(), centers_k[k].tolist()) < reach)
    for q in range(16):
        if partners[q].any():
            counted += 1
            nearest = max(range(25), key=lambda k: float(F.cosine_similarity(features_q[q], features_k[k], dim=0)))
            right += bool(partners[q, nearest])
    assert 0 < counted < 16
    assert accuracy == pytest.approx(right / counted)


def test_mirrored_crops_and_their_cells():
    centers, features = corners(), torch.eye(4)
    mirrored = centers[[1, 0, 3, 2]]
    accuracy, partners = pixel_correspondence(features, features[[1, 0, 3, 2]], centers, mirrored, cell_q=(1, 1), cell_k=(-1, 1))
    assert accuracy == 1.0
    assert partners.nonzero().tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]


def test_crops_that_share_nothing_raise():
    with pytest.raises(ValueError, match="share no place"):
        pixel_correspondence(torch.eye(4), torch.eye(4), corners(), corners(offset=50), cell_q=(1, 1), cell_k=(1, 1))
