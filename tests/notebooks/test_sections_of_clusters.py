"""What the doors of notebook 05 hand over, in the smallest profile."""

import pytest
import torch

from contrastive_lab import lab, methods
from contrastive_lab.lab.sections import n05
from contrastive_lab.training import prepare

pytestmark = pytest.mark.usefixtures("one_cache")


def test_the_toy_scores_are_cosines_that_lean_to_one_side():
    here = lab.start("05-sinkhorn")
    assert here.scores1.shape == here.scores2.shape == (512, n05.PROTOTYPES)
    assert here.scores1.abs().max() <= 1
    favourites = here.scores1.argmax(dim=1).bincount(minlength=n05.PROTOTYPES)
    assert favourites.max() > 2 * len(here.scores1) / n05.PROTOTYPES  # else there would be nothing to balance
    even = methods.sinkhorn(here.scores1, iterations=50).sum(dim=0)
    assert torch.allclose(even, torch.full_like(even, len(here.scores1) / n05.PROTOTYPES), rtol=1e-3)


def test_the_recipe_is_the_papers_but_for_fewer_prototypes_and_sharper_codes():
    here = lab.start("05-training")
    method = prepare(here.settings, here.train_images)
    assert len(method.prototypes.weight) == n05.PROTOTYPES
    assert (method.temperature, method.iterations) == (0.1, 3)
    assert method.epsilon < 0.05
