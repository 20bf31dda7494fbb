import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.contrast import contrast, cosine_scores
from contrastive_lab.methods import dcl_loss, dclw_loss, info_nce_loss, info_nce_queue, nt_xent_loss, supcon_loss

close = torch.testing.assert_close


def random_case():
    torch.manual_seed(0)
    scores = torch.randn(4, 6, dtype=torch.float64)
    positives = torch.tensor([[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]], dtype=torch.bool)
    negatives = ~positives & torch.tensor([1, 1, 1, 1, 1, 0], dtype=torch.bool)
    return scores, positives, negatives, torch.randn(4, 3, dtype=torch.float64)


@pytest.mark.parametrize("below", ["all", "negatives", "own"])
@pytest.mark.parametrize("average", ["anchor", "pair"])
@pytest.mark.parametrize("with_extra", [True, False])
def test_equals_loops(below, average, with_extra):
    scores, positives, negatives, extra = random_case()
    anchors, pairs = [], []
    for a in range(4):
        terms = []
        for p in positives[a].nonzero().flatten():
            keep = {"all": positives[a] | negatives[a], "negatives": negatives[a], "own": negatives[a].clone()}[below]
            if below == "own":
                keep[p] = True
            line = torch.cat([scores[a][keep], extra[a]]) if with_extra else scores[a][keep]
            terms.append(math.log(line.exp().sum()) - scores[a, p].item())
        anchors.append(sum(terms) / max(len(terms), 1))
        pairs += terms
    expected = sum(anchors) / 4 if average == "anchor" else sum(pairs) / len(pairs)
    value = contrast(scores, positives, negatives=negatives, extra=extra if with_extra else None, below=below, average=average)
    close(value.item(), expected)


def test_soft_targets_are_cross_entropy_with_probabilities():
    scores = torch.randn(5, 5, dtype=torch.float64)
    targets = torch.rand(5, 5, dtype=torch.float64) + 0.1
    close(contrast(scores, targets), F.cross_entropy(scores, targets / targets.sum(1, keepdim=True)))


def test_anchor_without_negatives_costs_nothing_and_has_no_gradient():
    scores = torch.randn(2, 3, requires_grad=True)
    positives = torch.tensor([[True, False, False], [True, False, False]])
    negatives = torch.tensor([[False, False, False], [False, True, True]])
    contrast(scores, positives, negatives=negatives, below="own").backward()
    assert scores.grad.isfinite().all()
    close(scores.grad[0], torch.zeros(3))
    assert scores.grad[1].abs().sum() > 0


def test_no_positive_at_all_is_zero_with_a_graph():
    scores = torch.randn(2, 3, requires_grad=True)
    for average in ("anchor", "pair"):
        value = contrast(scores, torch.zeros(2, 3, dtype=torch.bool), average=average)
        value.backward()
        assert value == 0
    close(scores.grad, torch.zeros(2, 3))


def test_a_temperature_for_each_anchor():
    x, y = torch.randn(3, 4), torch.randn(5, 4)
    heat = torch.tensor([0.1, 0.5, 2.0])
    rows = torch.cat([cosine_scores(x[i : i + 1], y, temperature=heat[i].item()) for i in range(3)])
    close(cosine_scores(x, y, temperature=heat), rows)


def test_a_temperature_may_be_learned():
    x, y = torch.randn(2, 6, 4)
    losses = [
        nt_xent_loss,
        lambda x, y, **heat: nt_xent_loss(x, y, chunk=4, **heat),
        info_nce_loss,
        dcl_loss,
        lambda x, y, **heat: dclw_loss(x, y, chunk=4, **heat),
        lambda x, y, **heat: supcon_loss(x, y, torch.arange(6) % 3, **heat),
        lambda x, y, **heat: info_nce_queue(x, y, y.flip(1), **heat),
    ]
    for loss in losses:
        heat = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        value = loss(x.double(), y.double(), temperature=heat)
        value.backward()
        close(value, loss(x.double(), y.double(), temperature=0.3))
        step = [loss(x.double(), y.double(), temperature=0.3 + shift).item() for shift in (1e-5, -1e-5)]
        close(heat.grad.item(), (step[0] - step[1]) / 2e-5, rtol=1e-4, atol=1e-6)
