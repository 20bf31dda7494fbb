"""A run of seconds with everything that a shipped one needs."""

import dataclasses

import torch

from contrastive_lab import data
from contrastive_lab.training import Evaluate, Settings, Snapshot, prepare, train


def made_run(method):
    images = data.load("scenes", count=48, size=16, two=0.0, label="colour")
    images = dataclasses.replace(images, groups=torch.arange(48) % 2)
    options = {"dim": 8, "hidden_dim": 8, "queue_length": 24, "splits": 2}
    settings = Settings(method=method, data="scenes", epochs=2, batch_size=16, width=2, image_size=16, device="cpu", options=options)
    return train(prepare(settings, images), images, settings, [Evaluate(images, images), Snapshot(images)]), images
