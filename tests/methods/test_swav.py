import math

import pytest
import torch
import torch.nn.functional as F
from tiny import made_settings, made_world

from contrastive_lab.methods import (
    FeatureQueue,
    Progress,
    Prototypes,
    SwAV,
    SwAVHead,
    sinkhorn,
    swapped_prediction_loss,
    swav_loss,
)
from contrastive_lab.networks import make_backbone
from contrastive_lab.training import prepare
from contrastive_lab.views import Batch

close = torch.testing.assert_close


def slow_sinkhorn(scores, epsilon, iterations):
    """The paper's listing: exponentiate, then divide prototype rows and sample columns in turn."""
    q = (scores.double() / epsilon).exp().T
    q = q / q.sum()
    prototypes, samples = q.shape
    for _ in range(iterations):
        for k in range(prototypes):
            q[k] = q[k] / q[k].sum() / prototypes
        for b in range(samples):
            q[:, b] = q[:, b] / q[:, b].sum() / samples
    return (q * samples).T


def slow_swap(scores, codes, temperature):
    total = 0.0
    for g, code in enumerate(codes):
        inner = 0.0
        for v, view in enumerate(scores):
            if v == g:
                continue
            for b in range(len(view)):
                p = (view[b] / temperature).exp() / (view[b] / temperature).exp().sum()
                inner = inner - sum(code[b, k] * p[k].log() for k in range(view.shape[1])) / len(view)
        total = total + inner / (len(scores) - 1)
    return total / len(codes)


