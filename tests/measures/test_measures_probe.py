import pytest
import torch

from contrastive_lab.measures import few_label_curve, linear_probe


def task(n=900, d=12, classes=4, seed=0, noise=1.5):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    scores = x @ torch.randn(d, classes, generator=generator, dtype=torch.float64)
    labels = (scores + noise * torch.randn(n, classes, generator=generator, dtype=torch.float64)).argmax(dim=1)
    third = n // 3
    return x[third:], labels[third:], x[:third], labels[:third]


def test_separable_by_hand():
    x = torch.tensor([[0.0, 0], [0, 1], [5, 0], [5, 1]])
    labels = torch.tensor([0, 0, 1, 1])
    result = linear_probe(x, labels, x + 0.1, labels)
    assert (result.top1, result.train_top1, result.classes) == (1.0, 1.0, 2)
    assert result.per_class == {0: 1.0, 1: 1.0}


@pytest.mark.parametrize("l2", [1e-3, 1e-2])
def test_the_optimum_is_that_of_scikit_learn(l2):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, train_labels, test, test_labels = task()
    scaler = StandardScaler().fit(train.numpy())
    reference = LogisticRegression(C=1 / (len(train) * l2), tol=1e-8, max_iter=2000)
    reference.fit(scaler.transform(train.numpy()), train_labels.numpy())
    result = linear_probe(train, train_labels, test, test_labels, l2=l2)
    assert result.predictions.tolist() == reference.predict(scaler.transform(test.numpy())).tolist()
    assert result.top1 == pytest.approx(reference.score(scaler.transform(test.numpy()), test_labels.numpy()))
    assert result.top1 > 0.5


def test_float32_agrees_with_float64():
    train, train_labels, test, test_labels = task()
    wide = linear_probe(train, train_labels, test, test_labels)
    narrow = linear_probe(train.float(), train_labels, test.float(), test_labels)
    assert narrow.top1 == pytest.approx(wide.top1, abs=0.01)
    assert narrow.loss == pytest.approx(wide.loss, rel=1e-4)


def test_twice_the_same_and_no_random_state_touched():
    data = task(noise=3)
    before = torch.get_rng_state()
    one, two = linear_probe(*data), linear_probe(*data)
    assert (one.top1, one.loss, one.steps) == (two.top1, two.loss, two.steps)
    assert torch.equal(torch.get_rng_state(), before)


def test_standardised_with_training_statistics_only():
    train, train_labels, test, test_labels = task()
    stretch = torch.logspace(-6, 6, 12, dtype=torch.float64)
    plain = linear_probe(train, train_labels, test, test_labels)
    moved = linear_probe(train * stretch + 7, train_labels, test * stretch + 7, test_labels)
    assert moved.predictions.tolist() == plain.predictions.tolist()
    shifted_test = linear_probe(train, train_labels, test + 50, test_labels)
    assert shifted_test.top1 < plain.top1  # test statistics would hide the shift


def test_constant_features_are_ignored():
    train, train_labels, test, test_labels = task()
    wider = [torch.cat([x, torch.full((len(x), 2), value, dtype=torch.float64)], dim=1) for x, value in ((train, 0.1), (test, 9.0))]
    assert linear_probe(wider[0], train_labels, wider[1], test_labels).top1 == linear_probe(train, train_labels, test, test_labels).top1


def test_per_class_is_over_test_classes_and_averages_to_top1():
    train, train_labels, test, test_labels = task()
    keep = test_labels != 2
    result = linear_probe(train, train_labels, test[keep], test_labels[keep])
    assert set(result.per_class) == {0, 1, 3}
    counts = {c: int((test_labels == c).sum()) for c in result.per_class}
    assert result.top1 == pytest.approx(sum(result.per_class[c] * n for c, n in counts.items()) / sum(counts.values()))


def test_a_class_that_training_never_saw_is_never_predicted():
    train, train_labels, test, test_labels = task()
    seen = train_labels != 3
    result = linear_probe(train[seen], train_labels[seen], test, test_labels)
    assert result.classes == 4
    assert not bool((result.predictions == 3).any())
    assert result.per_class[3] == 0


def test_runs_in_inference_mode_and_leaves_no_graph():
    train, train_labels, test, test_labels = task()
    with torch.inference_mode():
        inside = linear_probe(train * 1, train_labels, test * 1, test_labels)
    assert inside.top1 == linear_probe(train.requires_grad_(), train_labels, test, test_labels).top1
    assert train.grad is None


def test_fewer_rows_than_dimensions_converges():
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.randn(20, 60, generator=generator), torch.arange(20) % 4
    result = linear_probe(x, labels, x, labels)
    assert result.train_top1 == 1.0
    assert result.steps <= 150


def test_a_few_label_curve_without_any_point_says_which_class_is_too_small():
    rows, labels = torch.randn(9, 3), torch.tensor([0, 0, 0, 0, 0, 0, 0, 1, 1])
    with pytest.raises(ValueError, match=r"per_class is \(5, 3\), but the smallest class of train_labels has 2"):
        few_label_curve(rows, labels, rows, labels, per_class=(5, 3))


def test_few_label_curve_rises_and_leaves_out_what_classes_cannot_fill():
    data = task(3000, noise=0.5)
    curve = few_label_curve(*data, per_class=(200, 5, 50, 100_000))
    assert list(curve) == [5, 50, 200]
    assert curve[200] > curve[5]
    assert few_label_curve(*data, per_class=(5,), seed=1) == few_label_curve(*data, per_class=(5,), seed=1)
    assert few_label_curve(*data, per_class=(5,), seed=1) != few_label_curve(*data, per_class=(5,), seed=2)
