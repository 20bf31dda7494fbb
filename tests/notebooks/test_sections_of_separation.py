"""What the doors of notebook 07 hand over, in the smallest profile."""

import pytest

from contrastive_lab import lab
from contrastive_lab.methods import SepCLR

pytestmark = pytest.mark.usefixtures("one_cache")


@pytest.mark.parametrize("section", ["07-data", "07-training", "07-probes", "07-break"])
def test_images_are_half_background_half_target_and_the_run_is_of_the_method(section):
    here = lab.start(section)
    assert here.train_images.groups.bincount().tolist() == [256, 256]
    if hasattr(here, "run"):
        assert isinstance(here.run.method, SepCLR)
