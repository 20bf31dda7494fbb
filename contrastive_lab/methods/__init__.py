"""One paper, one file. `METHODS` finds the class behind a name."""

from contrastive_lab.methods.dcl import DCL, DCLW, dcl_loss, dclw_loss, dclw_weights, npc_multiplier
from contrastive_lab.methods.method import DataKind, MakeBackbone, Method, Progress, Recipe, Step
from contrastive_lab.methods.simclr import (
    SimCLR,
    alignment_loss,
    info_nce_loss,
    nt_xent_loss,
    similarity_weights,
    supcon_loss,
    uniformity_loss,
)
from contrastive_lab.networks import ProjectionHead

METHODS: dict[str, type[Method]] = {method.name: method for method in (SimCLR, DCL, DCLW)}

__all__ = [
    "DCL",
    "DCLW",
    "METHODS",
    "DataKind",
    "MakeBackbone",
    "Method",
    "Progress",
    "ProjectionHead",
    "Recipe",
    "SimCLR",
    "Step",
    "alignment_loss",
    "dcl_loss",
    "dclw_loss",
    "dclw_weights",
    "info_nce_loss",
    "npc_multiplier",
    "nt_xent_loss",
    "similarity_weights",
    "supcon_loss",
    "uniformity_loss",
]
