import math

import pytest
import torch
import torch.nn.functional as F
from tiny import made_settings, made_world

from contrastive_lab.methods import (
    METHODS,
    PixContrast,
    PixelPropagation,
    PixPro,
    Progress,
    cell_centers,
    cell_distances,
    crop_box,
    pixcontrast_loss,
    pixel_consistency_loss,
    pixpro_loss,
    positive_mask,
)
from contrastive_lab.networks import Wrapped, make_backbone
from contrastive_lab.training import augmentation_for
from contrastive_lab.views import Batch

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


def test_maps_of_two_sizes_are_matched_by_place():
    """A 2 x 4 map of the whole image against a 1 x 2 map: its cells lie 0.25 and 0.75 across, half way down."""
    pred, target = torch.randn(1, 3, 2, 4, dtype=torch.float64), torch.randn(1, 3, 1, 2, dtype=torch.float64)
    longest = math.hypot(0.5, 1.0)
    x, y = F.normalize(pred, dim=1)[0], F.normalize(target, dim=1)[0]
    near = [(r, c, k) for r in (0, 1) for c in range(4) for k in (0, 1) if math.hypot((c + 0.5) / 4 - (k + 0.5) / 2, 0.25) < 0.4 * longest]
    assert len(near) == 8
    expected = -sum((x[:, r, c] * y[:, 0, k]).sum() for r, c, k in near) / len(near)
    close(pixel_consistency_loss(pred, target, WHOLE, WHOLE, threshold=0.4), expected)


def test_half_precision_does_not_flip_pairs_near_the_threshold():
    """Neighbours are 0.707 diagonals apart, which float16 centres would blur: boxes that it holds exactly must give the exact mask."""
    boxes = (random_boxes(64, 0) * 256).round() / 256
    assert torch.equal(boxes.half().double(), boxes)
    for threshold in (0.7, 0.70710678):
        mask = positive_mask(boxes.half(), boxes.roll(1, 0).half(), size_q=(6, 6), threshold=threshold)
        assert torch.equal(mask, positive_mask(boxes.float(), boxes.roll(1, 0).float(), size_q=(6, 6), threshold=threshold))


def test_every_image_has_its_own_crops():
    """Public versions draw one crop for the batch or sum all images in one ratio; here a batch is the mean of its images."""
    maps = [torch.randn(4, 3, 2, 2, dtype=torch.float64) for _ in range(4)]
    one, two = random_boxes(4, 0), random_boxes(4, 1)
    for loss in (pixpro_loss, pixcontrast_loss):
        alone = [loss(*(m[n : n + 1] for m in maps), one[n : n + 1], two[n : n + 1]) for n in range(4)]
        close(loss(*maps, one, two), torch.stack(alone).mean())
        assert torch.stack(alone).std() > 0.01


def test_one_image_with_one_cell():
    x = torch.randn(1, 3, 1, 1, dtype=torch.float64)
    close(pixpro_loss(x, x, x, x, WHOLE, WHOLE).item(), -2.0)
    close(pixcontrast_loss(x, -x, x, -x, WHOLE, WHOLE).item(), 0.0)
    close(F.normalize(PixelPropagation(3, num_layers=0)(x), dim=1), F.normalize(x, dim=1))


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


