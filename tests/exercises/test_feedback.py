"""What the check says to attempts that are no known mistake."""

import torch

from contrastive_lab import exercises
from contrastive_lab.exercises.diagnosis import diagnose


def complaint(name, attempt):
    return diagnose(exercises.get(name), attempt) or ""


def test_a_mask_with_too_many_and_too_few_pairs_is_told_how_many():
    solution = exercises.get("positive_mask").solution
    assert "True in 0 places where it must be False, and False in" in complaint(
        "positive_mask", lambda *boxes, side=4, threshold=0.7: solution(*boxes, side, 0.5 * threshold)
    )
    assert "and False in 0 where it must be True" in complaint(
        "positive_mask", lambda *boxes, side=4, threshold=0.7: solution(*boxes, side, 3 * threshold)
    )


def test_a_factor_is_named_only_where_zeros_are_right_too():
    solution = exercises.get("class_relations").solution
    assert "3 times the right one" in complaint("class_relations", lambda gates: 3 * solution(gates))
    scores = exercises.get("gated_similarity").solution
    shifted = complaint("gated_similarity", lambda z, keys, gate: torch.where(scores(z, keys, gate) == 0, 0.5, 3 * scores(z, keys, gate)))
    assert "times the right one" not in shifted


def test_plain_exponentials_pass_where_they_cannot_underflow_and_are_told_where_they_can():
    """Background rows keep the salient kernel's mean above 0 unless there is only one of them; in the joint one every image has itself."""

    def plain(c, s, labels, tau=0.5):
        s = torch.where(labels.bool()[:, None], s, 0.0)
        c = torch.nn.functional.normalize(c, dim=1)
        square = (c[:, None] - c).square().sum(dim=2) + (s[:, None] - s).square().sum(dim=2)
        return (-square / (2 * tau)).exp().mean(dim=1).log().mean()

    assert not complaint("joint_entropy", plain)
    mistake = next(m for m in exercises.get("salient_loss").mistakes if m.name == "the exponentials underflow")
    assert mistake.hint in complaint("salient_loss", mistake.answer)


def test_a_pairwise_gap_stops_where_the_clouds_differ_in_size_and_is_told_why():
    def pairwise(x, y):
        unit = torch.nn.functional.normalize
        return (unit(x, dim=1) - unit(y, dim=1)).mean(dim=0).norm()

    assert "need not have the same number of points" in complaint("modality_gap", pairwise)


def test_code_that_stops_everywhere_is_told_what_stopped_it():
    assert "your code stopped with KeyError" in complaint("modality_gap", lambda x, y: {}["x"])


def test_mixtures_may_be_made_constants_in_any_way_but_must_not_let_a_gradient_through():
    solution = exercises.get("mix_query").solution

    def inside(q, hard, index, beta):
        return solution(q.detach(), hard.detach(), index, beta)

    def leaks(q, hard, index, beta):
        unit, share = torch.nn.functional.normalize, beta[..., None]
        return unit(share * unit(q, dim=1)[:, None] + (1 - share) * hard[torch.arange(len(hard))[:, None], index], dim=-1)

    assert not complaint("mix_query", inside)
    assert not complaint("mix_query", torch.no_grad()(solution))

    def by_parts(q, hard, index, beta):
        return leaks(q.detach(), hard.detach(), index, beta)

    assert not complaint("mix_query", by_parts)
    assert "a gradient passes through your answer to q and hard, and none may" in complaint("mix_query", leaks)


def test_rankme_without_its_constant_fails_on_a_dead_direction():
    def plain(z):
        values = torch.linalg.svdvals(z)
        share = values / (values.sum() + 1e-7)
        return torch.exp(-(share * share.log()).sum())

    assert "a dead direction spoils the sum" in complaint("rankme", plain)
