import json

import pytest

from contrastive_lab.methods import METHODS
from contrastive_lab.training import Settings

GOOD = {"method": "simclr", "data": "scenes"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "nobody"}, r"method is 'nobody', but must be one of .*'simclr'"),
        ({"data": "imagenet"}, r"data is 'imagenet', but must be one of .*'cifar10'"),
        ({"network": "vit"}, "network is 'vit'"),
        ({"optimizer": "lion"}, "optimizer is 'lion'"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"width": 0}, "width is 0, but must be a whole number of at least 1"),
        ({"image_size": 4}, "image_size is 4"),
        ({"epochs": -1}, "epochs is -1"),
        ({"batch_size": 1}, "batch_size is 1, but must be a whole number of at least 2"),
        ({"lr": 0.0}, "lr is 0.0, but must be a finite number above 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"weight_decay": -1e-4}, "weight_decay is -0.0001"),
        ({"momentum": 1.0}, "momentum is 1.0, but must be below 1"),
        ({"clip": 0.0}, "clip is 0.0"),
        ({"epochs": 3, "warmup_epochs": 4}, "warmup_epochs is 4, but must not exceed epochs=3"),
        ({"batch_size": 255, "devices": 2}, "batch_size is 255, but must be a multiple of devices=2"),
        ({"options": {"head": object()}}, "options is .* saved as JSON"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(changes, words):
    with pytest.raises(ValueError, match=words):
        Settings(**(GOOD | changes))


def test_json_gives_equal_settings_back():
    settings = Settings(**GOOD, clip=1.0, options={"temperature": 0.2}, augmentation={"scale": (0.3, 1.0)})
    again = Settings.from_json(settings.to_json())
    assert again == settings
    assert again.augmentation == {"scale": [0.3, 1.0]}


def test_unknown_keys_are_named():
    with pytest.raises(ValueError, match="unknown settings 'tau', 'epoch'; there are method, data"):
        Settings.from_json(json.dumps(GOOD | {"tau": 0.1, "epoch": 3}))
    with pytest.raises(ValueError, match="unknown settings 'learning_rate'"):
        Settings.recommended("simclr", "scenes", learning_rate=0.1)
    with pytest.raises(ValueError, match="must be a JSON object, but are list"):
        Settings.from_json("[]")


@pytest.mark.parametrize("data", ["scenes", "cifar10", "cifar100", "stl10"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_recommends_settings_for_every_kind_of_data(method, data):
    settings = Settings.recommended(method, data)
    assert (settings.method, settings.data) == (method, data)
    assert Settings.from_json(settings.to_json()) == settings


def test_the_recommended_rate_follows_the_batch_unless_given():
    usual = Settings.recommended("simclr", "cifar10")
    double = Settings.recommended("simclr", "cifar10", batch_size=2 * usual.batch_size)
    assert double.lr == pytest.approx(2 * usual.lr)
    assert Settings.recommended("simclr", "cifar10", batch_size=2 * usual.batch_size, lr=0.3).lr == 0.3


def test_changes_of_options_join_the_recipe():
    settings = Settings.recommended("mochi", "scenes", options={"temperature": 0.3})
    recipe = METHODS["mochi"].recipe("scenes")
    assert settings.options == {**recipe.options, "temperature": 0.3}


def test_hydra_learns_how_many_classes_cifar100_has():
    assert Settings.recommended("hydra", "cifar100").options["num_classes"] == 100


def test_differences_name_both_values_and_forgive_the_device():
    one = Settings(**GOOD, device="cpu")
    assert one.differences(Settings(**GOOD, device="auto", compile=True)) == []
    assert one.differences(Settings(**GOOD, lr=0.1)) == ["lr: 0.001 -> 0.1"]
