import math

import pytest
import torch
import torch.nn.functional as F
from slow import ONE, TWO, random_views, slow_nt_xent, slow_supcon
from tiny import OPTIONS

from contrastive_lab.methods import SimCLR, alignment_loss, info_nce_loss, nt_xent_loss, similarity_weights, supcon_loss, uniformity_loss
from contrastive_lab.networks import make_backbone

close = torch.testing.assert_close
PAIRS = torch.arange(8) // 2


def test_worked_example():
    close(nt_xent_loss(ONE, TWO, temperature=0.5).item(), 0.758885, atol=1e-6, rtol=0)
    close(alignment_loss(ONE, TWO).item(), 0.4)
    close(uniformity_loss(ONE).item(), -4.0)
    close(uniformity_loss(TWO).item(), -0.8, atol=1e-12, rtol=0)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_nt_xent_equals_loops(temperature):
    one, two = random_views()
    close(nt_xent_loss(one, two, temperature=temperature), slow_nt_xent(one, two, temperature))


def test_reference_values():
    equal = torch.ones(6, 3)
    close(nt_xent_loss(equal, equal, temperature=0.1).item(), math.log(11), atol=1e-5, rtol=0)
    apart = torch.eye(4, dtype=torch.float64)
    close(nt_xent_loss(apart, apart, temperature=0.5).item(), math.log(1 + 6 * math.exp(-2)))


def test_gradients_are_those_of_finite_differences():
    one, two = (z.requires_grad_() for z in random_views(4, 3))
    for loss in (nt_xent_loss, lambda a, b: info_nce_loss(a, b, symmetric=True), alignment_loss):
        assert torch.autograd.gradcheck(loss, (one, two))
    assert torch.autograd.gradcheck(uniformity_loss, (one,))


def test_gradient_formula_of_an_anchor():
    one, two = (F.normalize(z, dim=1) for z in random_views(5, 4))
    weights = similarity_weights(one, two, temperature=0.3)
    close(weights.sum(1), torch.ones(10, dtype=torch.float64))
    assert (weights.diagonal() == 0).all()
    anchor = one[0].clone().requires_grad_()
    stack = torch.cat([one, two])
    scores = torch.cat([anchor @ stack[1:].T / 0.3])
    (scores.logsumexp(0) - anchor @ two[0] / 0.3).backward()
    expected = -((1 - weights[0, 5]) * two[0] - sum(weights[0, b] * stack[b] for b in range(1, 10) if b != 5)) / 0.3
    close(anchor.grad, expected)


def test_queue_form_equals_loops_and_allows_one_query():
    q, k = random_views(3, 4)
    queue = torch.randn(6, 4, dtype=torch.float64)
    qn, kn, nn = F.normalize(q, dim=1), F.normalize(k, dim=1), F.normalize(queue, dim=1)
    expected = [
        -math.log(math.exp(a @ b / 0.2) / (math.exp(a @ b / 0.2) + sum(math.exp(a @ n / 0.2) for n in nn)))
        for a, b in zip(qn, kn, strict=True)
    ]
    close(info_nce_loss(q, k, negatives=queue, temperature=0.2).item(), sum(expected) / 3)
    assert info_nce_loss(q[:1], k[:1], negatives=queue).isfinite()


def test_cross_view_form_is_cross_entropy_with_diagonal_targets():
    q, k = random_views()
    scores = F.normalize(q, dim=1) @ F.normalize(k, dim=1).T / 0.1
    forth, back = (F.cross_entropy(s, torch.arange(7)) for s in (scores, scores.T))
    close(info_nce_loss(q, k), forth)
    close(info_nce_loss(q, k, symmetric=True), (forth + back) / 2)


def test_supcon_equals_loops_and_counts_lonely_anchors_as_zero():
    one, two = random_views()
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 3])
    close(supcon_loss(one, two, labels, temperature=0.2), slow_supcon(one, two, labels, 0.2))
    close(supcon_loss(one, two, torch.arange(7), temperature=0.2), nt_xent_loss(one, two, temperature=0.2))


