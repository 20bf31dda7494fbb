"""What the doors of notebooks 02 and 03 hand over, in the smallest profile."""

import pytest

from contrastive_lab import lab, methods
from contrastive_lab.lab.sections import n02, n03

pytestmark = pytest.mark.usefixtures("one_cache")


def test_methods_differ_in_nothing_else_within_a_batch_size():
    settings = lab.start("02-training").settings
    small, large = sorted({one.batch_size for one in settings.values()})
    assert len(settings) == 4
    for batch in (small, large):
        simclr, dcl = (settings[f"{method} N={batch}"] for method in ("simclr", "dcl"))
        for name in ("lr", "optimizer", "epochs", "width", "options", "seed", "weight_decay"):
            assert getattr(simclr, name) == getattr(dcl, name)
    assert settings[f"dcl N={large}"].lr / settings[f"dcl N={small}"].lr == pytest.approx(large / small)


def test_the_observer_reports_the_multiplier_of_the_batch():
    runs = lab.start("02-compare").runs
    for name, run in runs.items():
        assert 0 < run.last("q") < 1
        if name.startswith("dcl"):
            assert run.last("q") == pytest.approx(run.last("npc multiplier"), rel=1e-3)


def test_a_narrow_width_gives_negative_weights():
    draw = lab.start("02-weights")
    assert n02.TEMPERATURE == 0.1
    assert methods.dclw_weights(draw.z1, draw.z2, sigma=0.5).min() > 0
    assert methods.dclw_weights(draw.z1, draw.z2, sigma=0.02).min() < 0


def test_both_methods_see_equally_many_views():
    settings = lab.start("03-training").settings
    assert settings["cacr"].epochs * n03.VIEWS == settings["simclr"].epochs * 2


def test_the_tail_rises_with_the_class_and_the_balanced_part_is_as_large():
    here = lab.start("03-tail")
    tail, balanced = here.parts["tail"], here.parts["balanced"]
    assert len(tail) == len(balanced) < len(here.train_images)
    classes = len(here.train_images.classes)
    whole = here.train_images.labels.bincount(minlength=classes)
    assert tail.labels.bincount(minlength=classes).tolist() == [int(n) * (c + 1) // classes for c, n in enumerate(whole)]
