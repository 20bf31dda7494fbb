"""What every method with a momentum twin has to pass: the twin gives the targets, sees what its source sees, and follows it slowly."""

import copy

import pytest
import torch
from tiny import made_settings, made_world
from torch import nn

from contrastive_lab.methods import METHODS, Progress
from contrastive_lab.networks import MomentumTwin
from contrastive_lab.training import augmentation_for, prepare
from contrastive_lab.training.batches import draw

OPTIONS = {"cacr": {"momentum": 0.9, "queue_size": 24}}
"""Where a twin is an option."""


def made(name):
    images = made_world()
    settings = made_settings(name, OPTIONS.get(name))
    method = prepare(settings, images).train()
    views = method.make_views(augmentation_for(settings, images))
    return method, draw(images, torch.arange(16), views, torch.Generator().manual_seed(0), captions=True)


WITH_TWIN = [name for name in METHODS if any(isinstance(part, MomentumTwin) for part in made(name)[0].children())]


def weights(twin):
    return [p.detach().clone() for p in twin.parameters()]


def distance(one, two):
    return sum((p - q).norm() for p, q in zip(one, two, strict=True))


def batches(part):
    """How often each batch norm was passed."""
    return [m.num_batches_tracked.item() for m in part.modules() if isinstance(m, nn.BatchNorm2d)]


def test_there_are_methods_with_a_twin():
    assert {"moco", "mochi", "cacr", "pixpro"} <= set(WITH_TWIN)


@pytest.mark.parametrize("name", WITH_TWIN)
def test_the_loss_asks_the_twin_and_the_twin_sees_each_view_as_often_as_its_source(name):
    method, batch = made(name)
    shaken = copy.deepcopy(method)
    with torch.no_grad():
        for p in shaken.twin.parameters():
            p.add_(torch.randn_like(p))
    before = weights(method.twin)
    step = method.step(batch)
    assert (shaken.step(batch).loss - step.loss).abs() > 1e-4, "the loss doesn't depend on the twin"
    assert distance(before, weights(method.twin)) == 0, "the twin moves in after_update alone, so that a step can be repeated"
    passes, seen = batches(method.encoder), batches(method.twin)
    assert seen[: len(passes)] == passes


@pytest.mark.parametrize("name", WITH_TWIN)
def test_gradients_reach_every_trained_matrix_and_not_the_twin(name):
    method, batch = made(name)
    method.step(batch).loss.backward()
    assert all(p.grad is None for p in method.twin.parameters())
    assert not [key for key, p in method.named_parameters() if p.requires_grad and p.ndim > 1 and (p.grad is None or not p.grad.any())]


@pytest.mark.parametrize("name", WITH_TWIN)
def test_the_twin_follows_slowly_and_not_faster_at_the_end(name):
    method, _ = made(name)
    with torch.no_grad():
        for p in method.twin.parameters():
            p.add_(torch.randn_like(p))
    before, moved = weights(method.twin), []
    for done in (1, 100):
        later = copy.deepcopy(method)
        later.after_update(Progress(done, 100, 10))
        moved.append(distance(before, weights(later.twin)))
    size = sum(p.norm() for p in before)
    assert 0 < moved[0] < 0.3 * size
    assert moved[1] <= moved[0] + 1e-6
