"""The solutions of notebooks 02 and 03 are the package's losses, and the derivative asked for is autograd's."""

import pytest
import torch

from contrastive_lab import exercises, methods
from contrastive_lab.exercises.exercise import seeded

close = torch.testing.assert_close


@pytest.mark.parametrize("tau", [0.05, 0.5])
def test_decoupling_equals_the_package(tau):
    one, two = seeded(8, 5, seed=5), seeded(8, 5, seed=6)
    close(exercises.get("npc_multiplier").solution(one, two, tau), methods.npc_multiplier(one, two, temperature=tau))
    close(exercises.get("dcl_loss").solution(one, two, tau), methods.dcl_loss(one, two, temperature=tau))
    close(exercises.get("dclw_weights").solution(one, two, tau), methods.dclw_weights(one, two, sigma=tau))


@pytest.mark.parametrize("t", [0.0, 0.9, 2.0])
def test_attraction_and_repulsion_equal_the_package(t):
    views = seeded(3, 7, 5, seed=4)
    close(exercises.get("attraction").solution(views, t), methods.cacr_attraction(views, t_pos=t))
    close(exercises.get("repulsion").solution(views[0], views[1], t), methods.cacr_repulsion(views[:2], t_neg=t))


@pytest.mark.parametrize("t", [0.5, 2.0])
def test_slopes_are_those_of_autograd(t):
    cost = (seeded(6, seed=3).abs() + 0.2).requires_grad_()
    loss = -((-t * cost).softmax(dim=0) * cost).sum()
    close(exercises.get("push_slopes").solution(cost.detach(), t), torch.autograd.grad(loss, cost)[0])
