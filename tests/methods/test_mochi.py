import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.methods import hard_negative_indices, info_nce_queue, mix_negative_pairs, mix_with_query, mochi_loss
from contrastive_lab.methods.mochi import draw

close = torch.testing.assert_close
Q = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
QUEUE = torch.tensor([[0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
HALF = (torch.tensor([[[0, 1]]]), torch.tensor([[0.5]]).double(), torch.tensor([[0]]), torch.tensor([[0.25]]).double())


def random_case(b=3, k=8, d=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q, key, queue = (torch.randn(n, d, generator=generator, dtype=torch.float64) for n in (b, b, k))
    return q, key, queue


def slow_mochi(q, k, queue, draws, temperature, n_hard):
    q, k, queue = (F.normalize(x, dim=1) for x in (q, k, queue))
    total = 0.0
    for i in range(len(q)):
        ranked = sorted(range(len(queue)), key=lambda j: -(q[i] @ queue[j]).item())[:n_hard]
        pairs, alpha, single, beta = (x[i] for x in draws)
        extra = [alpha[m] * queue[ranked[pairs[m, 0]]] + (1 - alpha[m]) * queue[ranked[pairs[m, 1]]] for m in range(len(alpha))]
        extra += [beta[m] * q[i].detach() + (1 - beta[m]) * queue[ranked[single[m]]] for m in range(len(beta))]
        scores = [q[i] @ k[i]] + [q[i] @ n for n in queue] + [q[i] @ (h / h.norm()) for h in extra]
        scores = torch.stack(scores) / temperature
        total = total + scores.logsumexp(0) - scores[0]
    return total / len(q)


def test_worked_example():
    close(mochi_loss(Q, Q, QUEUE, temperature=1.0, n_hard=2, draws=HALF).item(), 1.242507, atol=1e-6, rtol=0)
    close(info_nce_queue(Q, Q, QUEUE, temperature=1.0).item(), 0.776355, atol=1e-6, rtol=0)
    _, parts = mochi_loss(Q, Q, QUEUE, temperature=1.0, n_hard=2, draws=HALF, return_parts=True)
    close(parts.pairs.item(), 0.316228, atol=1e-6, rtol=0)
    close(parts.queries.item(), 0.759257, atol=1e-6, rtol=0)
    assert parts.hard.tolist() == [[0, 1]]


def test_equals_loops_in_value_and_gradient():
    q, k, queue = random_case()
    draws = draw(3, n_hard=4, s=5, s_prime=3, generator=torch.Generator().manual_seed(1))
    fast, slow = q.clone().requires_grad_(), q.clone().requires_grad_()
    a = mochi_loss(fast, k, queue, n_hard=4, draws=draws)
    b = slow_mochi(slow, k, queue, draws, 0.2, 4)
    close(a, b, check_dtype=False)
    close(torch.autograd.grad(a, fast), torch.autograd.grad(b, slow))


def test_without_synthetics_it_is_info_nce():
    q, k, queue = random_case()
    close(mochi_loss(q, k, queue, n_hard=4, s=0, s_prime=0), info_nce_queue(q, k, queue))


def test_each_query_has_its_own_hard_set():
    """A public version indexes a flattened table and gives every query the first query's hard set."""
    q, _, queue = random_case(b=6, k=20)
    ranks = hard_negative_indices(q, queue, n_hard=3)
    for i in range(6):
        alone = hard_negative_indices(q[i : i + 1], queue, n_hard=3)[0]
        assert ranks[i].tolist() == alone.tolist()
    assert len({tuple(row) for row in ranks.tolist()}) > 1
    hard = F.normalize(queue, dim=1)[ranks]
    index = torch.zeros(6, 1, dtype=torch.long)
    close(mix_with_query(q, hard, index, torch.zeros(6, 1).double())[:, 0], hard[:, 0])


def test_hardest_come_first_and_excluded_rows_never():
    q, _, queue = random_case()
    similarity = F.normalize(q, dim=1) @ F.normalize(queue, dim=1).T
    ranks = hard_negative_indices(q, queue, n_hard=8)
    assert (similarity.gather(1, ranks).diff(dim=1) <= 0).all()
    exclude = torch.zeros(3, 8, dtype=torch.bool)
    exclude[:, ranks[0, 0]] = True
    assert (hard_negative_indices(q, queue, n_hard=7, exclude=exclude) != ranks[0, 0]).all()


def test_excluded_rows_leave_the_logits_too():
    q, k, queue = random_case()
    exclude = torch.zeros(3, 8, dtype=torch.bool)
    exclude[:, 2] = True
    kept = queue[[0, 1, 3, 4, 5, 6, 7]]
    close(info_nce_queue(q, k, queue, exclude=exclude), info_nce_queue(q, k, kept))
    draws = draw(3, n_hard=4, s=2, s_prime=2)
    close(mochi_loss(q, k, queue, n_hard=4, draws=draws, exclude=exclude), mochi_loss(q, k, kept, n_hard=4, draws=draws))


def test_mixtures_with_the_query_stay_between_half_way_and_the_negative():
    q, _, queue = random_case(b=50, k=40)
    hard = F.normalize(queue, dim=1)[hard_negative_indices(q, queue, n_hard=10)]
    index = torch.arange(10).expand(50, 10)
    angle = lambda a, b: (a * b).sum(-1).clamp(-1, 1).acos()  # noqa: E731
    unit = F.normalize(q, dim=1)[:, None]
    before = angle(unit, hard)
    for beta in (0.01, 0.3, 0.5):
        after = angle(unit, mix_with_query(q, hard, index, torch.full((50, 10), beta).double()))
        assert (after <= before + 1e-9).all()
        assert (after >= before / 2 - 1e-9).all()


def test_a_pair_mixture_may_be_harder_than_both():
    angles = torch.tensor([math.pi / 3, -math.pi / 3])
    hard = torch.stack([angles.cos(), angles.sin()], dim=1)[None]
    mixed = mix_negative_pairs(hard, torch.tensor([[[0, 1]]]), torch.tensor([[0.5]]))
    close(mixed[0, 0], torch.tensor([1.0, 0.0]))


def test_opposite_pair_gives_a_zero_score_not_nan():
    hard = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]])
    close(mix_negative_pairs(hard, torch.tensor([[[0, 1]]]), torch.tensor([[0.5]])), torch.zeros(1, 1, 2))


def test_given_draws_are_taken_as_they_are():
    """A pair of one row twice is that row, shares may be 0 and their largest, and one hard negative is enough."""
    draws = (
        torch.tensor([[[0, 0], [0, 0]]]),
        torch.tensor([[0.0, 1.0]]).double(),
        torch.tensor([[0, 0]]),
        torch.tensor([[0.0, 0.5]]).double(),
    )
    _, parts = mochi_loss(Q, Q, QUEUE, temperature=1.0, n_hard=1, draws=draws, return_parts=True)
    half_way = F.normalize(Q + QUEUE[:1], dim=1)[0, 0]
    close(parts.pairs[0], torch.tensor([0.6, 0.6]).double())
    close(parts.queries[0], torch.stack([torch.tensor(0.6).double(), half_way]))


def test_one_query_with_its_own_key_alone_and_with_all_rows_excluded():
    q, k, queue = random_case(b=1)
    assert mochi_loss(q, k, queue, n_hard=2, s=2, s_prime=2).isfinite()
    close(info_nce_queue(q, k, queue, exclude=torch.ones(1, 8, dtype=torch.bool)).item(), 0.0)


def test_lengths_do_not_matter_and_gradients_agree_with_finite_differences():
    q, k, queue = random_case()
    draws = draw(3, n_hard=4, s=5, s_prime=3)
    close(mochi_loss(3 * q, 0.2 * k, 7 * queue, n_hard=4, draws=draws), mochi_loss(q, k, queue, n_hard=4, draws=draws))
    assert torch.autograd.gradcheck(lambda x: info_nce_queue(x, k, queue), (q.requires_grad_(),))


def test_draws_are_per_query_and_pairs_distinct():
    draws = draw(64, n_hard=2, s=50, s_prime=50, generator=torch.Generator().manual_seed(0))
    assert (draws.pairs[..., 0] != draws.pairs[..., 1]).all()
    assert draws.beta.max() <= 0.5
    assert len(draws.alpha.unique()) > 3000
    assert not torch.equal(draws.alpha[0], draws.alpha[1])


def test_only_the_query_gets_a_gradient():
    q, k, queue = (x.requires_grad_() for x in random_case())
    mochi_loss(q, k, queue, n_hard=4, s=3, s_prime=3).backward()
    assert q.grad.abs().sum() > 0
    assert k.grad is None
    assert queue.grad is None
    hard, index = queue[None].expand(3, -1, -1), torch.zeros(3, 1, dtype=torch.long)
    assert not mix_with_query(q, hard, index, torch.full((3, 1), 0.2)).requires_grad
    assert not mix_negative_pairs(hard, index[:, :, None].expand(3, 1, 2), torch.full((3, 1), 0.2)).requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_finite_at_tiny_temperature(dtype):
    q, k, queue = (x.to(dtype) for x in random_case())
    leaf = q.requires_grad_()
    loss = mochi_loss(leaf, k, queue, n_hard=4, s=4, s_prime=4, temperature=1e-3)
    loss.backward()
    assert loss.isfinite()
    assert leaf.grad.isfinite().all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda q, k, n: mochi_loss(q, k, n, n_hard=9), "n_hard is 9"),
        (lambda q, k, n: mochi_loss(q, k, n, n_hard=0), "n_hard is 0"),
        (lambda q, k, n: mochi_loss(q, k, n, n_hard=4, s=-1), "s is -1"),
        (lambda q, k, n: mochi_loss(q, k, n, n_hard=1, s=2), "distinct"),
        (lambda q, k, n: mochi_loss(q, k, n, n_hard=4, temperature=0.0), "temperature is 0.0"),
        (lambda q, k, n: mochi_loss(q, k[:2], n, n_hard=4), "shape"),
        (lambda q, k, n: info_nce_queue(q, k, n[:0]), "queue has shape"),
        (lambda q, k, n: info_nce_queue(q, k, n[:, :2]), "queue has shape"),
        (lambda q, k, n: info_nce_queue(q, k, n, exclude=torch.ones(2, 2, dtype=torch.bool)), "exclude has shape"),
        (lambda q, k, n: mix_with_query(q, n[None].expand(3, -1, -1), torch.zeros(3, 1).long(), torch.full((3, 1), 0.6)), "beta"),
        (lambda q, k, n: mix_negative_pairs(n[None], torch.zeros(1, 1, 2).long(), torch.tensor([[1.5]])), "alpha"),
        (lambda q, k, n: mix_negative_pairs(n[None], torch.tensor([[[0, 8]]]), torch.tensor([[0.5]])), "pairs reaches from 0 to 8"),
        (lambda q, k, n: mix_with_query(q[:1], n[None], torch.tensor([[-1]]), torch.tensor([[0.5]])), "index reaches from -1"),
        (lambda q, k, n: mochi_loss(q, k, n, n_hard=8, exclude=torch.eye(3, 8, dtype=torch.bool)), "between 1 and 7"),
    ],
)
def test_bad_input_names_the_value(call, words, unchecked):
    with pytest.raises(ValueError, match=words):
        call(*random_case())


