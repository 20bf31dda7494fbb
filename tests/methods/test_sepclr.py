import math

import pytest
import torch
import torch.nn.functional as F
from tiny import made_settings

from contrastive_lab.methods import (
    gaussian_alignment,
    gaussian_uniformity,
    joint_entropy_loss,
    kernel_mutual_information,
    sepclr_background_loss,
    sepclr_common_loss,
    sepclr_loss,
    sepclr_salient_loss,
    sepclr_supervised_salient_loss,
    uniformity_loss,
)
from contrastive_lab.training.prepare import build

close = torch.testing.assert_close
LABELS = torch.tensor([0, 1, 1])
C = torch.tensor([[1, 0], [0, 1], [1, 0]], dtype=torch.float64)
S = torch.tensor([[0.5, 0], [1, 0], [0, 1]], dtype=torch.float64)


def random_case(n=7, seed=0, common=4, salient=3):
    generator = torch.Generator().manual_seed(seed)
    c1, c2 = torch.randn(2, n, common, generator=generator, dtype=torch.float64)
    s1, s2 = torch.randn(2, n, salient, generator=generator, dtype=torch.float64)
    return c1, c2, s1, s2, torch.tensor([0, 1, 1, 0, 1, 0, 1][:n])


def slow_align(x, y, tau):
    return sum(((a - b) ** 2).sum() / (2 * tau) for a, b in zip(x, y, strict=True)) / len(x)


def slow_uniform(x, tau):
    values = [torch.exp(-((x[i] - x[j]) ** 2).sum() / (2 * tau)) for i in range(len(x)) for j in range(i)]
    return (sum(values) / len(values)).log()


def slow_joint(c, s, tau):
    total = 0.0
    for i in range(len(c)):
        kernel = [torch.exp(-(((c[i] - c[j]) ** 2).sum() + ((s[i] - s[j]) ** 2).sum()) / (2 * tau)) for j in range(len(c))]
        total = total + (sum(kernel) / len(c)).log()
    return total / len(c)


def test_worked_example():
    zeroed = S * LABELS[:, None]
    close(gaussian_uniformity(zeroed).item(), -1.236617, atol=1e-6, rtol=0)
    close(sepclr_background_loss(S, S, LABELS).item(), 0.25)
    close(gaussian_uniformity(C).item(), -0.859068, atol=1e-6, rtol=0)
    close(joint_entropy_loss(C, S, labels=LABELS).item(), -0.851459, atol=1e-6, rtol=0)


@pytest.mark.parametrize("tau", [0.3, 0.5])
@pytest.mark.parametrize("dims", [(4, 3), (6, 9)], ids=["few dimensions", "many"])
def test_terms_equal_loops(tau, dims):
    """Few dimensions and many are computed differently."""
    c1, c2, s1, s2, labels = random_case(common=dims[0], salient=dims[1])
    n1, n2 = F.normalize(c1, dim=1), F.normalize(c2, dim=1)
    z1, z2, target = s1 * labels[:, None], s2 * labels[:, None], labels.bool()
    common = slow_align(n1, n2, tau) + 2 * (slow_uniform(n1, tau) + slow_uniform(n2, tau)) / 2
    salient = slow_align(s1[target], s2[target], tau) + 2 * (slow_uniform(z1, tau) + slow_uniform(z2, tau)) / 2
    null = (slow_align(0 * s1[~target], s1[~target], tau) + slow_align(0 * s2[~target], s2[~target], tau)) / 2
    joint = (slow_joint(n1, z1, tau) + slow_joint(n2, z2, tau)) / 2
    close(sepclr_common_loss(c1, c2, tau=tau), common)
    close(sepclr_salient_loss(s1, s2, labels, tau=tau), salient)
    close(sepclr_background_loss(s1, s2, labels, tau=tau), null)
    close((joint_entropy_loss(c1, s1, tau=tau, labels=labels) + joint_entropy_loss(c2, s2, tau=tau, labels=labels)) / 2, joint)
    total = sepclr_loss(c1, c2, s1, s2, labels, tau=tau, beta_salient=3.0, beta_background=5.0, lambda_jem=7.0)
    close(total, common + 3 * salient + 5 * null + 7 * joint)


def test_uniformity_is_the_common_one_at_t_equal_one_over_two_tau():
    x = F.normalize(random_case()[0], dim=1)
    close(gaussian_uniformity(x, tau=0.25), uniformity_loss(x, t=2.0))