def test_many_negatives_leave_alignment_and_the_log_of_a_mean_potential():
    """InfoNCE - log M -> -mean positive score + mean over anchors of the log of the mean exp(score) over negatives."""
    one, two = random_views(3, 4)
    gaps = []
    for count in (100, 10_000):
        queue = torch.randn(count, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        q, k, n = (F.normalize(z, dim=1) for z in (one, two, queue))
        limit = -(q * k).sum(1).mean() / 0.5 + ((q @ n.T / 0.5).logsumexp(1) - math.log(count)).mean()
        gaps.append((info_nce_loss(one, two, negatives=queue, temperature=0.5) - math.log(count) - limit).item())
    assert 0 < gaps[1] < gaps[0] / 50


def test_training_loss_is_that_of_the_projected_views():
    torch.manual_seed(0)
    method = SimCLR.build(lambda: make_backbone(width=2, image_size=16), **OPTIONS["simclr"])
    x1, x2 = torch.randn(2, 4, 3, 16, 16)
    z1, z2 = method(torch.cat([x1, x2]))[1].chunk(2)
    close(method.training_loss(x1, x2), nt_xent_loss(z1, z2, temperature=0.5))
    close(method.training_loss(x1, x2, temperature=0.1), nt_xent_loss(z1, z2, temperature=0.1))


def test_invariances():
    one, two = random_views()
    order = torch.randperm(7)
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    loss = nt_xent_loss(one, two)
    for other in ((one[order], two[order]), (two, one), (one @ turn, two @ turn), (3 * one, 0.1 * two)):
        close(nt_xent_loss(*other), loss)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "form",
    [nt_xent_loss, info_nce_loss, lambda a, b, **k: info_nce_loss(a, b, negatives=b, **k), lambda a, b, **k: supcon_loss(a, b, PAIRS, **k)],
)
def test_finite_at_tiny_temperature_in_low_precision(dtype, form):
    one, two = (z.to(dtype).requires_grad_() for z in random_views(8, 4))
    loss = form(one, two, temperature=0.01)
    loss.backward()
    assert loss.isfinite()
    assert one.grad.isfinite().all()


def test_autocast_does_not_round_the_scores():
    one, two = random_views(64, 32, dtype=torch.float32)
    exact = nt_xent_loss(one, two, temperature=0.05)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        close(nt_xent_loss(one, two, temperature=0.05), exact)


def test_edges():
    zero = torch.zeros(3, 4, requires_grad=True)
    nt_xent_loss(zero, torch.zeros(3, 4)).backward()
    assert zero.grad.isfinite().all()
    same = torch.randn(3, 4, requires_grad=True)
    alignment_loss(same, same.detach(), alpha=1.0).backward()
    close(same.grad, torch.zeros(3, 4))
    far = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert uniformity_loss(far, t=1e4).item() == pytest.approx(-4e4)
    assert nt_xent_loss(torch.full((2, 2), torch.nan), torch.ones(2, 2)).isnan()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z: nt_xent_loss(z, z[:3]), "shape"),
        (lambda z: nt_xent_loss(z[:1], z[:1]), "at least 2"),
        (lambda z: nt_xent_loss(z, z, temperature=0.0), "temperature is 0.0"),
        (lambda z: nt_xent_loss(z, z, temperature=math.inf), "temperature is inf"),
        (lambda z: nt_xent_loss(z[0], z[0]), "z1 has shape"),
        (lambda z: nt_xent_loss(z[:, :0], z[:, :0]), "D >= 1"),
        (lambda z: info_nce_loss(z[:1], z[:1]), "q has 1 rows"),
        (lambda z: info_nce_loss(z, z, negatives=z[:0]), "negatives has shape"),
        (lambda z: info_nce_loss(z, z, negatives=z[:, :2]), "negatives has shape"),
        (lambda z: similarity_weights(z, z, temperature=math.nan), "temperature is nan"),
        (lambda z: SimCLR(make_backbone(width=2, image_size=16), torch.nn.Identity(), temperature=-0.5), "temperature is -0.5"),
        (lambda z: supcon_loss(z, z, torch.zeros(4)), "labels has shape .*float32"),
        (lambda z: info_nce_loss(z, z, negatives=z, symmetric=True), "symmetric"),
        (lambda z: supcon_loss(z, z, torch.zeros(3, dtype=torch.long)), "labels has shape"),
        (lambda z: alignment_loss(z, z, alpha=0.5), "alpha is 0.5"),
        (lambda z: uniformity_loss(z, t=-1.0), "t is -1.0"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(4, 3))


def test_integers_are_refused(unchecked):
    with pytest.raises(TypeError, match=r"int64.*\.float\(\)"):
        nt_xent_loss(torch.ones(3, 2, dtype=torch.long), torch.ones(3, 2, dtype=torch.long))


def test_unlabelled_images_are_no_class():
    z = torch.randn(3, 4)
    with pytest.raises(ValueError, match="labels reach down to -1, but classes count from 0: unlabelled images"):
        supcon_loss(z, z, torch.tensor([0, -1, -1]))
