"""One paper, one file. `METHODS` finds the class behind a name."""

from contrastive_lab.methods.cacr import (
    CACR,
    cacr_attraction,
    cacr_explicit_loss,
    cacr_loss,
    cacr_queue_loss,
    cacr_repulsion,
    cacr_weights,
)
from contrastive_lab.methods.dcl import DCL, DCLW, dcl_loss, dclw_loss, dclw_weights, npc_multiplier
from contrastive_lab.methods.hydra import (
    GateNetwork,
    Hydra,
    OpenGate,
    class_relations,
    gated_similarity,
    hydra_loss,
    hydra_pair_loss,
    sample_pair_labels,
)
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.methods.mochi import MoCHi, hard_negative_indices, mix_negative_pairs, mix_with_query, mochi_loss
from contrastive_lab.methods.moco import MoCo, info_nce_queue
from contrastive_lab.methods.simclr import (
    SimCLR,
    alignment_loss,
    info_nce_loss,
    nt_xent_loss,
    similarity_weights,
    supcon_loss,
    uniformity_loss,
)
from contrastive_lab.methods.swav import Prototypes, SwAV, SwAVHead, sinkhorn, swapped_prediction_loss, swav_loss
from contrastive_lab.networks import FeatureQueue, KeyQueue, ProjectionHead, SplitBatchNorm2d

METHODS: dict[str, type[Method]] = {method.name: method for method in (SimCLR, DCL, DCLW, CACR, MoCo, MoCHi, SwAV, Hydra)}

__all__ = [
    "CACR",
    "DCL",
    "DCLW",
    "METHODS",
    "DataKind",
    "FeatureQueue",
    "GateNetwork",
    "Hydra",
    "KeyQueue",
    "MakeBackbone",
    "Method",
    "MoCHi",
    "MoCo",
    "OpenGate",
    "Progress",
    "ProjectionHead",
    "Prototypes",
    "Recipe",
    "SimCLR",
    "SplitBatchNorm2d",
    "Step",
    "SwAV",
    "SwAVHead",
    "alignment_loss",
    "cacr_attraction",
    "cacr_explicit_loss",
    "cacr_loss",
    "cacr_queue_loss",
    "cacr_repulsion",
    "cacr_weights",
    "class_relations",
    "dcl_loss",
    "dclw_loss",
    "dclw_weights",
    "gated_similarity",
    "hard_negative_indices",
    "hydra_loss",
    "hydra_pair_loss",
    "info_nce_loss",
    "info_nce_queue",
    "mix_negative_pairs",
    "mix_with_query",
    "mochi_loss",
    "npc_multiplier",
    "nt_xent_loss",
    "sample_pair_labels",
    "similarity_weights",
    "sinkhorn",
    "supcon_loss",
    "swapped_prediction_loss",
    "swav_loss",
    "uniformity_loss",
]