def test_supervised_variant_equals_loops():
    *_, salient, _, labels = random_case()
    attributes = torch.stack(
        [torch.tensor([0, 1, 1, 2, 0, 2, 1]).double(), torch.linspace(0, 1, 7).double(), torch.rand(7).double()], dim=1
    )
    kinds = ["discrete", "continuous", "continuous"]
    target, terms = labels.bool().nonzero().flatten().tolist(), []
    for d, kind in enumerate(kinds):
        pairs = [(i, j) for i in target for j in target if i < j]
        width = 1e-5 if kind == "discrete" else 0.025
        near = [torch.exp(-((attributes[i, d] - attributes[j, d]) ** 2) / (2 * width)) for i, j in pairs]
        tied = sum(n * (salient[i, d] - salient[j, d]) ** 2 for n, (i, j) in zip(near, pairs, strict=True))
        background = salient[~labels.bool(), d]
        null = (background**2).mean() / (2 * (0.5 if kind == "discrete" else 0.025))
        terms.append(slow_uniform((salient * labels[:, None])[:, d : d + 1], 0.5) + (tied / len(pairs) + null) / 2)
    close(sepclr_supervised_salient_loss(salient, labels, attributes, kinds=kinds), sum(terms) / 3)
    attributes[labels == 0] = torch.nan  # background images have no such attribute
    salient.requires_grad_()
    loss = sepclr_supervised_salient_loss(salient, labels, attributes, kinds=kinds)
    loss.backward()
    close(loss, sum(terms).detach() / 3)
    assert salient.grad.isfinite().all()


def test_supervised_variant_takes_one_attribute_and_batches_of_one_group():
    *_, salient, _, labels = random_case()
    one, value = salient[:, :1], torch.linspace(0, 1, 7).double()
    options = {"kinds": ["continuous"]}
    close(
        sepclr_supervised_salient_loss(one, labels, value, **options),
        sepclr_supervised_salient_loss(one, labels, value[:, None], **options),
    )
    for group in (0, 1):
        leaf = one.clone().requires_grad_()
        sepclr_supervised_salient_loss(leaf, torch.full((7,), group), value, **options).backward()
        assert leaf.grad.isfinite().all()


def test_supervised_gradients_are_those_of_finite_differences():
    *_, salient, other, labels = random_case()
    loss = lambda s: sepclr_supervised_salient_loss(s, labels, other, kinds=["discrete", "continuous", "continuous"])  # noqa: E731
    assert torch.autograd.gradcheck(loss, (salient.requires_grad_(),))


def test_mutual_information_is_zero_on_a_grid_and_positive_on_a_diagonal():
    line = torch.linspace(-2, 2, 8)
    c, s = (m.reshape(-1, 1) for m in torch.meshgrid(line, line, indexing="ij"))
    close(kernel_mutual_information(c, s).item(), 0.0, atol=1e-5, rtol=0)
    assert kernel_mutual_information(line[:, None], line[:, None]) > 0.3


def test_joint_entropy_loss_stays_between_minus_log_n_and_zero():
    far = 100 * torch.eye(5)
    close(joint_entropy_loss(far, far, normalize_common=False).item(), -math.log(5))
    close(joint_entropy_loss(torch.ones(5, 2), torch.ones(5, 2)).item(), 0.0, atol=1e-6, rtol=0)


def test_far_points_do_not_underflow():
    """The published function returns minus infinity here."""
    far = torch.tensor([[0.0], [50.0], [100.0]])
    close(gaussian_uniformity(far, tau=0.5).item(), -2500 + math.log(2 / 3))
    oracle = torch.tensor([[0.0, 0.0], [40.0, 0.0], [0.0, 60.0]], requires_grad=True)
    gaussian_uniformity(oracle).backward()
    assert oracle.grad.isfinite().all()


@pytest.mark.parametrize("group", [0, 1])
def test_a_missing_group_leaves_finite_terms_with_a_graph(group):
    c1, c2, s1, s2, _ = (x.requires_grad_() if x.is_floating_point() else x for x in random_case())
    labels = torch.full((7,), group)
    loss = sepclr_loss(c1, c2, s1, s2, labels)
    loss.backward()
    assert loss.isfinite()
    for x in (c1, s1, s2):
        assert x.grad.isfinite().all()
    if group == 1:
        assert sepclr_background_loss(s1, s2, labels) == 0
    else:
        close(sepclr_salient_loss(s1, s2, labels).item(), 0.0)


def test_background_is_silenced_by_a_copy():
    _, _, s1, s2, labels = random_case()
    before = s1.clone()
    sepclr_salient_loss(s1, s2, labels)
    close(s1, before)
    assert sepclr_background_loss(s1, s2, labels) > 0


def test_no_gradient_reaches_background_through_the_salient_term():
    _, _, s1, s2, labels = random_case()
    s1.requires_grad_()
    (sepclr_salient_loss(s1, s2, labels) + joint_entropy_loss(torch.randn(7, 2).double(), s1, labels=labels)).backward()
    close(s1.grad[labels == 0], torch.zeros(3, 3).double())
    assert (s1.grad[labels == 1].abs().sum(dim=1) > 0).all()


