"""A small run in a process of its own, to be killed from outside: `python killable.py METHOD FOLDER` says "ready" and trains."""

import sys

import torch

from contrastive_lab.data import Images
from contrastive_lab.training import Run, Settings, Snapshot, prepare, train

OPTIONS = {
    "simclr": {"hidden_dim": 8, "out_dim": 8},
    "mochi": {"queue_length": 32, "splits": 2, "n_hard": 8, "s": 8, "s_prime": 4},
    "swav": {"n_prototypes": 8, "hidden_dim": 8, "out_dim": 8, "queue_length": 48, "queue_start": 2.0},
    "cacr": {"hidden_dim": 8, "out_dim": 8, "n_views": 3, "momentum": 0.9, "queue_size": 40},
    "hydra": {"hidden_dim": 8, "out_dim": 8, "num_classes": 4, "embed_dim": 4, "gate_hidden_dim": 8},
    "pixpro": {"hidden_dim": 8, "out_dim": 8},
}


def made_run(method: str, folder: str | None) -> Run:
    """64 images, 12 epochs of 4 steps: saving takes a good part of the time, so that kills fall into it too."""
    torch.manual_seed(0)
    images = Images(torch.randint(0, 256, (64, 3, 16, 16), dtype=torch.uint8), "noise", labels=torch.arange(64) % 4)
    rate = {"optimizer": "sgd", "momentum": 0.9, "lr": 0.05} if method == "simclr" else {"lr": 0.01}
    settings = Settings(
        method=method, data="own", epochs=12, batch_size=16, width=4, image_size=16, device="cpu", options=OPTIONS[method], **rate
    )
    return train(prepare(settings, images), images, settings, [Snapshot(images, every=3)], folder=folder)


if __name__ == "__main__":
    print("ready", flush=True)
    made_run(sys.argv[1], sys.argv[2])
