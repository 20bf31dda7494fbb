"""Exercises of notebooks 04 and 08 agree with what the package trains with."""

import torch
import torch.nn.functional as F

from contrastive_lab import exercises, methods
from contrastive_lab.exercises.exercise import seeded
from contrastive_lab.networks import KeyQueue, MomentumTwin


def solution(name):
    return exercises.get(name).solution


def test_queue_loss_and_mixtures_equal_the_package():
    q, k, queue = seeded(5, 8, seed=1), seeded(5, 8, seed=2), seeded(40, 8, seed=3)
    torch.testing.assert_close(solution("queue_loss")(q, k, queue, 0.2), methods.info_nce_queue(q, k, queue, temperature=0.2))
    hard = F.normalize(seeded(5, 6, 8, seed=4), dim=-1)
    draws = methods.mochi.draw(5, n_hard=6, s=7, s_prime=3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        solution("mix_pairs")(hard, draws.pairs, draws.alpha), methods.mix_negative_pairs(hard, draws.pairs, draws.alpha)
    )
    torch.testing.assert_close(
        solution("mix_query")(q, hard, draws.singles, draws.beta), methods.mix_with_query(q, hard, draws.singles, draws.beta)
    )


def test_no_gradient_reaches_keys_or_queue():
    q, k, queue = (seeded(4, 8, seed=n).requires_grad_() for n in (1, 2, 3))
    solution("queue_loss")(q, k, queue).backward()
    assert q.grad is not None
    assert k.grad is None
    assert queue.grad is None


def test_ring_and_twin_equal_the_package():
    ring = KeyQueue(7, 4)
    mine, start = ring.rows.clone(), 0
    for step in range(5):
        keys = F.normalize(seeded(3, 4, seed=step), dim=1)
        ring.enqueue(keys)
        mine, start = solution("enqueue")(mine, keys, start), (start + 3) % 7
        torch.testing.assert_close(mine, ring.rows)
    one, two = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    twin = MomentumTwin(one)
    twin.update(two, 0.7)
    torch.testing.assert_close(twin.module.weight, solution("momentum_update")(one.weight, two.weight, 0.7).detach())


def test_hydra_equals_the_package():
    z, keys, gate = seeded(9, 5, seed=1), seeded(9, 5, seed=2), seeded(9, 5, seed=3).sigmoid()
    labels = torch.arange(9) % 3
    partners = labels[torch.randperm(9, generator=torch.Generator().manual_seed(0))]
    similarity = solution("gated_similarity")(z, keys, gate)
    torch.testing.assert_close(similarity, methods.gated_similarity(z, keys, gate))
    torch.testing.assert_close(
        solution("pair_loss")(similarity / 0.1, labels, partners),
        methods.hydra_pair_loss(z, keys, gate, labels, partners, temperature=0.1),
    )
    torch.testing.assert_close(solution("class_relations")(gate), methods.class_relations(gate))
