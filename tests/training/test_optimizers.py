import math

import pytest
import torch
from torch import nn

from contrastive_lab.training import cosine_with_warmup, make_optimizer
from contrastive_lab.training.optimizers import set_learning_rate


def test_warm_up_is_a_line_and_then_half_a_cosine():
    factors = [cosine_with_warmup(step, steps=12, warmup=4) for step in range(12)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4:] == pytest.approx([0.5 * (1 + math.cos(math.pi * i / 8)) for i in range(8)])


def test_without_warm_up_the_peak_comes_first():
    assert cosine_with_warmup(0, steps=10) == 1.0
    assert cosine_with_warmup(5, steps=10) == pytest.approx(0.5)
    assert cosine_with_warmup(10, steps=10) == pytest.approx(0.0)


def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


@pytest.mark.parametrize(("name", "kind"), [("sgd", "SGD"), ("adam", "Adam"), ("adamw", "AdamW"), ("lars", "Lars")])
def test_only_matrices_and_kernels_decay(made_settings, name, kind):
    model = net()
    if name == "lars":
        pytest.importorskip("timm")
    optimizer = make_optimizer(model, made_settings(optimizer=name, weight_decay=0.1))
    assert type(optimizer).__name__ == kind
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert [decay[id(p)] for p in model.parameters()] == [0.1, 0.0, 0.0, 0.0, 0.1, 0.0]


def test_parameters_without_gradient_are_left_out(made_settings):
    model = net()
    model[0].requires_grad_(False)
    optimizer = make_optimizer(model, made_settings())
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 4


def test_a_missing_timm_is_named(made_settings, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm.optim.lars", None)
    with pytest.raises(ValueError, match="pip install timm"):
        make_optimizer(net(), made_settings(optimizer="lars"))


def test_the_rate_is_a_function_of_the_step_alone(made_settings):
    optimizer = torch.optim.SGD(net().parameters(), lr=9.0)
    settings = made_settings(lr=2.0, epochs=3, warmup_epochs=1.0)
    rates = [set_learning_rate(optimizer, settings, step, 4) for step in range(12)]
    assert rates == [2.0 * cosine_with_warmup(step, steps=12, warmup=4) for step in range(12)]
    assert optimizer.param_groups[0]["lr"] == rates[-1]
