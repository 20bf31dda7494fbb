"""Losses written from the papers with plain loops, and the tiny worked example that several specs share."""

import math

import torch
import torch.nn.functional as F

ONE = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
TWO = torch.tensor([[0.6, 0.8], [0.0, 1.0]], dtype=torch.float64)


def slow_anchor_terms(z1, z2, temperature):
    """Per anchor: positive score and the scores of all views of other images."""
    stack, n = F.normalize(torch.cat([z1, z2]).double(), dim=1), len(z1)
    for a in range(2 * n):
        twin = (a + n) % (2 * n)
        others = [stack[a] @ stack[b] / temperature for b in range(2 * n) if b not in (a, twin)]
        yield stack[a] @ stack[twin] / temperature, torch.stack(others)


def slow_nt_xent(z1, z2, temperature):
    terms = [torch.logsumexp(torch.cat([p[None], o]), 0) - p for p, o in slow_anchor_terms(z1, z2, temperature)]
    return sum(terms) / len(terms)


def slow_dcl(z1, z2, temperature, weights=None):
    weights = [1.0] * len(z1) if weights is None else weights
    terms = [torch.logsumexp(o, 0) - weights[a % len(z1)] * p for a, (p, o) in enumerate(slow_anchor_terms(z1, z2, temperature))]
    return sum(terms) / len(terms)


def slow_supcon(z1, z2, labels, temperature):
    stack, both = F.normalize(torch.cat([z1, z2]).double(), dim=1), labels.repeat(2)
    total = torch.zeros((), dtype=torch.float64)
    for a in range(len(stack)):
        scores = {b: stack[a] @ stack[b] / temperature for b in range(len(stack)) if b != a}
        positives = [b for b in scores if both[b] == both[a]]
        below = math.log(sum(math.exp(s) for s in scores.values()))
        if positives:
            total += sum(below - scores[p] for p in positives) / len(positives)
    return total / len(stack)


def random_views(n=7, d=5, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    one = torch.randn(n, d, generator=generator, dtype=dtype)
    return one, one + 0.3 * torch.randn(n, d, generator=generator, dtype=dtype)
