import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.methods import (
    PixelPropagation,
    cell_centers,
    crop_box,
    pixcontrast_loss,
    pixel_consistency_loss,
    pixpro_loss,
    positive_mask,
)
from contrastive_lab.methods.pixpro import cell_distances

close = torch.testing.assert_close
WHOLE = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
MIRRORED = torch.tensor([[1.0, 0.0, 0.0, 1.0]], dtype=torch.float64)


def cells(*vectors, size=(2, 2)):
    return torch.tensor(vectors, dtype=torch.float64).T.reshape(1, len(vectors[0]), *size)


def random_boxes(n, seed):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(n, 2, generator=generator, dtype=torch.float64) * 0.4
    far = corner + 0.3 + 0.3 * torch.rand(n, 2, generator=generator, dtype=torch.float64)
    boxes = torch.cat([corner, far], dim=1)
    boxes[::2] = boxes[::2][:, [2, 1, 0, 3]]
    return boxes


def slow_matches(box_q, box_k, size, threshold):
    (h, w), out = size, {}
    bins = [((b[2] - b[0]) / w, (b[3] - b[1]) / h) for b in (box_q, box_k)]
    longest = max(math.hypot(*b) for b in bins)
    for i in range(h * w):
        for j in range(h * w):
            (xi, yi), (xj, yj) = (
                (box[0] + (cell % w + 0.5) * size_[0], box[1] + (cell // w + 0.5) * size_[1])
                for box, size_, cell in ((box_q, bins[0], i), (box_k, bins[1], j))
            )
            out[i, j] = math.hypot(xi - xj, yi - yj) / longest < threshold
    return out


def test_worked_example_of_mask_and_loss():
    mask = positive_mask(WHOLE, MIRRORED, size_q=(2, 2))[0]
    assert mask.nonzero().tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]
    pred = cells([1, 0], [0, 1], [-1, 0], [0, -1])
    target = cells([0, 1], [1, 0], [0, 1], [0.6, 0.8])
    close(pixel_consistency_loss(pred, target, WHOLE, MIRRORED).item(), -0.1)


def test_worked_example_of_propagation():
    x = cells([1.0, 0.0], [3.0, 4.0], size=(1, 2))
    released = PixelPropagation(2, num_layers=0)(x).flatten(2)[0].T
    close(released, torch.tensor([[1.216, 0.288], [0.96, 0.8]], dtype=torch.float64))
    literal = PixelPropagation(2, num_layers=0, normalize_value=False)(x).flatten(2)[0].T
    close(literal, torch.tensor([[2.08, 1.44], [3.36, 4.0]], dtype=torch.float64))


def test_worked_example_of_pixcontrast():
    box = torch.tensor([[0, 0, 1, 0.5]], dtype=torch.float64)
    x = cells([1.0, 0.0], [0.0, 1.0], size=(1, 2))
    close(pixcontrast_loss(x, x, x, x, box, box, temperature=1.0).item(), 0.313262, atol=1e-6, rtol=0)


def test_identical_crops_match_themselves_only_and_half_a_cell_matches_four():
    assert torch.equal(positive_mask(WHOLE, WHOLE, size_q=(3, 3))[0], torch.eye(9, dtype=torch.bool))
    shifted = WHOLE + 1 / 6
    distances = cell_distances(WHOLE, shifted, size_q=(3, 3))[0]
    assert ((distances - 0.5).abs() < 1e-9).sum(dim=1).max() == 4


@pytest.mark.parametrize("size", [(2, 2), (3, 5)])
def test_mask_equals_loops_and_is_symmetric(size):
    one, two = random_boxes(6, 0), random_boxes(6, 1)
    mask = positive_mask(one, two, size_q=size)
    for n in range(6):
        expected = slow_matches(one[n].tolist(), two[n].tolist(), size, 0.7)
        assert {tuple(p) for p in mask[n].nonzero().tolist()} == {p for p, hit in expected.items() if hit}
    assert torch.equal(positive_mask(two, one, size_q=size), mask.transpose(1, 2))
    assert torch.equal(positive_mask(32 * one, 32 * two, size_q=size), mask)


def test_losses_equal_loops():
    maps = [torch.randn(4, 3, 2, 3, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(4)]
    one, two = random_boxes(4, 0), random_boxes(4, 1)

    def direction(a, b, box_a, box_b, temperature):
        pull, contrast = 0.0, 0.0
        for n in range(4):
            x, y = (F.normalize(m[n].flatten(1).T, dim=1) for m in (a, b))
            hits = slow_matches(box_a[n].tolist(), box_b[n].tolist(), (2, 3), 0.7)
            pairs = [(x[i] @ y[j]) for (i, j), hit in hits.items() if hit]
            pull -= sum(pairs) / max(len(pairs), 1)
            rows = []
            for i in range(6):
                found = [(x[i] @ y[j] / temperature).exp() for j in range(6) if hits[i, j]]
                if found:
                    rows.append(-(sum(found) / sum((x[i] @ y[j] / temperature).exp() for j in range(6))).log())
            contrast += sum(rows) / max(len(rows), 1)
        return pull / 4, contrast / 4

    forth, back = direction(maps[0], maps[1], one, two, 0.3), direction(maps[2], maps[3], two, one, 0.3)
    close(pixpro_loss(*maps, one, two), forth[0] + back[0])
    close(pixcontrast_loss(*maps, one, two), (forth[1] + back[1]) / 2)


def test_mirrored_ramp_matches_its_own_columns():
    """Forgetting to mirror the box pairs left with right, and the loss still falls."""
    ramp = torch.linspace(0.5, 3.5, 4).expand(4, 4)
    feature = torch.stack([ramp, torch.ones(4, 4)])[None]
    boxes = torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[1.0, 0, 0, 1]])
    close(pixel_consistency_loss(feature, feature.flip(3), *boxes).item(), -1.0)
    assert pixel_consistency_loss(feature, feature.flip(3), boxes[0], boxes[0]) > -0.99


