import math

import pytest
import torch
import torch.nn.functional as F
from tiny import OPTIONS, made_settings

from contrastive_lab.methods import (
    GateNetwork,
    Hydra,
    OpenGate,
    class_relations,
    gated_similarity,
    hydra_loss,
    hydra_pair_loss,
    sample_pair_labels,
    supcon_loss,
)
from contrastive_lab.networks import make_backbone
from contrastive_lab.training.prepare import build

close = torch.testing.assert_close


def random_case(b=6, m=9, d=4, classes=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    z, keys = torch.randn(b, d, generator=generator).double(), torch.randn(m, d, generator=generator).double()
    gate = torch.rand(b, d, generator=generator).double()
    labels, pairs = (torch.randint(classes, (b,), generator=generator) for _ in range(2))
    return z, keys, gate, labels, pairs, torch.randint(classes, (m,), generator=generator)


def slow_pair_loss(z, keys, gate, labels, pairs, key_labels, temperature, queries=None):
    terms = []
    for b in range(len(z)) if queries is None else queries:
        score = [F.cosine_similarity(gate[b] * z[b], gate[b] * k, dim=0) / temperature for k in keys]
        negatives = [s.exp() for s, y in zip(score, key_labels, strict=True) if y not in (labels[b], pairs[b])]
        for s, y in zip(score, key_labels, strict=True):
            if y == pairs[b]:
                terms.append((s.exp() + sum(negatives)).log() - s)
    return sum(terms) / len(terms)


def test_worked_example():
    z = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
    keys = torch.tensor([[1, 0.8], [1, -0.9], [-1, 1]], dtype=torch.float64)
    rest = {"labels": torch.tensor([0]), "pair_labels": torch.tensor([1]), "key_labels": torch.tensor([0, 1, 2]), "temperature": 0.5}
    for gate, expected in (([1.0, 1.0], 0.641969), ([1.0, 0.0], 0.018150)):
        value = hydra_pair_loss(z, keys, torch.tensor([gate]).double(), **rest)
        close(value.item(), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_equals_loops(temperature):
    z, keys, gate, labels, pairs, key_labels = random_case()
    value = hydra_pair_loss(z, keys, gate, labels, pairs, key_labels=key_labels, temperature=temperature)
    close(value, slow_pair_loss(z, keys, gate, labels, pairs, key_labels, temperature))


def test_two_matrix_products_equal_gating_every_key():
    z, keys, gate, *_ = random_case()
    expected = F.cosine_similarity((gate * z)[:, None], gate[:, None] * keys, dim=-1)
    close(gated_similarity(z, keys, gate), expected)
    simple = torch.einsum("bd,md,bd->bm", F.normalize(z, dim=1), F.normalize(keys, dim=1), gate.square())
    close(gated_similarity(z, keys, gate, mode="normalize_gate"), simple)


def test_the_gate_belongs_to_the_query():
    z, keys, gate, *_ = random_case(b=6, m=6)
    assert not torch.allclose(gated_similarity(z, keys, gate), gated_similarity(keys, z, gate).T)


def test_only_ratios_of_a_gate_row_matter_in_the_default_mode():
    z, keys, gate, *_ = random_case()
    close(gated_similarity(z, keys, 0.1 * gate), gated_similarity(z, keys, gate))
    mode = "normalize_gate"
    assert not torch.allclose(gated_similarity(z, keys, 0.1 * gate, mode=mode), gated_similarity(z, keys, gate, mode=mode))


def test_open_gate_is_the_plain_cosine_and_a_closed_one_is_zero():
    z, keys, gate, *_ = random_case()
    close(gated_similarity(z, keys, torch.ones_like(gate)), F.normalize(z, dim=1) @ F.normalize(keys, dim=1).T)
    closed = torch.zeros_like(gate).requires_grad_()
    similarity = gated_similarity(z, keys, closed)
    close(similarity.detach(), torch.zeros(6, 9).double())
    similarity.sum().backward()
    assert closed.grad.isfinite().all()


def test_both_directions_are_averaged():
    z1, z2 = random_case(m=6)[:2]
    gate, labels, pairs = random_case()[2:5]
    forth, back = hydra_pair_loss(z1, z2, gate, labels, pairs), hydra_pair_loss(z2, z1, gate, labels, pairs)
    close(hydra_loss(z1, z2, gate, labels, pairs), (forth + back) / 2)


def test_own_class_is_ignored_unless_it_is_the_partner():
    z, keys, gate, *_ = random_case(b=2, m=4)
    labels, pairs, key_labels = torch.tensor([0, 0]), torch.tensor([1, 1]), torch.tensor([0, 1, 2, 2])
    moved = keys.clone()
    moved[0] += 5
    options = {"key_labels": key_labels}
    close(hydra_pair_loss(z, keys, gate, labels, pairs, **options), hydra_pair_loss(z, moved, gate, labels, pairs, **options))
    assert hydra_pair_loss(z, keys, gate, labels, labels, **options) != hydra_pair_loss(z, moved, gate, labels, labels, **options)


def test_equal_similarities_cost_the_log_of_one_plus_the_negatives():
    ones = torch.ones(6, 3)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    value = hydra_pair_loss(ones, ones, ones, labels, labels.roll(2))
    close(value.item(), math.log(3), atol=1e-6, rtol=0)


def test_a_batch_without_positives_or_negatives_costs_nothing():
    z, keys, gate, *_ = random_case(b=2, m=2)
    z.requires_grad_()
    none = hydra_pair_loss(z, keys, gate, torch.tensor([0, 0]), torch.tensor([3, 3]), key_labels=torch.tensor([0, 1]))
    two_classes = hydra_pair_loss(z, keys, gate, torch.tensor([0, 1]), torch.tensor([1, 0]), key_labels=torch.tensor([0, 1]))
    (none + two_classes).backward()
    assert none == 0
    close(two_classes.item(), 0.0)
    close(z.grad, torch.zeros_like(z))


def test_identical_pairs_with_an_open_gate_pull_like_supervised_contrast():
    """Same positives and negatives as SupCon between two views, but positives don't compete with each other."""
    z, keys, *_ = random_case(b=6, m=6)
    labels = torch.arange(6)
    value = hydra_loss(z, keys, torch.ones_like(z), labels, labels, temperature=0.5)
    scores = F.normalize(z, dim=1) @ F.normalize(keys, dim=1).T / 0.5
    expected = (F.cross_entropy(scores, labels) + F.cross_entropy(scores.T, labels)) / 2
    close(value, expected)
    assert supcon_loss(z, keys, labels, temperature=0.5) > value


@pytest.mark.parametrize("mode", ["gate_normalize", "normalize_gate"])
def test_gradients_are_those_of_finite_differences(mode):
    z, keys, gate, labels, pairs, key_labels = random_case()
    loss = lambda a, b, g: hydra_pair_loss(a, b, g, labels, pairs, key_labels=key_labels, temperature=0.5, mode=mode)  # noqa: E731
    assert torch.autograd.gradcheck(loss, (z.requires_grad_(), keys.requires_grad_(), gate.requires_grad_()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_at_temperature_one_hundredth(dtype):
    """The released loss subtracts the row mean before exp and overflows here."""
    z, keys, gate, labels, pairs, key_labels = random_case()
    leaf = z.to(dtype).requires_grad_()
    value = hydra_pair_loss(leaf, keys.to(dtype), gate.to(dtype), labels, pairs, key_labels=key_labels, temperature=0.01)
    value.backward()
    assert value.isfinite()
    assert leaf.grad.isfinite().all()


def test_pairs_are_sampled_as_named():
    labels = torch.randint(10, (2000,), generator=torch.Generator().manual_seed(0))
    arbitrary = sample_pair_labels(labels, generator=torch.Generator().manual_seed(1))
    assert arbitrary.bincount().tolist() == labels.bincount().tolist()
    assert 0.07 < (arbitrary == labels).float().mean() < 0.13
    assert torch.equal(sample_pair_labels(labels, mode="identical"), labels)
    distinct = sample_pair_labels(labels, mode="distinct", num_classes=10)
    assert not (distinct == labels).any()
    assert set(distinct.tolist()) == set(range(10))


@pytest.mark.parametrize("fuse", ["mean", "product"])
def test_gate_network(fuse):
    gate = GateNetwork(5, 7, embed_dim=6, hidden_dim=8, fuse=fuse)
    pairs = gate.pair_gates()
    assert pairs.shape == (5, 5, 7)
    assert gate.training
    close(pairs, pairs.transpose(0, 1))
    close(pairs[torch.arange(5), torch.arange(5)], gate.class_gates())
    assert pairs.min() > 0
    assert pairs.max() < 1
    opened = OpenGate(5, 7)
    close(opened.pair_gates(), torch.ones(5, 5, 7))
    close(opened(torch.zeros(3).long(), torch.ones(3).long()), torch.ones(3, 7))


def test_training_loss_trains_encoder_and_gate_through_both_views():
    torch.manual_seed(0)
    method = Hydra.build(lambda: make_backbone(width=2, image_size=16), **OPTIONS["hydra"])
    labels = torch.arange(8) // 2
    x1, x2 = torch.randn(2, 8, 3, 16, 16).requires_grad_().unbind()
    expected = hydra_loss(*method(torch.cat([x1, x2]))[1].chunk(2), method.gate(labels, labels), labels, labels, temperature=0.3)
    loss = method.training_loss(x1, x2, labels, temperature=0.3, pair_mode="identical")
    close(loss, expected)
    gradients = torch.autograd.grad(loss, [x1, x2, method.gate.embedding.weight])
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_losses_of_identical_and_distinct_pairs_are_logged_apart():
    torch.manual_seed(0)
    method = Hydra.build(lambda: make_backbone(width=2, image_size=16), **OPTIONS["hydra"], temperature=0.4)
    z1, z2, gate, *_ = random_case(b=6, m=6)
    labels, partners = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 1, 1, 2, 0, 2])
    logs = method.diagnose(z1, z2, gate, labels, partners)
    for name, queries in (("identical", [0, 2, 5]), ("distinct", [1, 3, 4])):
        close(logs[f"loss of {name} pairs"], slow_pair_loss(z1, z2, gate, labels, partners, labels, 0.4, queries))
    close(method.diagnose(z1, z2, gate, labels, labels)["loss of distinct pairs"].item(), 0.0)


def test_relations_are_centred_cosines():
    gates = torch.tensor([[0.9, 0.9, 0.1], [0.9, 0.8, 0.1], [0.9, 0.1, 0.9]])
    relations = class_relations(gates)
    close(relations.diagonal(), torch.ones(3))
    assert relations[0, 1] > 0.9
    assert relations[0, 2] < 0
    assert class_relations(gates, center=False).min() > 0.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z, g, y: hydra_pair_loss(z, z, g[:2], y, y), "gate has shape"),
        (lambda z, g, y: hydra_pair_loss(z, z, -g, y, y), "gate reaches"),
        (lambda z, g, y: hydra_pair_loss(z, z, g, y.double(), y), "labels has shape"),
        (lambda z, g, y: hydra_pair_loss(z, z, g, y, y[:2]), "pair_labels has shape"),
        (lambda z, g, y: hydra_pair_loss(z, z, g, y, y, temperature=0.0), "temperature is 0.0"),
        (lambda z, g, y: hydra_pair_loss(z, z, g, y, y, mode="gate"), "mode is 'gate'"),
        (lambda z, g, y: hydra_pair_loss(z, z[:, :2], g, y, y), "z has shape .* and keys"),
        (lambda z, g, y: hydra_pair_loss(z, z, g * torch.nan, y, y), "gate reaches"),
        (lambda z, g, y: hydra_pair_loss(z, z, g, y - 4, y), "labels reach from -.* unlabelled"),
        (lambda z, g, y: hydra_pair_loss(z, z, g, y, y, key_labels=y - 4), "key_labels reach from -"),
        (lambda z, g, y: GateNetwork(3, 4)(y * 0 + 3, y * 0), "labels reach from 3 to 3, .* num_classes is 3, give 4"),
        (lambda z, g, y: GateNetwork(3, 4)(y * 0, y * 0 - 1), "pair_labels reach from -1"),
        (lambda z, g, y: sample_pair_labels(y + 5, mode="distinct", num_classes=4), "num_classes is 4, give"),
        (lambda z, g, y: GateNetwork(3, 4, fuse="sum"), "fuse is 'sum'"),
        (lambda z, g, y: sample_pair_labels(y, mode="any"), "mode is 'any'"),
        (lambda z, g, y: sample_pair_labels(y, mode="distinct", num_classes=1), "num_classes is 1"),
        (lambda z, g, y: class_relations(g[0]), "gates has shape"),
        (lambda z, g, y: GateNetwork(1, 4), "num_classes is 1"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    z, _, gate, labels, *_ = random_case()
    with pytest.raises(ValueError, match=words):
        call(z, gate, labels)


def test_distinct_pairs_of_two_classes_have_no_negatives():
    with pytest.raises(ValueError, match="num_classes is 2 with distinct pairs"):
        build(made_settings("hydra", {"num_classes": 2, "pair_mode": "distinct"}))


def test_no_rows_are_no_loss():
    none, no_labels = torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)
    with pytest.raises(ValueError, match="z has 0 rows"):
        hydra_pair_loss(none, none, none, no_labels, no_labels)
