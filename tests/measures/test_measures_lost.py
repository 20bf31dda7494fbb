import numpy as np
import pytest
import torch

from contrastive_lab.measures import Box, box_iou, corloc, lost_box
from contrastive_lab.measures.lost import lost_from_similarity

STRIP = torch.tensor([[1.0], [1], [-1], [1], [-1], [1]])


def test_strip_worked_example():
    box = lost_box(STRIP, grid=(1, 6), patch=8, k=2)
    assert isinstance(box, Box)
    assert box.degrees.tolist() == [3, 3, 1, 3, 1, 3]
    assert box.seed == 2
    assert tuple(box[:4]) == (16, 0, 24, 8)


def slow_lost(features, rows, columns, k):
    from scipy.ndimage import label

    p = len(features)
    product = features @ features.T
    degree = [sum(product[i, j] > 0 for j in range(p) if j != i) for i in range(p)]
    order = sorted(range(p), key=lambda i: (degree[i], i))
    votes = np.zeros(p)
    for patch in order[:k]:
        if product[order[0], patch] > 0:
            votes += product[patch]
    parts = label(votes.reshape(rows, columns) > 0)[0]  # scipy's default neighbours are the four
    r, c = np.where(parts == parts[order[0] // columns, order[0] % columns])
    return (c.min(), r.min(), c.max() + 1, r.max() + 1), order[0], degree


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("k", [1, 5, 100])
def test_slow_loop(seed, k):
    features = torch.randn(42, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    corners, start, degrees = slow_lost(features.numpy(), 6, 7, k)
    box = lost_box(features, grid=(6, 7), patch=1, k=k)
    assert tuple(box[:4]) == corners
    assert (box.seed, box.degrees.tolist()) == (start, degrees)


def test_finds_an_object_that_differs_from_its_background():
    features = torch.tensor([[1.0, 0.2]]).repeat(64, 1)
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[2:5, 3:7] = True
    features[inside.flatten()] = torch.tensor([-1.0, 0.3])
    assert tuple(lost_box(features, grid=(8, 8), patch=4)[:4]) == (12, 8, 28, 20)


def test_component_does_not_wrap_around_the_edge_nor_cross_diagonals():
    features = torch.tensor([[1.0]]).repeat(12, 1)
    features[[3, 4]] = -1.0  # last cell of row 0, first of row 1
    assert tuple(lost_box(features, grid=(3, 4), patch=1)[:4]) == (3, 0, 4, 1)
    features = torch.tensor([[1.0]]).repeat(12, 1)
    features[[0, 5]] = -1.0
    assert tuple(lost_box(features, grid=(3, 4), patch=1)[:4]) == (0, 0, 1, 1)


def test_degree_ties_go_to_the_lowest_index():
    features = torch.eye(300)  # all degrees 0; an unstable sort would start anywhere
    assert lost_box(features, grid=(15, 20), patch=1).seed == 0


def test_box_iou():
    assert box_iou((0, 0, 4, 4), (2, 2, 6, 6)) == pytest.approx(0.142857, abs=1e-6)
    assert box_iou((0, 0, 4, 4), (0, 0, 4, 4)) == 1.0
    assert box_iou((0, 0, 1, 1), (1, 0, 2, 1)) == 0.0  # touching is not overlapping
    assert box_iou((0, 0, 1, 1), (5, 5, 6, 6)) == 0.0  # nor is a product of two negative sides
    assert box_iou(lost_box(STRIP, grid=(1, 6), patch=8, k=2), (16, 0, 24, 16)) == pytest.approx(0.5)


def test_box_iou_equals_torchvision():
    from torchvision.ops import box_iou as reference

    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        corner, side = torch.rand(2, 2, generator=generator), torch.rand(2, 2, generator=generator) + 0.05
        boxes = torch.cat([corner, corner + side], dim=1)
        assert box_iou(boxes[0].tolist(), boxes[1].tolist()) == pytest.approx(float(reference(boxes[:1], boxes[1:])), rel=1e-5, abs=1e-7)


def test_corloc_is_per_cent_of_images_with_any_true_box():
    boxes = [(0, 0, 2, 2), (0, 0, 2, 2), (0, 0, 2, 2)]
    truths = [[(0, 0, 2, 4)], [(5, 5, 6, 6), (0, 0, 2, 2)], [(1, 1, 3, 3)]]  # IoU 0.5 counts, 1/7 not
    assert corloc(boxes, truths) == pytest.approx(200 / 3)
    assert corloc(boxes, truths, threshold=0.6) == pytest.approx(100 / 3)


def test_products_alone_are_enough():
    features = torch.randn(20, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    one, two = lost_box(features, grid=(4, 5), patch=8, k=6), lost_from_similarity(features @ features.T, grid=(4, 5), patch=8, k=6)
    assert one[:5] == two[:5]
    assert torch.equal(one.degrees, two.degrees)
    with pytest.raises(ValueError, match="similarity has shape"):
        lost_from_similarity(torch.zeros(6, 6, dtype=torch.float64), grid=(4, 5), patch=8)
