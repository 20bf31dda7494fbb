import pytest
import torch

from contrastive_lab.networks import FeatureQueue, KeyQueue


def rows(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None].expand(-1, 2).contiguous()


def test_keys_start_as_random_unit_rows():
    torch.testing.assert_close(KeyQueue(50, 3).rows.norm(dim=1), torch.ones(50))


def test_a_ring_overwrites_its_oldest_keys_and_wraps_around():
    queue = KeyQueue(5, 2)
    queue.enqueue(rows(1, 2, 3))
    queue.enqueue(rows(4, 5, 6))
    assert queue.rows[:, 0].tolist() == [6, 2, 3, 4, 5]
    queue.enqueue(rows(7, 8))
    assert queue.rows[:, 0].tolist() == [6, 7, 8, 4, 5]


def test_of_too_many_keys_the_last_stay_and_the_next_replace_the_oldest():
    queue = KeyQueue(3, 2)
    queue.enqueue(rows(1))
    queue.enqueue(rows(2, 3, 4, 5, 6))
    assert sorted(queue.rows[:, 0].tolist()) == [4, 5, 6]
    queue.enqueue(rows(7))
    assert sorted(queue.rows[:, 0].tolist()) == [5, 6, 7]


def test_enqueueing_spares_the_rows_that_a_pending_backward_pass_needs():
    queue = KeyQueue(4, 2)
    q = torch.ones(2, 2, requires_grad=True)
    before = queue.rows.clone()
    loss = (q @ queue.rows.T).sum()
    queue.enqueue(rows(1, 2))
    loss.backward()
    torch.testing.assert_close(q.grad, before.sum(dim=0).expand(2, 2))


def test_keys_bring_no_gradient_into_the_ring():
    queue = KeyQueue(4, 2)
    queue.enqueue(torch.ones(2, 2, requires_grad=True))
    assert not queue.rows.requires_grad


def test_the_ring_and_its_position_survive_a_checkpoint():
    queue, copy = KeyQueue(5, 2), KeyQueue(5, 2)
    queue.enqueue(rows(1, 2, 3))
    copy.load_state_dict(queue.state_dict())
    for each in (queue, copy):
        each.enqueue(rows(4, 5, 6))
    assert torch.equal(queue.rows, copy.rows)


def test_features_come_newest_first_and_fill_once():
    queue = FeatureQueue(4, 2)
    seen = []
    for value in (1, 2, 3, 4, 5):
        queue.push(rows(value))
        seen.append(queue.is_full)
    assert queue.rows[:, 0].tolist() == [5, 4, 3, 2]
    assert seen == [False, False, False, True, True]


def test_the_last_row_of_a_push_is_the_newest():
    queue = FeatureQueue(3, 2)
    queue.push(rows(1, 2))
    queue.push(rows(3, 4))
    assert queue.rows[:, 0].tolist() == [4, 3, 2]


def test_fullness_survives_a_checkpoint():
    queue, copy = FeatureQueue(2, 2), FeatureQueue(2, 2)
    queue.push(rows(1))
    copy.load_state_dict(queue.state_dict())
    assert not copy.is_full
    copy.push(rows(2))
    assert copy.is_full


@pytest.mark.parametrize("kind", [KeyQueue, FeatureQueue])
def test_wrong_sizes_are_named(kind):
    with pytest.raises(ValueError, match="length of the queue is 0"):
        kind(0, 2)
    queue = kind(4, 2)
    with pytest.raises(ValueError, match=r"shape \(1, 3\), but must be \(N, 2\)"):
        (queue.enqueue if kind is KeyQueue else queue.push)(torch.ones(1, 3))