def cosines(b=6, k=4, d=5, views=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    c = F.normalize(torch.randn(k, d, generator=generator, dtype=torch.float64), dim=1)
    return [F.normalize(torch.randn(b, d, generator=generator, dtype=torch.float64), dim=1) @ c.T for _ in range(views)]


def test_worked_example():
    scores = torch.tensor([[math.log(4), 0.0], [math.log(2), math.log(2)]], dtype=torch.float64)
    code = torch.tensor([[2 / 3, 1 / 3], [1 / 3, 2 / 3]], dtype=torch.float64)
    for sweeps in (1, 3):
        close(sinkhorn(scores, epsilon=1.0, iterations=sweeps), code)
    close(swav_loss([scores, torch.zeros(2, 2).double()], temperature=1.0, epsilon=1.0).item(), 0.748933, atol=1e-6, rtol=0)


@pytest.mark.parametrize("epsilon", [0.05, 0.5])
@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_sinkhorn_equals_the_listing(epsilon, iterations):
    scores = cosines()[0]
    close(sinkhorn(scores, epsilon=epsilon, iterations=iterations), slow_sinkhorn(scores, epsilon, iterations), rtol=1e-11, atol=1e-12)


def test_codes_are_balanced():
    codes = sinkhorn(cosines(b=32, k=8)[0], iterations=200)
    close(codes.sum(dim=1), torch.ones(32, dtype=torch.float64))
    close(codes.sum(dim=0), torch.full((8,), 4.0, dtype=torch.float64), rtol=1e-4, atol=0)


def test_loss_equals_loops():
    scores = cosines()
    codes = [sinkhorn(s) for s in scores[:2]]
    close(swapped_prediction_loss(scores, codes), slow_swap(scores, codes, 0.1))
    close(swav_loss(scores), slow_swap(scores, codes, 0.1))


def test_queue_rows_shape_codes_and_stay_out_of_the_loss():
    scores, queue = cosines(), cosines(b=10, seed=1)[:2]
    codes = [sinkhorn(torch.cat([s, q]))[:6] for s, q in zip(scores, queue, strict=False)]
    close(swav_loss(scores, queue_scores=queue), swapped_prediction_loss(scores, codes))
    assert not torch.isclose(swav_loss(scores, queue_scores=queue), swav_loss(scores))


def test_collapse_costs_ln_k():
    flat = torch.full((8, 5), 0.3)
    close(swav_loss([flat, flat]).item(), math.log(5))
    skewed = torch.rand(1, 5).expand(8, 5)
    assert swav_loss([skewed, skewed]) >= math.log(5) - 1e-6


def test_gradient_is_prediction_minus_code():
    one, two = (s.requires_grad_() for s in cosines(views=2))
    swav_loss([one, two]).backward()
    with torch.no_grad():
        expected = ((one / 0.1).softmax(1) - sinkhorn(two)) / 0.1 / 6 / 2
    close(one.grad, expected)


def test_order_of_samples_and_prototypes_does_not_matter():
    scores = cosines()
    samples, prototypes = torch.randperm(6), torch.randperm(4)
    close(sinkhorn(scores[0][samples][:, prototypes]), sinkhorn(scores[0])[samples][:, prototypes])
    close(swav_loss([s[samples][:, prototypes] for s in scores]), swav_loss(scores))


@pytest.mark.parametrize("scale", [1.0, 1e3 / 0.05])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_finite_at_any_size_of_scores(scale, dtype):
    scores = (torch.randn(6, 4) * min(scale, 6e4 / 5 if dtype == torch.float16 else scale)).to(dtype)
    assert sinkhorn(scores, epsilon=0.01).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_loss_and_gradient_are_finite_at_tiny_temperature(dtype):
    view = torch.rand(6, 4).to(dtype).requires_grad_()
    loss = swav_loss([view, view, view], temperature=1e-3, epsilon=1e-3)
    loss.backward()
    assert loss.isfinite()
    assert view.grad.isfinite().all()


def test_codes_and_queue_get_no_gradient():
    one, two, rows = (s.requires_grad_() for s in cosines())
    assert not sinkhorn(one).requires_grad
    code = one.softmax(dim=1)
    swapped_prediction_loss([one.detach(), two], [code]).backward()
    assert one.grad is None
    swav_loss([one, two], queue_scores=[rows, rows]).backward()
    assert rows.grad is None


def test_entropy_of_codes_falls_with_epsilon():
    scores = F.normalize(torch.randn(256, 128), dim=1) @ F.normalize(torch.randn(128, 128), dim=1).T
    entropies = [torch.special.entr(sinkhorn(scores, epsilon=e)).sum(1).mean().item() / math.log(128) for e in (0.01, 0.05, 0.2, 1.0)]
    close(entropies, [0.15, 0.73, 0.98, 0.999], atol=0.02, rtol=0)


def test_prototypes():
    prototypes = Prototypes(5, 4)
    with torch.no_grad():
        prototypes.weight.mul_(3.0)
    prototypes.normalize_()
    close(prototypes.weight.norm(dim=1), torch.ones(4))
    assert [name for name, _ in prototypes.named_parameters()] == ["weight"]
    optimizer = torch.optim.SGD(prototypes.parameters(), lr=1.0, momentum=0.9, weight_decay=0.1)
    z = F.normalize(torch.randn(6, 5), dim=1).requires_grad_()
    prototypes(z).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    prototypes.freeze()
    before = prototypes.weight.clone()
    prototypes(z).square().sum().backward()
    optimizer.step()
    assert prototypes.weight.grad is None
    close(prototypes.weight, before, rtol=0, atol=0)


def test_head_gives_unit_vectors():
    close(SwAVHead(6, 8, 4)(torch.randn(5, 6)).norm(dim=1), torch.ones(5))


def test_queue_is_first_in_first_out():
    queue = FeatureQueue(4, 1)
    queue.push(torch.tensor([[1.0], [2.0]]))
    assert not queue.is_full
    queue.push(torch.tensor([[3.0], [4.0], [5.0]]))
    assert queue.is_full
    assert sorted(queue.rows.flatten().tolist()) == [2.0, 3.0, 4.0, 5.0]


def test_a_single_sample_gets_a_uniform_code_and_a_warning():
    with pytest.warns(UserWarning, match="single sample"):
        close(sinkhorn(torch.randn(1, 4)), torch.full((1, 4), 0.25))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: sinkhorn(s, epsilon=0.0), "epsilon is 0.0"),
        (lambda s: sinkhorn(s, iterations=0), "iterations is 0"),
        (lambda s: sinkhorn(s[:, :1]), "scores have shape"),
        (lambda s: sinkhorn(s[:0]), "scores have shape"),
        (lambda s: sinkhorn(s[0]), "scores have shape"),
        (lambda s: sinkhorn(s.clone().fill_(math.nan)), "non-finite"),
        (lambda s: swav_loss([s, s, s / 0]), "non-finite"),
        (lambda s: swav_loss([s]), "at least 2"),
        (lambda s: swav_loss([s, s], n_code_views=0), "n_code_views is 0"),
        (lambda s: swav_loss([s, s[:2]]), "shapes"),
        (lambda s: swav_loss([s, s], n_code_views=3), "n_code_views is 3"),
        (lambda s: swav_loss([s, s], temperature=-1.0), "temperature is -1.0"),
        (lambda s: swav_loss([s, s], queue_scores=[s]), "queue_scores has 1"),
        (lambda s: swav_loss([s, s], queue_scores=[s, s[:, :2]]), r"queue_scores\[1\] has shape \(4, 2\)"),
        (lambda s: swapped_prediction_loss([s, s], [s.softmax(dim=1), s[:2]]), r"codes\[1\] has shape \(2, 3\)"),
        (lambda s: swapped_prediction_loss([s[:0], s[:0]], [s[:0]]), "scores have shape"),
        (lambda s: Prototypes(4, 1), "n_prototypes is 1"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(4, 3))


def test_integers_are_refused(unchecked):
    with pytest.raises(TypeError, match="int64"):
        sinkhorn(torch.ones(3, 2, dtype=torch.long))
    with pytest.raises(TypeError, match="int64"):
        swapped_prediction_loss([torch.ones(3, 2, dtype=torch.long)] * 2, [torch.ones(3, 2)])


