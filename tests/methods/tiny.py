"""Every method in its smallest form, on sixteen-pixel scenes whose labels and groups are known."""

import dataclasses

import torch

from contrastive_lab import data
from contrastive_lab.training import Settings

_HEAD = {"hidden_dim": 8, "out_dim": 8}
_QUEUE = {"dim": 8, "hidden_dim": 8, "queue_length": 24}
OPTIONS = {
    "simclr": _HEAD,
    "dcl": _HEAD,
    "dclw": _HEAD,
    "cacr": _HEAD | {"n_views": 3},
    "moco": _QUEUE,
    "mochi": _QUEUE | {"n_hard": 6, "s": 5, "s_prime": 3, "warmup_epochs": 0},
    "swav": _HEAD | {"n_prototypes": 6, "freeze_epochs": 0.5},
    "pixpro": _HEAD,
    "pixcontrast": _HEAD,
    "sepclr": {"common_dim": 4, "salient_dim": 4, "hidden_dim": 8},
    "hydra": _HEAD | {"num_classes": 8, "embed_dim": 8, "gate_hidden_dim": 8},
    "clip": {"out_dim": 8, "text_width": 8, "layers": 1, "heads": 2, "length": 24},
}


def made_world(count=32):
    images = data.load("scenes", count=count, size=16, two=0.0, label="colour")
    return dataclasses.replace(images, groups=torch.arange(count) % 2)


def made_settings(method, options=None, **changes):
    if method not in OPTIONS:
        raise KeyError(f"{method} is new: give its smallest options in OPTIONS of tests/methods/tiny.py")
    usual = {"epochs": 1, "batch_size": 16, "width": 2, "image_size": 16, "device": "cpu", "lr": 0.01, "seed": 1}
    return Settings(method=method, data="scenes", **(usual | changes), options=OPTIONS[method] | (options or {}))
