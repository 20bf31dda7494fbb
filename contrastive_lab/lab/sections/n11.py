"""Doors of 11_object_locality."""

from __future__ import annotations

from typing import Any

from contrastive_lab.data import Images
from contrastive_lab.lab.doors import door, kept, place
from contrastive_lab.lab.profiles import profile
from contrastive_lab.methods import Method
from contrastive_lab.training import Settings

SIDE = 40


@door("11-cells")
@door("11-score")
@door("11-baselines")
@door("11-lost")
def _untrained() -> dict[str, Any]:
    """Test scenes of one object with their masks, and a network without training whose map has 10 x 10 cells."""
    here = _training()
    return {"test_images": here["test_images"], "network": dense(here["settings"], here["train_images"])}


@door("11-training")
def _training() -> dict[str, Any]:
    """Scenes of one object of at least two cells (test: largest first), settings, mask AUROC of the test images' raw colours."""
    from contrastive_lab.data import scenes
    from contrastive_lab.experiments import locality
    from contrastive_lab.explorables.cells import colour_map
    from contrastive_lab.training.locality import object_cells

    train = scenes.load("train", count=profile(smoke=128, laptop=1000, full=8000), size=SIDE, two=0.0)
    test = scenes.load("test", count=profile(smoke=28, laptop=66, full=130), size=SIDE, two=0.0)
    covered = object_cells(test, (10, 10)).flatten(1).sum(dim=1)
    order = covered.argsort(descending=True, stable=True)
    test = test.take(order[covered[order] > 1])  # one cell has no other to be similar to
    colour = locality.scores(colour_map(test, (10, 10)), test)["auroc"]
    settings = recipe("simclr", profile(smoke=2, laptop=15, full=40))
    return {"train_images": train, "test_images": test, "settings": settings, "colour": colour}


@door("11-yours")
@door("11-mosaic")
@door("11-break")
def _trained() -> dict[str, Any]:
    """The training section's objects and its finished run: opened where it lies, trained where not."""
    from contrastive_lab.experiments import locality
    from contrastive_lab.training import Evaluate, Observer, train

    here = _training()
    images, test, settings = here["train_images"], here["test_images"], here["settings"]
    watchers: list[Observer] = [Evaluate(images, test, probe=len(test)), locality.watch(test)]
    home = place("11-simclr", settings)
    network = dense(settings, images)
    if run := kept("11-simclr", settings):
        # A run's folder knows the settings, not that its network was made dense: its weights go into one that is.
        network.load_state_dict(run.method.state_dict())
    else:
        train(network, images, settings, watchers, folder=home)
    return {**here, "network": network}


def recipe(method: str, epochs: int) -> Settings:
    """A method at this notebook's sizes."""
    changes: dict[str, Any] = {
        "epochs": epochs,
        "image_size": SIDE,
        "batch_size": profile(smoke=64, laptop=128, full=256),
        "width": profile(smoke=8, laptop=16, full=32),
    }
    if method != "simclr":
        changes["options"] = {"hidden_dim": profile(smoke=32, laptop=128, full=512), "out_dim": profile(smoke=16, laptop=64, full=128)}
    return Settings.recommended(method, "scenes", **changes)


def dense(settings: Settings, images: Images) -> Method:
    """The method of `settings` on a network of half the usual stride, the same first weights for all methods."""
    from contrastive_lab.experiments.claims.dense import matched

    return matched(settings, images)