def made_swav(batch=4, **options):
    """A small SwAV whose two views have no batch norm to couple samples, and the views of one batch."""
    method = SwAV.build(lambda: make_backbone(width=2, image_size=16), hidden_dim=8, out_dim=8, n_prototypes=6, **options).eval()
    generator = torch.Generator().manual_seed(1)
    views = [torch.randn(batch, 3, size, size, generator=generator) for size in (16, 16, 8, 8)[: 2 + method.small_crops]]
    return method, Batch(tuple(views), ())


def scores_of(method, batch):
    return [method.prototypes(method.head(method.encoder(view))) for view in batch.views]


def test_a_step_compares_both_large_crops_with_all_crops():
    method, batch = made_swav(8, small_crops=2)
    step = method.step(batch)
    close(step.loss, swav_loss(scores_of(method, batch)))
    close(step.embeddings, torch.stack([method.head(method.encoder(view)) for view in batch.views[:2]]).detach())
    told = method.training_step(batch.views)
    close(told["loss"], step.loss)
    assert told.keys() == {"loss", *step.logs}


def test_the_head_sees_all_crops_in_one_batch():
    method, batch = made_swav(8, small_crops=2)
    seen = []
    method.head.register_forward_hook(lambda module, rows, z: seen.append(len(rows[0])))
    method.step(batch)
    assert seen == [32]


def test_the_queue_joins_when_it_is_full_and_due_and_never_holds_the_batch_itself():
    method, batch = made_swav(8, queue_length=8, queue_start=1.0)
    plain = swav_loss(scores_of(method, batch))
    others = F.normalize(torch.randn(8, 8), dim=1)
    method.progress = Progress(2, 4, 2)
    close(method.step(batch).loss, plain)  # due but empty before the step
    for queue in method.queues:
        queue.push(others)
    method.progress = Progress(1, 4, 2)
    close(method.step(batch).loss, plain)  # full but not due
    for queue in method.queues:
        queue.push(others)
    method.progress = Progress(2, 4, 2)
    rows = [method.prototypes(others)] * 2
    close(method.step(batch).loss, swav_loss(scores_of(method, batch), queue_scores=rows))
    assert not torch.isclose(swav_loss(scores_of(method, batch), queue_scores=rows), plain)


@pytest.mark.parametrize(("epochs", "start"), [(200, 15), (100, 15), (20, 3)])
def test_without_a_number_the_queue_joins_after_15_epochs_or_15_percent(epochs, start):
    method, batch = made_swav(8, queue_length=8)
    others = F.normalize(torch.randn(8, 8), dim=1)
    for epoch, joined in ((start - 1, False), (start, True)):
        for queue in method.queues:
            queue.push(others)
        method.progress = Progress(10 * epoch, 10 * epochs, 10)
        with_queue = swav_loss(scores_of(method, batch), queue_scores=[method.prototypes(others)] * 2)
        assert torch.isclose(method.step(batch).loss, with_queue) == joined


def test_frozen_prototypes_stay_for_the_first_epoch_and_are_normalised_before_each_step():
    method, batch = made_swav(8, freeze_epochs=1)
    with torch.no_grad():
        method.prototypes.weight.mul_(2.0)
    method.progress = Progress(1, 4, 2)
    method.step(batch).loss.backward()
    close(method.prototypes.weight.norm(dim=1), torch.ones(6))
    assert method.prototypes.weight.grad is None
    method.progress = Progress(2, 4, 2)
    method.step(batch).loss.backward()
    assert method.prototypes.weight.grad.abs().sum() > 0


def test_too_few_samples_for_the_prototypes_are_told_unless_the_queue_brings_them():
    method, batch = made_swav(2)
    with pytest.warns(UserWarning, match="2 samples for 6 prototypes make noisy codes"):
        method.step(batch)
    method, batch = made_swav(2, queue_length=3)
    with pytest.warns(UserWarning, match="2 samples and 3 rows of the queue for 6 prototypes"):
        method.step(batch)
    method, batch = made_swav(2, queue_length=4)
    method.step(batch)  # warnings are errors here


def test_a_method_without_sweeps_is_refused():
    with pytest.raises(ValueError, match="iterations is 0"):
        prepare(made_settings("swav", {"iterations": 0}), made_world())


def test_codes_must_be_distributions(unchecked):
    s = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    good = sinkhorn(s)
    for bad in (good / 2, -good, torch.zeros_like(good)):
        with pytest.raises(ValueError, match=r"codes\[1\] has rows that sum to .* each must be a distribution"):
            swapped_prediction_loss([s, s], [good, bad])
    with pytest.raises(TypeError, match=r"codes\[0\] has dtype torch.int64"):
        swapped_prediction_loss([s, s], [good.long(), good])
