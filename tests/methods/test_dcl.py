import math

import pytest
import torch
from slow import ONE, TWO, random_views, slow_dcl
from tiny import OPTIONS

from contrastive_lab.methods import DCL, DCLW, dcl_loss, dclw_loss, dclw_weights, npc_multiplier, nt_xent_loss
from contrastive_lab.networks import make_backbone

close = torch.testing.assert_close


def test_worked_example():
    close(dcl_loss(ONE, TWO, temperature=0.5).item(), 0.038524, atol=1e-6, rtol=0)
    close(npc_multiplier(ONE, TWO, temperature=0.5).tolist(), [0.375932, 0.446184, 0.748974, 0.446184], atol=1e-6, rtol=0)
    close(dclw_weights(ONE, TWO).tolist(), [1.379949, 0.620051], atol=1e-6, rtol=0)
    close(dclw_loss(ONE, TWO, temperature=0.5).item(), 0.190504, atol=1e-6, rtol=0)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_equal_to_loops(temperature):
    one, two = random_views()
    close(dcl_loss(one, two, temperature=temperature), slow_dcl(one, two, temperature))
    weights = dclw_weights(one, two, sigma=0.3)
    close(dclw_loss(one, two, temperature=temperature, sigma=0.3), slow_dcl(one, two, temperature, weights))


def test_the_difference_to_nt_xent_is_the_mean_log_of_the_multiplier():
    one, two = random_views()
    gap = nt_xent_loss(one, two, temperature=0.2) - dcl_loss(one, two, temperature=0.2)
    close(gap, -npc_multiplier(one, two, temperature=0.2).log().mean())


def test_the_multiplier_scales_the_gradient_of_an_anchor():
    one, two = random_views(5, 4)
    q = npc_multiplier(one, two, temperature=0.2)
    # Only the anchor's own term: the loss of anchor 0 as function of that anchor alone.
    stack = torch.nn.functional.normalize(torch.cat([one, two]), dim=1)
    anchor = stack[0].clone().requires_grad_()
    scores = stack @ anchor / 0.2
    others = torch.tensor([1, 2, 3, 4, 6, 7, 8, 9])
    coupled = torch.autograd.grad(torch.cat([scores[5:6], scores[others]]).logsumexp(0) - scores[5], anchor, retain_graph=True)[0]
    decoupled = torch.autograd.grad(scores[others].logsumexp(0) - scores[5], anchor)[0]
    close(coupled, q[0] * decoupled)


def test_multiplier_grows_with_the_batch_and_keeps_digits():
    one, two = random_views(64, 16)
    means = [npc_multiplier(one[:n], two[:n]).mean().item() for n in (4, 16, 64)]
    assert means == sorted(means)
    easy = torch.eye(8)
    tiny = npc_multiplier(easy, easy, temperature=0.02)
    close(tiny.double(), torch.full((16,), 1 / (1 + math.exp(50) / 14), dtype=torch.float64), rtol=1e-4, atol=0)


def test_no_mask_leaks_at_low_temperature():
    images = torch.eye(3)
    close(dcl_loss(images, images, temperature=0.01).item(), -100 + math.log(4), atol=1e-4, rtol=0)


@pytest.mark.parametrize("loss", [dcl_loss, dclw_loss])
def test_length_turn_order_and_side_of_the_views_do_not_matter(loss):
    """A popular implementation neither normalises nor takes both directions."""
    one, two = random_views()
    order, turn = torch.randperm(7), torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    for other in ((3 * one, 0.1 * two), (two, one), (one[order], two[order]), (one @ turn, two @ turn)):
        close(loss(*other), loss(one, two))


def test_training_loss_of_the_projected_views():
    torch.manual_seed(0)
    backbone = make_backbone(width=2, image_size=16)
    method, weighted = (kind.build(lambda: backbone, **OPTIONS["dcl"]) for kind in (DCL, DCLW))
    weighted.load_state_dict(method.state_dict())
    x1, x2 = torch.randn(2, 4, 3, 16, 16)
    z1, z2 = method(torch.cat([x1, x2]))[1].chunk(2)
    close(method.training_loss(x1, x2), dcl_loss(z1, z2))
    close(method.training_loss(x1, x2, weighted=True, sigma=0.3), dclw_loss(z1, z2, sigma=0.3))
    close(weighted.training_loss(x1, x2, temperature=0.2), dclw_loss(z1, z2, temperature=0.2))


def test_reference_values():
    equal = torch.ones(6, 3, dtype=torch.float64)
    close(dcl_loss(equal, equal).item(), math.log(10))
    apart = torch.eye(4, dtype=torch.float64)
    close(dcl_loss(apart, apart, temperature=0.1).item(), -10 + math.log(6))


def test_weights():
    one, two = random_views(32)
    weights = dclw_weights(one, two)
    close(weights.mean().item(), 1.0)
    assert weights.max() <= 2
    similarity = torch.nn.functional.cosine_similarity(one, two)
    assert weights.argmax() == similarity.argmin()
    assert dclw_weights(one, two, sigma=0.005).min() < 0
    close(dclw_weights(one, one), torch.ones(32, dtype=torch.float64))


def test_weights_are_detached_unless_asked_otherwise():
    one, two = random_views(6)
    grads = {}
    for detach in (True, False):
        leaf = one.clone().requires_grad_()
        dclw_loss(leaf, two, detach_weights=detach).backward()
        grads[detach] = leaf.grad
    leaf = one.clone().requires_grad_()
    slow_dcl(leaf, two, 0.1, dclw_weights(one, two)).backward()
    close(grads[True], leaf.grad)
    assert not torch.allclose(grads[True], grads[False])


def test_gradients_are_those_of_finite_differences():
    one, two = (z.requires_grad_() for z in random_views(4, 3))
    assert torch.autograd.gradcheck(dcl_loss, (one, two))
    assert torch.autograd.gradcheck(lambda a, b: dclw_loss(a, b, detach_weights=False), (one, two))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("loss", [dcl_loss, dclw_loss])
def test_finite_at_tiny_temperature_in_low_precision(loss, dtype):
    one, two = (z.to(dtype).requires_grad_() for z in random_views(8, 4))
    value = loss(one, two, temperature=0.01)
    value.backward()
    assert value.isfinite()
    assert one.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z: dcl_loss(z[:1], z[:1]), "at least 2"),
        (lambda z: dcl_loss(z, z, temperature=-0.1), "temperature is -0.1"),
        (lambda z: dclw_loss(z, z, sigma=0.0), "sigma is 0.0"),
        (lambda z: npc_multiplier(z, z[:2]), "shape"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(torch.randn(4, 3))
