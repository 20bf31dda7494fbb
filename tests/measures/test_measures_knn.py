import math

import pytest
import torch
import torch.nn.functional as F

from contrastive_lab.measures import knn_scores, weighted_knn

BANK, LABELS, QUERY = torch.tensor([[1, 0], [0.8, 0.6], [0.6, 0.8]]), torch.tensor([0, 1, 1]), torch.tensor([[1.0, 0]])


def cloud(n, d=8, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def labelled(n=120, seed=0):
    return cloud(n, seed=seed), torch.randint(5, (n,), generator=torch.Generator().manual_seed(seed))


def slow_votes(bank, labels, query, k, temperature, classes):
    cosines = [float(F.cosine_similarity(query, row, dim=0)) for row in bank]
    votes = [0.0] * classes
    for i in sorted(range(len(bank)), key=lambda i: -cosines[i])[:k]:
        votes[int(labels[i])] += math.exp(cosines[i] / temperature)
    return votes


def test_worked_example():
    assert weighted_knn(BANK, LABELS, QUERY, k=3, temperature=1).tolist() == [1]
    assert weighted_knn(BANK, LABELS, QUERY, k=3, temperature=0.07).tolist() == [0]
    assert weighted_knn(BANK, LABELS, QUERY, k=1).tolist() == [0]
    votes = knn_scores(BANK, LABELS, QUERY, k=3, temperature=1)[0]
    assert float(votes[1] / votes[0]) == pytest.approx((math.exp(0.8) + math.exp(0.6)) / math.e, rel=1e-6)  # 4.048 / 2.718
    votes = knn_scores(BANK, LABELS, QUERY, k=3)[0]
    assert float(votes[1] / votes[0]) == pytest.approx(9.72e4 / 1.600e6, rel=1e-3)


@pytest.mark.parametrize("k", [1, 7, 120])
@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_slow_loop(k, temperature):
    bank, labels = labelled()
    queries = cloud(30, seed=3)
    votes = knn_scores(bank, labels, queries, k=k, temperature=temperature)
    for got, query in zip(votes, queries, strict=True):
        slow = torch.tensor(slow_votes(bank, labels, query, k, temperature, 5), dtype=torch.float64)
        torch.testing.assert_close(got / got.sum(), slow / slow.sum())
    assert torch.equal(weighted_knn(bank, labels, queries, k=k, temperature=temperature), votes.argmax(dim=1))


def test_slices_do_not_change_the_votes(monkeypatch):
    bank, labels = labelled()
    queries = cloud(31, seed=3)
    whole = knn_scores(bank, labels, queries, k=9)
    for elements in (1, 120 * 7 // 16 + 1):
        monkeypatch.setattr("contrastive_lab.measures.arithmetic.SLICE_ELEMENTS", elements)
        torch.testing.assert_close(knn_scores(bank, labels, queries, k=9), whole, rtol=1e-12, atol=1e-14)


def test_k_is_cut_to_the_bank():
    bank, labels = labelled(20)
    queries = cloud(9, seed=3)
    assert torch.equal(knn_scores(bank, labels, queries, k=10_000), knn_scores(bank, labels, queries, k=20))


def test_ties_go_to_the_lowest_class():
    bank = torch.tensor([[1.0, 1], [1, -1], [-1, 1]])
    assert weighted_knn(bank, torch.tensor([2, 1, 0]), QUERY, k=2).tolist() == [1]
    # Three equal votes whose float sums differ in the last digit depending on the order.
    around = torch.eye(6)
    labels = torch.tensor([3, 3, 3, 1, 1, 1])
    assert weighted_knn(around, labels, torch.ones(1, 6), k=6).tolist() == [1]


def test_tiny_temperatures_do_not_overflow():
    bank, labels = labelled()
    votes = knn_scores(bank.float(), labels, bank.float(), k=20, temperature=0.001)
    assert bool(votes.isfinite().all())
    assert torch.equal(weighted_knn(bank, labels, bank, k=20, temperature=0.001), labels)


def test_classes_missing_from_the_bank_get_no_votes():
    votes = knn_scores(BANK, LABELS, QUERY, k=3, classes=5)
    assert votes.shape == (1, 5)
    assert votes[0, 2:].tolist() == [0, 0, 0]
    assert weighted_knn(BANK, LABELS * 3, QUERY, k=1).tolist() == [0]  # a gap in the class numbers


def test_a_narrow_cone_keeps_its_neighbours():
    """All cosines lie above 1 - 1e-8, where float32 has two values left."""
    inner, labels = labelled()
    narrow = 1 + 1e-4 * inner
    unit = F.normalize(narrow, dim=1)
    distances = torch.cdist(unit, unit, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    nearest = labels[distances.argmin(dim=1)]
    got = torch.stack(
        [
            weighted_knn(unit[torch.arange(120) != i].float(), labels[torch.arange(120) != i], unit[i : i + 1].float(), k=1)
            for i in range(120)
        ]
    )
    assert float((got[:, 0] == nearest).double().mean()) > 0.95


def test_agrees_with_lightly():
    benchmarking = pytest.importorskip("lightly.utils.benchmarking")
    bank, labels = labelled(400)
    queries = cloud(50, seed=3)
    theirs = benchmarking.knn_predict(F.normalize(queries, dim=1), F.normalize(bank, dim=1).T, labels, 5, knn_k=20, knn_t=0.1)[:, 0]
    assert torch.equal(weighted_knn(bank, labels, queries, k=20, temperature=0.1), theirs)


def test_k_one_equals_scikit_learn():
    from sklearn.neighbors import KNeighborsClassifier

    bank, labels = labelled(400)
    queries = cloud(80, seed=3)
    theirs = KNeighborsClassifier(1, metric="cosine").fit(bank.numpy(), labels.numpy()).predict(queries.numpy())
    assert weighted_knn(bank, labels, queries, k=1).tolist() == theirs.tolist()


def test_one_query_and_small_integer_labels():
    assert weighted_knn(BANK, LABELS.to(torch.uint8), QUERY, k=3).dtype == torch.int64


def test_rotation_and_row_scale_do_not_matter():
    bank, labels = labelled()
    queries = cloud(30, seed=3)
    turn = torch.linalg.qr(cloud(bank.shape[1], bank.shape[1], seed=5)).Q
    votes = knn_scores(bank, labels, queries, k=9)
    scale = 0.1 + torch.rand(len(bank), 1, dtype=bank.dtype, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(knn_scores(scale * bank @ turn, labels, 7 * queries @ turn, k=9), votes)