def test_gradients_agree_with_finite_differences_and_lengths_do_not_matter():
    maps = [torch.randn(3, 2, 2, 2, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(4)]
    one, two = random_boxes(3, 0), random_boxes(3, 1)
    for loss in (pixpro_loss, pixcontrast_loss):
        close(loss(*(factor * m for factor, m in zip((2, 3, 0.1, 7), maps, strict=True)), one, two), loss(*maps, one, two))
        y1, y2 = (maps[i].clone().requires_grad_() for i in (0, 2))
        assert torch.autograd.gradcheck(lambda a, b, loss=loss: loss(a, maps[1], b, maps[3], one, two), (y1, y2))


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
        (lambda x, b: pixel_consistency_loss(x, x, b[:, :3], b), "boxes_pred has shape"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b[:1]), "boxes_target has 1 rows"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b * 0), r"boxes_target\[0\] is \[0.0, 0.0, 0.0, 0.0\], which has no area"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b * math.nan), r"boxes_target\[0\] is \[nan, .* must be finite"),
        (lambda x, b: pixpro_loss(x, x, x, x, b, b[:, :2]), "boxes2 has shape"),
        (lambda x, b: pixcontrast_loss(x, x, x, x, b * math.inf, b), r"boxes1\[0\] is"),
        (lambda x, b: pixel_consistency_loss(x * math.nan, x, b, b), "feature maps hold 24 non-finite values"),
        (lambda x, b: pixcontrast_loss(x, x, x, x / 0, b, b), "feature maps hold 24 non-finite values"),
        (lambda x, b: pixel_consistency_loss(x[..., :0], x, b, b), "feature maps"),
        (lambda x, b: pixel_consistency_loss(x, x, b, b, threshold=0.0), "threshold is 0.0"),
        (lambda x, b: pixcontrast_loss(x, x, x, x, b, b, temperature=0.0), "temperature is 0.0"),
        (lambda x, b: PixelPropagation(3, gamma=0.0), "gamma is 0.0"),
        (lambda x, b: PixelPropagation(3, num_layers=3), "num_layers is 3"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(2, 3, 2, 2), random_boxes(2, 0).float())


def test_integers_are_refused(unchecked):
    x, boxes = torch.randn(2, 3, 2, 2), random_boxes(2, 0).float()
    with pytest.raises(TypeError, match="feature maps have dtypes"):
        pixel_consistency_loss(x, x.long(), boxes, boxes)
    with pytest.raises(TypeError, match="boxes_q has dtype"):
        positive_mask(boxes.long(), boxes, size_q=(2, 2))


def made(kind=PixPro, **options):
    torch.manual_seed(0)
    return kind.build(lambda dense: make_backbone(width=2, image_size=16, dense=dense), hidden_dim=8, out_dim=4, **options)


