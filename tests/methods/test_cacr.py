import math

import pytest
import torch
import torch.nn.functional as F
from tiny import OPTIONS, made_settings

from contrastive_lab.methods import (
    CACR,
    alignment_loss,
    cacr_attraction,
    cacr_explicit_loss,
    cacr_loss,
    cacr_queue_loss,
    cacr_repulsion,
    cacr_weights,
    uniformity_loss,
)
from contrastive_lab.networks import make_backbone
from contrastive_lab.training.prepare import build
from contrastive_lab.views import Batch

close = torch.testing.assert_close


def random_views(v=3, n=5, d=4, seed=0):
    return torch.randn(v, n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_weights(costs, t):
    factors = [math.exp(t * c) for c in costs]
    return [f / sum(factors) for f in factors]


def slow_terms(views, t_pos, t_neg, symmetric=False):
    z = F.normalize(views, dim=-1)
    v, n, _ = z.shape
    cost = lambda a, b: (a - b).square().sum().item()  # noqa: E731
    pull, push = [], []
    for x in range(v):
        for i in range(n):
            costs = [cost(z[x, i], z[y, i]) for y in range(v) if y != x]
            pull.append(sum(w * c for w, c in zip(slow_weights(costs, t_pos), costs, strict=True)))
    for x in range(v):
        for y in range(v):
            if x < y or (symmetric and x != y):
                for i in range(n):
                    costs = [cost(z[x, i], z[y, j]) for j in range(n) if j != i]
                    push.append(-sum(w * c for w, c in zip(slow_weights(costs, -t_neg), costs, strict=True)))
    return sum(pull) / len(pull), sum(push) / len(push)


def test_worked_example():
    anchor = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    positives = torch.tensor([[[0.8, 0.6], [0.0, 1.0]]], dtype=torch.float64)
    negatives = torch.tensor([[-1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    close(cacr_weights(anchor, positives, t=1.0, positive=True)[0].tolist(), [0.167982, 0.832018], atol=1e-6, rtol=0)
    close(cacr_weights(anchor, negatives, t=2.0, positive=False)[0].tolist(), [0.017986, 0.982014], atol=1e-6, rtol=0)
    close(cacr_explicit_loss(anchor, positives, negatives, beta=0.0).item(), 1.731229, atol=2e-6, rtol=0)
    close(cacr_explicit_loss(anchor, positives, negatives).item(), -0.304743, atol=2e-6, rtol=0)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("t_pos", "t_neg"), [(1.0, 2.0), (0.0, 0.0), (3.0, 0.9)])
def test_equals_loops(symmetric, t_pos, t_neg):
    views = random_views()
    pull, push = slow_terms(views, t_pos, t_neg, symmetric)
    close(cacr_attraction(views, t_pos=t_pos).item(), pull)
    close(cacr_repulsion(views, t_neg=t_neg, symmetric=symmetric).item(), push)
    close(cacr_loss(views, t_pos=t_pos, t_neg=t_neg, alpha=0.5, beta=3.0, symmetric=symmetric).item(), 0.5 * pull + 3 * push)


def test_special_cases():
    views = random_views(2)
    close(cacr_attraction(views, t_pos=7.0), alignment_loss(*views))
    same = views[:1].expand(3, -1, -1)
    # With t = 0, both views equal and all pairs i != j alike, the RBF repulsion is the uniformity loss.
    close(cacr_repulsion(same, t_neg=0.0, cost="rbf"), uniformity_loss(views[0]))
    close(cacr_loss(torch.ones(3, 4, 2)).item(), 0.0)
    two = random_views(3, 2)
    close(cacr_repulsion(two, t_neg=50.0), cacr_repulsion(two, t_neg=0.0))


@pytest.mark.parametrize("t_neg", [0.0, 2.0])
def test_gaussian_repulsion_equals_loops(t_neg):
    """The logarithm of the mean over the anchors of a pair of views, then the mean over pairs."""
    views = random_views()
    z, logs = F.normalize(views, dim=-1), []
    for x, y in ((0, 1), (0, 2), (1, 2)):
        means = []
        for i in range(5):
            costs = [(z[x, i] - z[y, j]).square().sum().item() for j in range(5) if j != i]
            means.append(sum(w * math.exp(-3 * c) for w, c in zip(slow_weights(costs, -t_neg), costs, strict=True)))
        logs.append(math.log(sum(means) / 5))
    close(cacr_repulsion(views, t_neg=t_neg, cost="rbf", rbf_scale=3.0).item(), sum(logs) / 3)


def test_gaussian_repulsion_does_not_underflow():
    apart = torch.eye(4).expand(2, 4, 4).clone().requires_grad_()
    loss = cacr_repulsion(apart, cost="rbf", rbf_scale=200.0)
    loss.backward()
    close(loss.item(), -400.0)
    assert apart.grad.isfinite().all()


def test_order_of_views_matters_only_in_the_released_form():
    views = random_views()
    turned = views[[2, 0, 1]]
    close(cacr_loss(views, symmetric=True), cacr_loss(turned, symmetric=True))
    assert not torch.isclose(cacr_loss(views), cacr_loss(turned))


def test_debiasing():
    views = random_views(2)
    z = F.normalize(views, dim=-1)
    twin = (z[0] - z[1]).square().sum(-1).mean()
    close(cacr_repulsion(views, debias_prior=0.1), (cacr_repulsion(views) - 0.1 * twin) / 0.9)


def test_gradient_through_the_weights_turns_far_negatives_into_attraction():
    angles = torch.tensor([0.3, 1.2, 3.1], dtype=torch.float64)
    points = torch.stack([angles.cos(), angles.sin()], dim=1)
    anchor = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    for detach, expected in ((False, [-1.1020, 0.0995, 0.0024]), (True, [-0.9143, -0.0853, -0.0004])):
        leaf = points.clone().requires_grad_()
        cacr_explicit_loss(anchor, anchor[:, None], leaf, normalize=False, detach_weights=detach).backward()
        # A point's gradient is d loss / d cost times 2 (point - anchor).
        away = points - anchor
        close(((leaf.grad * away).sum(1) / (2 * away.square().sum(1))).tolist(), expected, atol=1e-4, rtol=0)
    pulls = {}
    for detach in (False, True):
        leaf = points.clone().requires_grad_()
        cacr_explicit_loss(anchor, anchor[:, None], leaf, detach_weights=detach).backward()
        tangent = torch.stack([-angles.sin(), angles.cos()], dim=1)
        pulls[detach] = (leaf.grad * tangent).sum(1)  # descent moves against it; positive: towards the anchor at angle 0
    assert pulls[False][1] > 0 > pulls[True][1]


def test_gradient_through_the_weights_pushes_near_positives_away():
    """d attraction / d cost = weight * (1 + t (cost - mean cost)) with the weights attached, the weight itself without."""
    generator = torch.Generator().manual_seed(2)
    anchor, positives = torch.zeros(1, 3, dtype=torch.float64), torch.randn(1, 4, 3, generator=generator, dtype=torch.float64)
    costs = positives.square().sum(-1)
    weights = (2 * costs).softmax(1)
    factors = {True: torch.ones_like(costs), False: 1 + 2 * (costs - (weights * costs).sum())}
    for detach, factor in factors.items():
        leaf = positives.clone().requires_grad_()
        cacr_explicit_loss(anchor, leaf, positives[0], t_pos=2.0, beta=0.0, normalize=False, detach_weights=detach).backward()
        close(leaf.grad, (weights * factor)[..., None] * 2 * positives)
    assert factors[False].min() < 0


@pytest.mark.parametrize("term", [cacr_attraction, cacr_repulsion, lambda z, **k: cacr_repulsion(z, cost="rbf", **k)])
def test_detached_weights_change_the_gradient_alone(term):
    values, gradients = [], []
    for detach in (False, True):
        leaf = random_views().requires_grad_()
        values.append(term(leaf, detach_weights=detach))
        values[-1].backward()
        gradients.append(leaf.grad)
    close(*values)
    assert not torch.allclose(*gradients)


def test_gradients_are_those_of_finite_differences():
    views = random_views(3, 4, 3).requires_grad_()
    assert torch.autograd.gradcheck(cacr_loss, (views,))
    assert torch.autograd.gradcheck(lambda z: cacr_repulsion(z, cost="rbf"), (views,))


def test_queue_form_equals_loops():
    queries, keys, queue = random_views(), random_views(seed=1), torch.randn(6, 4, dtype=torch.float64)
    q, k, m = (F.normalize(t, dim=-1) for t in (queries, keys, queue))
    pull, push = [], []
    for v in range(3):
        for i in range(5):
            near = [(q[v, i] - k[w, i]).square().sum().item() for w in range(3) if w != v]
            far = [(q[v, i] - n).square().sum().item() for n in m] + [(q[v, i] - q[v, j]).square().sum().item() for j in range(5) if j != i]
            pull.append(sum(w * c for w, c in zip(slow_weights(near, 1.0), near, strict=True)))
            push.append(-sum(w * c for w, c in zip(slow_weights(far, -2.0), far, strict=True)))
    close(cacr_queue_loss(queries, keys, queue).item(), (sum(pull) + sum(push)) / 15)
    alone = [cacr_explicit_loss(q[v], k[[w for w in range(3) if w != v]].transpose(0, 1), m) for v in range(3)]
    close(cacr_queue_loss(queries, keys, queue, batch_negatives=False), sum(alone) / 3)


def test_gradients_of_the_queue_form():
    """None reaches keys and queue, and none passes through the distances to the queue into the weights."""
    queries, keys, queue = (z.requires_grad_() for z in (random_views(2), random_views(2, seed=1), torch.randn(6, 4).double()))
    cacr_queue_loss(queries, keys, queue).backward()
    assert keys.grad is None
    assert queue.grad is None
    plain = queries.detach().clone().requires_grad_()
    others = [keys.detach()[[1 - v]].transpose(0, 1) for v in range(2)]
    sum(cacr_explicit_loss(plain[v], others[v], queue.detach(), detach_weights=True) for v in range(2)).div(2).backward()
    found = torch.autograd.grad(cacr_queue_loss(queries, keys, queue, batch_negatives=False), queries)[0]
    close(found, plain.grad)


def test_each_query_view_meets_the_queue_with_its_own_products():
    """The released MoCo variant reuses the first view's products for all views."""
    queries, keys, queue = random_views().requires_grad_(), random_views(seed=1), torch.randn(6, 4, dtype=torch.float64)
    cacr_queue_loss(queries, keys, queue, alpha=0.0).backward()
    alone = queries.detach()[2:].repeat(2, 1, 1).requires_grad_()
    cacr_queue_loss(alone, keys[:2], queue, alpha=0.0).backward()
    close(queries.grad[2] * 3, alone.grad[0] * 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_at_extreme_sharpness_and_identical_views(dtype):
    views = random_views(3, 6).to(dtype).requires_grad_()
    loss = cacr_loss(views, t_pos=100.0, t_neg=100.0)
    loss.backward()
    assert loss.isfinite()
    assert views.grad.isfinite().all()
    same = torch.randn(1, 4, 3).expand(3, 4, 3).clone().requires_grad_()
    cacr_loss(same).backward()
    assert same.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z: cacr_loss(z[:1]), "views has shape"),
        (lambda z: cacr_loss(z[:, :1]), "views has shape"),
        (lambda z: cacr_loss(z, t_neg=-1.0), "t_neg is -1.0"),
        (lambda z: cacr_loss(z, t_pos=math.inf), "t_pos is inf"),
        (lambda z: cacr_loss(z, debias_prior=1.0), "debias_prior is 1.0"),
        (lambda z: cacr_loss(z, cost="cosine"), "cost is 'cosine'"),
        (lambda z: cacr_weights(z[0], z[0][:0], t=1.0, positive=True), "candidates"),
        (lambda z: cacr_explicit_loss(z[0], z[:, :2].transpose(0, 1), z[0]), "and positives .* don't fit"),
        (lambda z: cacr_explicit_loss(z[0], z.transpose(0, 1), z[0][:, :1]), "and negatives .* don't fit"),
        (lambda z: cacr_queue_loss(z, z[:, :1], z[0]), "keys has shape"),
        (lambda z: cacr_queue_loss(z, z, z[0][:0]), "queue has shape"),
        (lambda z: cacr_queue_loss(z, z, z[0][:, :1]), "queue has shape"),
        (lambda z: build(made_settings("cacr", {"n_view": 3})), "'n_view'"),
        (lambda z: build(made_settings("cacr", {"momentum": 0.9, "queue_size": 8, "cost": "rbf"})), "'cost'"),
        (lambda z: build(made_settings("cacr", {"debias_prior": 2.0})), "debias_prior is 2.0"),
        (lambda z: build(made_settings("cacr", {"momentum": 1.5, "queue_size": 8})), "momentum is 1.5"),
        (lambda z: build(made_settings("cacr", {"momentum": 0.9})), "momentum is 0.9 and queue_size 0"),
        (lambda z: build(made_settings("cacr", {"n_views": 1})), "n_views is 1"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(3, 4, 2))


def test_training_loss_is_that_of_the_projected_views():
    torch.manual_seed(0)
    method = CACR.build(lambda: make_backbone(width=2, image_size=16), **OPTIONS["cacr"], t_neg=0.9)
    images = torch.randn(3, 4, 3, 16, 16)
    z = method(images.flatten(0, 1))[1].view(3, 4, -1)
    close(method.training_loss(images), cacr_loss(z, t_neg=0.9))
    close(method.training_loss(images, t_pos=3.0, t_neg=0.5), cacr_loss(z, t_pos=3.0, t_neg=0.5))


def test_effective_counts_reach_from_all_to_one():
    z = random_views(4, 6)
    for sharpness, positives, negatives in ((0.0, 3.0, 5.0), (1e4, 1.0, 1.0)):
        method = CACR.build(lambda: make_backbone(width=2, image_size=16), **OPTIONS["cacr"], t_pos=sharpness, t_neg=sharpness)
        logs = method.diagnose(z)
        close([logs["effective positives"].item(), logs["effective negatives"].item()], [positives, negatives])


def test_one_positive_each_is_not_taken_for_positives_of_all(unchecked):
    z = torch.randn(4, 3)
    with pytest.raises(ValueError, match=r"positives has shape \(4, 3\), but must be \(N, K, D\).* one each is \(N, 1, D\)"):
        cacr_explicit_loss(z, z, z)


def test_a_batch_of_another_number_of_views_is_refused_and_not_regrouped():
    method = CACR.build(lambda: make_backbone(width=2, image_size=16), **OPTIONS["cacr"])
    with pytest.raises(ValueError, match="the batch has 2 views, but n_views is 3"):
        method.step(Batch((torch.randn(8, 3, 16, 16), torch.randn(8, 3, 16, 16)), ()))


def test_vectors_as_they_are_may_lie_far_from_the_origin():
    z = random_views(3, 8, 16).float() * 0.3
    near, far = (cacr_loss(cloud, normalize=False, t_neg=2.0) for cloud in (z, z + 1000))
    close(far, near, rtol=1e-3, atol=1e-3)
    close(
        cacr_explicit_loss(z[0] + 1000, z[1:2].transpose(0, 1) + 1000, z[2] + 1000, normalize=False),
        cacr_explicit_loss(z[0], z[1:2].transpose(0, 1), z[2], normalize=False),
        rtol=1e-3,
        atol=1e-3,
    )