def test_crop_boxes_have_the_places_of_their_cells():
    box = crop_box(top=8, left=4, height=16, width=8, image_size=32, hflip=True)
    close(box, torch.tensor([12 / 32, 8 / 32, 4 / 32, 24 / 32]))
    centers = cell_centers(box[None], size=(2, 2))[0]
    close(centers[0], torch.tensor([10 / 32, 12 / 32]))


def test_pairs_without_overlap_cost_nothing_and_count():
    maps = torch.randn(2, 3, 2, 2, requires_grad=True)
    near = torch.tensor([[0.0, 0, 0.2, 0.2], [0.0, 0, 1, 1]])
    far = torch.tensor([[0.7, 0.7, 1, 1], [0.0, 0, 1, 1]])
    close(pixel_consistency_loss(maps, maps.detach(), near, far).item(), -0.5)
    nothing = pixel_consistency_loss(maps[:1], maps[:1].detach(), near[:1], far[:1])
    alone = pixcontrast_loss(maps[:1], maps[:1], maps[:1], maps[:1], near[:1], far[:1])
    (nothing + alone).backward()
    assert nothing == 0
    assert alone == 0
    close(maps.grad, torch.zeros_like(maps))


def test_propagation_uses_all_cells_and_both_gradients():
    torch.manual_seed(0)
    ppm = PixelPropagation(4, num_layers=2)
    similarity = ppm.similarity(torch.randn(2, 4, 3, 3))
    close(similarity.diagonal(dim1=1, dim2=2), torch.ones(2, 9))
    assert similarity.min() >= 0
    x = torch.randn(1, 4, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(PixelPropagation(4, num_layers=0, gamma=0.5), (x,))
    assert torch.autograd.gradcheck(PixelPropagation(4, num_layers=1).double(), (x,))


def test_target_gets_no_gradient():
    pred, target = torch.randn(1, 3, 2, 2, requires_grad=True), torch.randn(1, 3, 2, 2, requires_grad=True)
    (pixpro_loss(pred, target, pred, target, WHOLE, WHOLE) + pixcontrast_loss(pred, target, pred, target, WHOLE, WHOLE)).backward()
    assert target.grad is None
    assert pred.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_for_zero_features_in_low_precision(dtype):
    zero = torch.zeros(2, 3, 2, 2, dtype=dtype, requires_grad=True)
    boxes = random_boxes(2, 0).float()
    y = PixelPropagation(3, num_layers=0, gamma=0.5)(zero)
    loss = pixpro_loss(y, zero, y, zero, boxes, boxes) + pixcontrast_loss(zero, zero, zero, zero, boxes, boxes, temperature=0.01)
    loss.backward()
    assert loss.isfinite()
    assert zero.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, b: pixel_consistency_loss(x[0], x, b, b), "feature maps"),
        (lambda x, b: pixel_consistency_loss(x, x[:, :2], b, b), "feature maps"),
        (lambda x, b: pixel_consistency_loss(x, x, b[:, :3], b), "boxes_q has shape"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b[:1]), "boxes_k"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b * 0), "no area"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b * math.nan), "non-finite"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b, threshold=0.0), "threshold is 0.0"),
        (lambda x, b: pixcontrast_loss(x, x, x, x, b, b, temperature=0.0), "temperature is 0.0"),
        (lambda x, b: PixelPropagation(3, gamma=0.0), "gamma is 0.0"),
        (lambda x, b: PixelPropagation(3, num_layers=3), "num_layers is 3"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(2, 3, 2, 2), random_boxes(2, 0).float())