def test_background_pairs_only_add_constants():
    _, _, s1, s2, labels = random_case()
    lone = sepclr_salient_loss(s1, s2, labels, background_pairs=False)
    assert lone < sepclr_salient_loss(s1, s2, labels)
    target, spread = labels.bool(), []
    for s in (s1 * labels[:, None], s2 * labels[:, None]):
        kernel = [torch.exp(-((s[i] - s[j]) ** 2).sum()) for i in range(7) for j in range(i) if target[i] or target[j]]
        spread.append((sum(kernel) / len(kernel)).log())
    close(lone, slow_align(s1[target], s2[target], 0.5) + 2 * sum(spread) / 2)
    # Three of seven images: three constant pairs of 21 hold the mean potential up, however far the targets are.
    far = s1 + 100 * torch.arange(7)[:, None]
    close(sepclr_salient_loss(far, far, labels).item(), 2 * math.log(3 / 21))


def test_fewer_than_two_rows_have_no_uniformity():
    for rows in (0, 1):
        x = torch.randn(rows, 6, requires_grad=True)
        value = gaussian_uniformity(x) + gaussian_alignment(x, x)
        value.backward()
        assert value == 0
        assert x.grad.isfinite().all()


@pytest.mark.parametrize("dim", [3, 6])
def test_gradients_are_those_of_finite_differences(dim):
    c1, c2, s1, s2, labels = random_case(5, common=dim, salient=dim)
    inputs = tuple(x.requires_grad_() for x in (c1, c2, s1, s2))
    assert torch.autograd.gradcheck(lambda *codes: sepclr_loss(*codes, labels), inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_in_low_precision_with_equal_rows(dtype):
    codes = [torch.ones(6, 5, dtype=dtype, requires_grad=True) for _ in range(4)]
    loss = sepclr_loss(*codes, torch.tensor([0, 0, 0, 1, 1, 1]))
    loss.backward()
    assert loss.isfinite()
    assert all(x.grad.isfinite().all() for x in codes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c, s, y: sepclr_salient_loss(s, s, y + 1), "labels hold"),
        (lambda c, s, y: sepclr_salient_loss(s, s, y[:3]), "labels has shape"),
        (lambda c, s, y: sepclr_salient_loss(s, s, y.double()), "labels has shape"),
        (lambda c, s, y: gaussian_alignment(s, s, tau=0.0), "tau is 0.0"),
        (lambda c, s, y: sepclr_loss(c, c, s, s, y, lambda_jem=-1.0), "lambda_jem is -1.0"),
        (lambda c, s, y: sepclr_loss(c, c, s, s, y, beta_background=math.nan), "beta_background is nan"),
        (lambda c, s, y: sepclr_common_loss(c, c, uniformity_weight=-1.0), "uniformity_weight is -1.0"),
        (lambda c, s, y: sepclr_salient_loss(s, s, y, uniformity_weight=-1.0), "uniformity_weight is -1.0"),
        (lambda c, s, y: sepclr_salient_loss(s, s, y, tau=-1.0), "tau is -1.0"),
        (lambda c, s, y: build(made_settings("sepclr", {"lamda": 1.0})), "'lamda'"),
        (lambda c, s, y: build(made_settings("sepclr", {"beta_salient": -1.0})), "beta_salient is -1.0"),
        (lambda c, s, y: joint_entropy_loss(c, s[:3]), "one row per image"),
        (lambda c, s, y: sepclr_supervised_salient_loss(s, y, s[:, :2], kinds=["discrete"] * 3), "don't fit"),
        (lambda c, s, y: sepclr_common_loss(c, c[:, :2]), "shape"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    c, _, s, _, labels = random_case()
    with pytest.raises(ValueError, match=words):
        call(c, s, labels)


def test_a_broken_background_code_breaks_the_losses_that_put_it_at_the_origin():
    c1, c2, s1, s2, labels = random_case()
    s1[0, 0] = math.nan
    for loss in (sepclr_salient_loss(s1, s2, labels), joint_entropy_loss(c1, s1, labels=labels), sepclr_loss(c1, c2, s1, s2, labels)):
        assert loss.isnan()


def test_distances_do_not_feel_where_the_cloud_lies():
    x = 0.3 * torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
    values, gradients = [], []
    for cloud in (x, x + 1000):
        cloud.requires_grad_()
        value = gaussian_uniformity(cloud)
        values.append(value.detach())
        gradients.append(torch.autograd.grad(value, cloud)[0])
    close(*values, rtol=1e-3, atol=1e-3)
    assert (gradients[0] - gradients[1]).norm() < 1e-2 * gradients[0].norm()


def test_groups_must_be_a_tensor(unchecked):
    _, _, s1, s2, labels = random_case()
    with pytest.raises(TypeError, match="labels is a list, but must be a tensor"):
        sepclr_salient_loss(s1, s2, labels.tolist())