def test_wrong_kinds_of_numbers_are_refused(unchecked):
    q, k, queue = random_case()
    with pytest.raises(TypeError, match=r"q has dtype torch\.int64"):
        info_nce_queue(q.long(), k, queue)
    with pytest.raises(TypeError, match=r"exclude has dtype torch\.int64"):
        info_nce_queue(q, k, queue, exclude=torch.zeros(3, 8, dtype=torch.long))


def test_draws_of_fewer_queries_never_serve_all(unchecked):
    q, k, queue = torch.randn(6, 4), torch.randn(6, 4), torch.randn(9, 4)
    drawn = draw(6, n_hard=4, s=3, s_prime=2)
    for part, words in (("pairs", "pairs"), ("alpha", "alpha"), ("singles", "index"), ("beta", "beta")):
        short = drawn._replace(**{part: getattr(drawn, part)[:1]})
        with pytest.raises(ValueError, match=rf"{words} \(1, .* don't fit; .* one row for each of B queries"):
            mochi_loss(q, k, queue, n_hard=4, draws=short)
    hard = torch.randn(6, 4, 4)
    with pytest.raises(ValueError, match=r"q has shape \(1, 4\), but must be \(6, 4\)"):
        mix_with_query(q[:1], hard, drawn.singles, drawn.beta)
