"""Training: settings, the loop, what watches it, and folders from which an interrupted run goes on."""

from contrastive_lab.training.journal import Diverged
from contrastive_lab.training.locality import Locality
from contrastive_lab.training.loop import train
from contrastive_lab.training.observe import Evaluate, Moment, Observer, Snapshot
from contrastive_lab.training.optimizers import cosine_with_warmup, make_optimizer
from contrastive_lab.training.prepare import augmentation_for, data_kind, prepare
from contrastive_lab.training.run import Frame, Run
from contrastive_lab.training.settings import Settings

__all__ = [
    "Diverged",
    "Evaluate",
    "Frame",
    "Locality",
    "Moment",
    "Observer",
    "Run",
    "Settings",
    "Snapshot",
    "augmentation_for",
    "cosine_with_warmup",
    "data_kind",
    "make_optimizer",
    "prepare",
    "train",
]
