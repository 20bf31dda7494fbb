"""What the check says to attempts whose values are right: which gradients a loss must have, and who needs none."""

import numpy
import pytest
import torch
import torch.nn.functional as F

from contrastive_lab import exercises
from contrastive_lab.exercises.diagnosis import diagnose

ALL = list(exercises.EXERCISES.values())
LOSSES = [e for e in ALL if e.gradient == "same"]
VALUES = [e for e in ALL if e.gradient != "same"]


def complaint(name, attempt):
    return diagnose(exercises.get(name), attempt) or ""


def solution(name):
    return exercises.get(name).solution


@pytest.mark.parametrize("exercise", VALUES, ids=lambda e: e.name)
def test_measures_codes_and_masks_need_no_gradient(exercise):
    assert exercise.passes(torch.no_grad()(exercise.solution))
    assert exercise.passes(torch.enable_grad()(exercise.solution))


@pytest.mark.parametrize("exercise", LOSSES, ids=lambda e: e.name)
def test_a_loss_under_no_grad_is_told_which_inputs_get_no_gradient(exercise):
    assert "no gradient reaches" in complaint(exercise.name, torch.no_grad()(exercise.solution))


@pytest.mark.parametrize("exercise", LOSSES, ids=lambda e: e.name)
def test_a_loss_by_way_of_numpy_does_not_break_the_check(exercise):
    def attempt(*tensors, **settings):
        return exercise.solution(*(torch.from_numpy(numpy.array(x.numpy())) for x in tensors), **settings)

    assert "with inputs that ask for a gradient" in complaint(exercise.name, attempt)


def test_a_measure_may_be_a_number_of_python_or_numpy():
    ratio = solution("participation_ratio")
    assert not complaint("participation_ratio", lambda z: ratio(z).item())
    assert not complaint("participation_ratio", lambda z: numpy.float32(ratio(z).item()))


def swapped(scores1, scores2, codes1, codes2, temperature=0.1):
    return (F.cross_entropy(scores2 / temperature, codes1) + F.cross_entropy(scores1 / temperature, codes2)) / 2


