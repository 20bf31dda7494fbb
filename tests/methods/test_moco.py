"""A step of MoCo and of MoCHi: which keys meet which queue, when synthetics join, and what is logged about false negatives."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from contrastive_lab.methods import MoCHi, MoCo, Progress, hard_negative_indices, info_nce_queue, mochi_loss
from contrastive_lab.methods.mochi import Draws, Parts, false_share
from contrastive_lab.networks import SplitBatchNorm2d, make_backbone
from contrastive_lab.views import Batch

close = torch.testing.assert_close
SMALL = {"dim": 4, "hidden_dim": 8, "queue_length": 12}
SYNTHETICS = {"n_hard": 4, "s": 5, "s_prime": 3}


def made(kind=MoCo, **options):
    torch.manual_seed(0)
    return kind(make_backbone(width=2, image_size=16), **SMALL, **options)


def batch(labels=None, count=6):
    views = tuple(torch.randn(2, count, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    return Batch(views, (), labels=labels)


def direction(method, queries, keys, loss=info_nce_queue, **options):
    q, k = method.projector(method.encoder(queries)), method.twin(keys)
    return loss(q, k, method.queue.rows.clone(), **options), F.normalize(k, dim=1)


def test_a_step_compares_with_the_queue_of_earlier_steps_and_enqueues_its_keys():
    method, (one, two) = made(), batch().views
    expected, keys = direction(method, one, two)
    close(method.step(batch()).loss, expected)
    close(method.queue.rows[:6], keys)
    assert method.queue.position == 6


def test_both_directions_are_averaged_and_both_sets_of_keys_enqueued():
    method, (one, two) = made(symmetric=True), batch().views
    (forth, keys_two), (back, keys_one) = direction(method, one, two), direction(method, two, one)
    close(method.step(batch()).loss, (forth + back) / 2)
    close(method.queue.rows, torch.cat([keys_two, keys_one]))


def test_keys_are_shuffled_for_the_twin_and_come_back_in_order():
    method, seen = made(splits=2), []
    assert any(isinstance(m, SplitBatchNorm2d) for m in method.twin.modules())
    method.twin.module = nn.Flatten()
    method.twin.register_forward_hook(lambda module, views, keys: seen.append(keys))
    images = torch.arange(8.0)[:, None, None, None]
    for step in (0, 1):
        method.progress = Progress(step, 4, 2)
        order = torch.randperm(8, generator=method.dice(torch.device("cpu")))
        assert method._keys(images, order).flatten().tolist() == list(range(8))
    orders = [keys.flatten().tolist() for keys in seen]
    assert orders[0] != list(range(8)) != orders[1] != orders[0]


def test_the_twin_follows_by_the_moving_average():
    method = made(momentum=0.75)
    before = method.twin.module[1].layers[0].weight.clone()
    with torch.no_grad():
        method.projector.layers[0].weight.add_(1.0)
    method.after_update(Progress(1, 4, 2))
    close(method.twin.module[1].layers[0].weight, before + 0.25)


@pytest.mark.parametrize("count", [5, 17])
def test_labels_stay_beside_their_keys(count):
    method = made()
    for start in (0, 100, 200):
        labels = torch.arange(start, start + count)
        method._enqueue(labels[:, None].expand(-1, 4).float(), labels)
    known = method.queue_labels >= 0
    assert known.sum() == min(12, 3 * count)
    assert torch.equal(method.queue.rows[known, 0].long(), method.queue_labels[known])
    assert method.queue_labels.max() == 200 + count - 1


@pytest.mark.parametrize(("warmup", "epochs", "expected"), [(None, 200, 10), (None, 100, 10), (None, 20, 2), (3, 20, 3)])
def test_synthetics_join_after_the_warm_up(warmup, epochs, expected):
    method = made(MoCHi, warmup_epochs=warmup, **SYNTHETICS)
    for epoch, joined in ((expected - 1, False), (expected, True)):
        method.progress = Progress(10 * epoch, 10 * epochs, 10)
        plain, _ = direction(method, *batch().views)
        mixed, _ = direction(method, *batch().views, mochi_loss, generator=method.dice(torch.device("cpu")), **SYNTHETICS)
        step = method.step(batch())
        close(step.loss, mixed if joined else plain)
        assert mixed > plain
        assert ("synthetic mass" in step.logs) == joined


@pytest.mark.parametrize("warmup", [0, 1])
def test_the_oracle_excludes_the_own_class(warmup):
    method = made(MoCHi, oracle=True, warmup_epochs=warmup, **SYNTHETICS)
    labels = torch.arange(6) % 2
    method.queue_labels = torch.arange(12) % 2
    exclude = labels[:, None] == method.queue_labels
    options = {} if warmup else {"generator": method.dice(torch.device("cpu")), **SYNTHETICS}
    expected, _ = direction(method, *batch().views, info_nce_queue if warmup else mochi_loss, exclude=exclude, **options)
    step = method.step(batch(labels))
    close(step.loss, expected)
    assert warmup or step.logs["false negatives among synthetics"] == 0
    with pytest.raises(ValueError, match="oracle is True but the batch has no labels"):
        method.step(batch())


def test_a_synthetic_is_false_when_one_of_its_rows_is_of_the_own_class():
    """Queue rows 1 and 4 are of the query's class; the hard set holds rows 4, 0 and 2."""
    own = torch.zeros(1, 5, dtype=torch.bool)
    own[0, [1, 4]] = True
    drawn = Draws(torch.tensor([[[0, 1], [1, 2], [2, 0]]]), torch.rand(1, 3), torch.tensor([[0, 1]]), torch.rand(1, 2) / 2)
    score = torch.zeros(1, 1)
    parts = Parts(score, score.expand(1, 5), score.expand(1, 3), score.expand(1, 2), torch.tensor([[4, 0, 2]]), drawn)
    close(false_share(parts, own), torch.tensor(3 / 5))


def test_without_synthetics_nothing_is_logged_about_them_that_is_no_number():
    step = made(MoCHi, warmup_epochs=0, n_hard=1, s=0, s_prime=0).step(batch(torch.arange(6)))
    assert all(value.isfinite() for value in step.logs.values())


@pytest.mark.parametrize("place", ["q", "k", "queue"])
def test_non_finite_values_raise_or_show_in_the_loss(place):
    rows = dict(zip(("q", "k", "queue"), torch.randn(3, 6, 4), strict=True))
    rows[place][2, 1] = torch.nan
    for loss, options in ((info_nce_queue, {}), (mochi_loss, SYNTHETICS)):
        with pytest.raises(ValueError, match=f"{place} holds 1 non-finite"):
            loss(**rows, **options)
        assert not loss(**rows, check_finite=False, **options).isfinite()
    if place != "k":
        with pytest.raises(ValueError, match="non-finite"):
            hard_negative_indices(rows["q"], rows["queue"], n_hard=2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"momentum": 0.0}, "momentum is 0.0"),
        ({"momentum": 1.0}, "momentum is 1.0"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"kind": MoCHi, "n_hard": 13}, "n_hard is 13, but the queue has 12 rows"),
        ({"kind": MoCHi, "n_hard": 1, "s": 2}, "distinct"),
    ],
)
def test_settings_that_can_not_work_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        made(**changes)
