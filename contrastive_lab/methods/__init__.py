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
from contrastive_lab.methods.cells import cell_centers, cell_distances, positive_mask
from contrastive_lab.methods.clip import CLIP, SketchCLIP, clip_loss, sketch
from contrastive_lab.methods.dcl import DCL, DCLW, dcl_loss, dclw_loss, dclw_weights, npc_multiplier
from contrastive_lab.methods.gates import GateNetwork, OpenGate
from contrastive_lab.methods.hydra import (
    Hydra,
    class_relations,
    gated_similarity,
    hydra_loss,
    hydra_pair_loss,
    sample_pair_labels,
)
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.methods.mochi import MoCHi, hard_negative_indices, mix_negative_pairs, mix_with_query, mochi_loss
from contrastive_lab.methods.moco import MoCo, info_nce_queue
from contrastive_lab.methods.pixpro import (
    PixContrast,
    PixelPropagation,
    PixPro,
    pixcontrast_loss,
    pixel_consistency_loss,
    pixpro_loss,
)
from contrastive_lab.methods.sepclr import (
    SepCLR,
    gaussian_alignment,
    gaussian_uniformity,
    joint_entropy_loss,
    kernel_mutual_information,
    sepclr_background_loss,
    sepclr_common_loss,
    sepclr_loss,
    sepclr_salient_loss,
    sepclr_supervised_salient_loss,
)
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
from contrastive_lab.networks import ConvProjector, FeatureQueue, KeyQueue, ProjectionHead, SplitBatchNorm2d
from contrastive_lab.views import TwoCropsWithBoxes, crop_box

_CLASSES: tuple[type[Method], ...] = (SimCLR, DCL, DCLW, CACR, MoCo, MoCHi, SwAV, PixPro, PixContrast, SepCLR, Hydra, CLIP)
METHODS: dict[str, type[Method]] = {method.name: method for method in _CLASSES}

__all__ = [
    "CACR",
    "CLIP",
    "DCL",
    "DCLW",
    "METHODS",
    "ConvProjector",
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
    "PixContrast",
    "PixPro",
    "PixelPropagation",
    "Progress",
    "ProjectionHead",
    "Prototypes",
    "Recipe",
    "SepCLR",
    "SimCLR",
    "SketchCLIP",
    "SplitBatchNorm2d",
    "Step",
    "SwAV",
    "SwAVHead",
    "TwoCropsWithBoxes",
    "alignment_loss",
    "cacr_attraction",
    "cacr_explicit_loss",
    "cacr_loss",
    "cacr_queue_loss",
    "cacr_repulsion",
    "cacr_weights",
    "cell_centers",
    "cell_distances",
    "class_relations",
    "clip_loss",
    "crop_box",
    "dcl_loss",
    "dclw_loss",
    "dclw_weights",
    "gated_similarity",
    "gaussian_alignment",
    "gaussian_uniformity",
    "hard_negative_indices",
    "hydra_loss",
    "hydra_pair_loss",
    "info_nce_loss",
    "info_nce_queue",
    "joint_entropy_loss",
    "kernel_mutual_information",
    "mix_negative_pairs",
    "mix_with_query",
    "mochi_loss",
    "npc_multiplier",
    "nt_xent_loss",
    "pixcontrast_loss",
    "pixel_consistency_loss",
    "pixpro_loss",
    "positive_mask",
    "sample_pair_labels",
    "sepclr_background_loss",
    "sepclr_common_loss",
    "sepclr_loss",
    "sepclr_salient_loss",
    "sepclr_supervised_salient_loss",
    "similarity_weights",
    "sinkhorn",
    "sketch",
    "supcon_loss",
    "swapped_prediction_loss",
    "swav_loss",
    "uniformity_loss",
]
