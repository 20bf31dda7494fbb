"""Solutions of notebook 10 equal the package."""

import torch

from contrastive_lab import exercises, measures, methods
from contrastive_lab.exercises.exercise import seeded


def test_solutions_equal_the_package():
    x, y = seeded(40, 6, seed=1) + 1, seeded(40, 6, seed=2)
    for tau in (0.05, 0.5):
        torch.testing.assert_close(exercises.get("clip_loss").solution(x, y, tau), methods.clip_loss(x, y, temperature=tau))
    gap = exercises.get("modality_gap").solution(x, y)
    torch.testing.assert_close(gap.item(), measures.modality_gap(x, y), rtol=1e-5, atol=1e-6)
    for share in (-0.5, 0.4, 1.0):
        moved = exercises.get("close_gap").solution(x, y, share)
        (row,) = measures.shift_along_gap(x, y, [share * gap.item()], sides="two")
        torch.testing.assert_close(measures.modality_gap(*moved), row["gap"], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(measures.alignment(*moved), row["alignment"], rtol=1e-4, atol=1e-5)
