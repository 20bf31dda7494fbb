import pytest
import torch

from contrastive_lab import lab


def test_the_pool_is_lent_back_even_after_an_error():
    before = torch.get_num_threads()
    seen = lab.one_thread()(torch.get_num_threads)()
    with pytest.raises(RuntimeError, match="within"), lab.one_thread():
        raise RuntimeError("within")
    assert (seen, torch.get_num_threads()) == (1, before)