def agreement(y, k, mask):
    cosines = F.cosine_similarity(y[:, :, None], k[:, None], dim=3)
    return -((cosines * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp_min(1)).mean()


def test_targets_that_are_not_detached_are_named():
    assert "a gradient reaches codes1 and codes2" in complaint("swapped_prediction", swapped)
    assert "codes1.detach() and codes2.detach()" in complaint("swapped_prediction", swapped)
    assert "a gradient reaches k, and none may" in complaint("pixel_consistency", agreement)
    own = lambda a, b, c1, c2, temperature: swapped(a, b, c1.detach(), c2, temperature)  # noqa: E731
    assert "a gradient reaches codes2, and none may" in complaint("swapped_prediction", own)


def test_other_right_ways_to_the_losses_pass():
    assert not complaint("swapped_prediction", lambda a, b, c, d, temperature: swapped(a, b, c.detach(), d.detach(), temperature))
    assert not complaint("pixel_consistency", lambda y, k, mask: agreement(y, k.detach(), mask))

    def twin_under_no_grad(y, k, mask):
        with torch.no_grad():
            k = F.normalize(k, dim=2)
        matched = torch.einsum("nic,njc,nij->n", F.normalize(y, dim=2), k, mask.float())
        return -(matched / mask.sum(dim=(1, 2)).clamp_min(1)).mean()

    assert not complaint("pixel_consistency", twin_under_no_grad)

    def background_overwritten(s1, s2, labels, tau=0.5):
        target = labels == 1
        loss = (s1 - s2)[target].square().sum(dim=1).mean() / (2 * tau)
        for s in (s1, s2):
            s = s.clone()
            s[~target] = 0
            square = torch.cdist(s, s).square()[torch.triu(torch.ones(len(s), len(s)), 1).bool()]
            loss = loss + (-square / (2 * tau)).logsumexp(dim=0) - torch.tensor(float(len(square))).log()
        return loss

    assert not complaint("salient_loss", background_overwritten)

    def one_query_at_a_time(scores, labels, partners):
        terms = []
        for row, own, wanted in zip(scores, labels, partners, strict=True):
            others = row[(labels != own) & (labels != wanted)]
            terms += [torch.cat([s[None], others]).logsumexp(dim=0) - s for s in row[labels == wanted]]
        return torch.stack(terms).mean()

    assert not complaint("pair_loss", one_query_at_a_time)

    def logarithms(images, texts, temperature=0.07):
        scores = F.cosine_similarity(images[:, None], texts[None], dim=2) / temperature
        return -(scores.log_softmax(dim=0) + scores.log_softmax(dim=1)).diagonal().mean() / 2

    assert not complaint("clip_loss", logarithms)


def test_a_part_that_was_made_a_constant_is_noticed():
    def weights_fixed(views, t_pos=1.0):
        z = F.normalize(views, dim=2)
        cost = (z[:, None] - z[None]).square().sum(dim=3)
        scores = (t_pos * cost).masked_fill(torch.eye(len(z), dtype=torch.bool)[:, :, None], -torch.inf)
        return (scores.softmax(dim=1).detach() * cost).sum(dim=1).mean()

    assert "reaches views is not the derivative of that value: a part" in complaint("attraction", weights_fixed)
    spread = lambda z1, z2, w, t: solution("two_forces")(z1, z2, w, t).detach() - solution("two_forces")(z1, z2, 0.0, t).detach()  # noqa: E731
    push_fixed = lambda z1, z2, weight, t: solution("two_forces")(z1, z2, 0.0, t) + spread(z1, z2, weight, t)  # noqa: E731
    assert "reaches z1 and z2 is not the derivative" in complaint("two_forces", push_fixed)


def test_gradients_that_are_no_numbers_are_noticed_in_any_case():
    def hidden(y, k, mask):
        cosines = F.cosine_similarity(y[:, :, None], k.detach()[:, None], dim=3)
        return -((cosines * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2))).nan_to_num().mean()

    told = complaint("pixel_consistency", hidden)
    assert "the gradient that reaches y is nan or infinite for one image whose crops don't overlap" in told

    def root(c, s, labels, tau=0.5):
        c, s = F.normalize(c, dim=1), s * labels[:, None]
        square = sum((x[:, None] - x).square().sum(dim=2).sqrt().square() for x in (c, s))
        return (-square / (2 * tau)).exp().mean(dim=1).log().mean()

    assert "the gradient that reaches c and s is nan" in complaint("joint_entropy", root)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, the first time that jacfwd is used
def test_a_derivative_asked_for_on_paper_is_not_taken_from_autograd():
    def repelled(cost, t_neg=2.0):
        return -((-t_neg * cost).softmax(dim=0) * cost).sum()

    def by_grad(cost, t_neg=2.0):
        cost = cost.detach().requires_grad_()
        return torch.autograd.grad(repelled(cost, t_neg), cost)[0]

    def by_backward(cost, t_neg=2.0):
        cost = cost.clone().requires_grad_()
        repelled(cost, t_neg).backward()
        return cost.grad

    def forgotten(cost, t_neg=2.0):
        return torch.autograd.grad(repelled(cost, t_neg), cost)[0]

    backward, forward = (lambda cost, t_neg=2.0, take=take: take(repelled)(cost, t_neg) for take in (torch.func.grad, torch.func.jacfwd))
    for attempt in (by_grad, by_backward, forgotten, backward, forward):
        assert "autograd takes the derivative, which is excluded" in complaint("push_slopes", attempt)

    def jacobian(cost, t_neg=2.0):
        weight = (-t_neg * cost).softmax(dim=0)
        return -weight + t_neg * (torch.diag(weight) - torch.outer(weight, weight)) @ cost

    assert not complaint("push_slopes", jacobian)
    assert not complaint("push_slopes", torch.no_grad()(jacobian))
