"""Encoders of images and of sentences, heads, the momentum twin, the two queues, and batch norm that can't see the whole batch."""

from contrastive_lab.networks.backbone import Backbone, Wrapped, check_backbone, checked, make_backbone
from contrastive_lab.networks.heads import ConvProjector, ProjectionHead
from contrastive_lab.networks.queues import FeatureQueue, KeyQueue
from contrastive_lab.networks.split_norm import SplitBatchNorm2d, split_batch_norm
from contrastive_lab.networks.text import TextTransformer, tokenize
from contrastive_lab.networks.twin import MomentumTwin, rising_momentum

__all__ = [
    "Backbone",
    "ConvProjector",
    "FeatureQueue",
    "KeyQueue",
    "MomentumTwin",
    "ProjectionHead",
    "SplitBatchNorm2d",
    "TextTransformer",
    "Wrapped",
    "check_backbone",
    "checked",
    "make_backbone",
    "rising_momentum",
    "split_batch_norm",
    "tokenize",
]