def made_views(count=4):
    views = torch.randn(2, count, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return *views, random_boxes(count, 0).float(), random_boxes(count, 1).float()


@pytest.mark.parametrize("kind", [PixPro, PixContrast])
def test_a_step_compares_each_view_with_the_twin_of_the_other(kind):
    method, (one, two, boxes1, boxes2) = made(kind), made_views()
    both = torch.cat([one, two])
    x = method.projector(method.encoder.feature_map(both))
    y1, y2 = (x if method.ppm is None else method.ppm(x)).chunk(2)
    with torch.no_grad():
        k1, k2 = method.twin(both)[0].chunk(2)
    loss = pixpro_loss if kind is PixPro else pixcontrast_loss
    told = method.training_step(one, two, boxes1, boxes2)
    close(told["loss"], loss(y1, k2, y2, k1, boxes1, boxes2))
    assert told.keys() == {"loss", "cells with a match", "matches per matched cell", "cell spread"}
    assert not any(parameter.requires_grad for parameter in method.twin.parameters())


def test_the_instance_branch_adds_its_weight_times_the_cosines_of_averages():
    (one, two, boxes1, boxes2), losses = made_views(), []
    for weight in (0.5, 1.0):
        method = made(instance_weight=weight)
        cells = method.encoder.feature_map(torch.cat([one, two]))
        predicted = method.predictor(method.instance_projector(cells).mean(dim=(2, 3), keepdim=True)).flatten(1)
        target = method.twin(torch.cat([one, two]))[1]
        p, t = F.normalize(predicted, dim=1).chunk(2), F.normalize(target, dim=1).chunk(2)
        expected = -((p[0] * t[1]).sum(1) + (p[1] * t[0]).sum(1)).mean()
        losses.append(method.training_step(one, two, boxes1, boxes2)["loss"])
    close(losses[1] - losses[0], 0.5 * expected)


def test_the_twin_follows_by_a_cosine_from_the_base_momentum_to_one():
    for total, expected in ((None, 0.995), (20, 1 - 0.005 * (math.cos(math.pi / 4) + 1))):
        method = made(total_steps=total)
        before = method.twin.module.projector.layers[0].weight.clone()
        with torch.no_grad():
            method.projector.layers[0].weight.add_(1.0)
        method.after_update(Progress(5, 10, 5))
        close(method.twin.module.projector.layers[0].weight - before, torch.full_like(before, 1 - expected), rtol=1e-3, atol=0)
    method.after_update(Progress(20, 20, 5))
    close(method.twin.module.projector.layers[0].weight, before + 1 - expected)


def test_collapsed_cells_show_in_the_spread():
    x = torch.randn(8, 16, 4, 4)
    boxes = random_boxes(4, 0), random_boxes(4, 1)
    assert made().diagnose(x, *boxes)["cell spread"] > 0.9
    assert made().diagnose(torch.ones_like(x), *boxes)["cell spread"] < 1e-6


def test_matches_are_counted():
    boxes = torch.cat([WHOLE, torch.tensor([[0.0, 0.0, 0.2, 0.2]])]), torch.cat([WHOLE, torch.tensor([[0.6, 0.6, 1.0, 1.0]])])
    logs = made().diagnose(torch.randn(4, 4, 3, 3), *boxes)
    close([logs["cells with a match"].item(), logs["matches per matched cell"].item()], [0.5, 1.0])


def test_the_two_views_differ_in_blur_and_solarising():
    usual = augmentation_for(made_settings("pixpro", augmentation={"blur": 0.5}), made_world(8))
    views = made().make_views(usual)
    assert views.first == usual
    assert (views.second.blur, views.second.solarise) == (0.1, 0.2)
    assert made().make_views(augmentation_for(made_settings("pixpro"), made_world(8))).second.blur == 0


def test_recipes_for_photographs_have_the_papers_colours_and_crops_that_overlap():
    for kind, width in (("cifar10", 128), ("stl10", 256)):
        recipe = METHODS["pixpro"].recipe(kind)
        assert recipe.augmentation["jitter"] == (0.4, 0.4, 0.2, 0.1)
        assert (recipe.options["hidden_dim"], recipe.options["out_dim"]) == (1024, width)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_momentum": 1.0}, "base_momentum is 1.0"),
        ({"threshold": 0.0}, "threshold is 0.0"),
        ({"total_steps": 0}, "total_steps is 0"),
        ({"instance_weight": -1.0}, r"instance_weight is -1\.0"),
        ({"instance_weight": 1.0, "base_momentum": 0.0}, "base_momentum is 0.0"),
    ],
)
def test_settings_that_can_not_work_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)


@pytest.mark.parametrize("size", [7, (7,), (0, 7), (7, 7, 7)])
def test_a_map_has_a_height_and_a_width(size, unchecked):
    with pytest.raises(ValueError, match=r"size of the map is .*, but must be \(height, width\), both at least 1"):
        cell_centers(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), size=size)


@pytest.mark.parametrize("kind", [PixPro, PixContrast])
def test_a_map_of_one_cell_is_refused(kind):
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 16, stride=16))
    method = kind.build(lambda dense: Wrapped(layers, dim=4), hidden_dim=8, out_dim=4)
    views, boxes = (torch.randn(2, 3, 16, 16),) * 2, (torch.tensor([[0.0, 0.0, 16.0, 16.0]] * 2),) * 2
    with pytest.raises(ValueError, match="maps of one cell for images of 16 pixels"):
        method.step(Batch(views, boxes))


def test_an_encoder_that_is_no_backbone_is_told_the_remedy(unchecked):
    with pytest.raises(TypeError, match=r"encoder is a Conv2d, but must be a Backbone; wrap it"):
        PixPro.build(lambda dense: torch.nn.Conv2d(3, 4, 3))
