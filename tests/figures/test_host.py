import numpy as np
import pytest
import torch

from contrastive_lab import explorables, figures
from contrastive_lab.figures.host import on_host


class Elsewhere:
    """What a tensor on a GPU is to numpy: nothing that could be read, until it is brought here."""

    def __init__(self, tensor, here=False):
        self.tensor, self.here = tensor, here

    def detach(self):
        return Elsewhere(self.tensor.detach(), self.here)

    def cpu(self):
        return Elsewhere(self.tensor, here=True)

    def double(self):
        return Elsewhere(self.tensor.double(), self.here)

    def __array__(self, dtype=None, copy=None):
        if not self.here:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return self.tensor.numpy()


@pytest.mark.parametrize(
    "values",
    [
        [1, 2.5],
        np.float32([1, 2.5]),
        torch.tensor([1, 2.5], requires_grad=True),
        torch.tensor([1, 2.5], dtype=torch.bfloat16),
        [torch.tensor(1.0), torch.tensor(2.5, requires_grad=True)],
        Elsewhere(torch.tensor([1, 2.5], requires_grad=True)),
    ],
)
def test_numbers_come_from_wherever_they_lie(values):
    found = on_host(values)
    assert found.dtype == np.float64
    assert found.tolist() == [1.0, 2.5]


def test_figures_and_explorables_take_tensors_as_training_leaves_them():
    values = torch.tensor([1.0, 0.1, 0.01], requires_grad=True)
    assert np.allclose(figures.spectra({"mine": values}).data[0].y, [1, 0.1, 0.01])
    relations = Elsewhere(torch.eye(3))
    assert figures.relation_map(relations, ("a", "b", "c")).data[0].z is not None
    pair = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert "mine" in explorables.Npc({"mine": (pair[0], pair[1])}, batch=4).html()
    assert explorables.Sinkhorn(scores=pair).html()
