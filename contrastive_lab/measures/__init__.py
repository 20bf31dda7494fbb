"""What contrastive learning does to a representation, as numbers. Each takes plain (N, D) floats; say yourself which layer they are from.

Embeddings (after the projector) suit alignment, uniformity, gap and collapse; representations (backbone) kNN, probe and collapse
again. Measure in eval mode, on the same images in the same order at every epoch. Results are Python floats unless a tensor is named;
bad input raises, NaN never comes back; rank measures of too few rows warn with `SampleSizeWarning`.
"""

from contrastive_lab.measures.alignment import alignment, alignment_distances, retrieval_margins
from contrastive_lab.measures.collapse import (
    effective_rank,
    embedding_std,
    entropy_rank,
    hill_number,
    isoscore,
    nesum,
    participation_ceiling,
    participation_ratio,
    rankme,
    self_cluster,
    stable_rank,
)
from contrastive_lab.measures.correspondence import pixel_correspondence
from contrastive_lab.measures.gap_shift import shift_along_gap
from contrastive_lab.measures.inputs import SampleSizeWarning
from contrastive_lab.measures.knn import knn_scores, weighted_knn
from contrastive_lab.measures.lidar import lidar
from contrastive_lab.measures.locality import attention_mass_mask, best_mask_iou, locality_auroc, mask_iou, pointing_hit, self_similarity
from contrastive_lab.measures.lost import Box, box_iou, corloc, lost_box
from contrastive_lab.measures.modality_gap import gap_noise_floor, gap_separability, mean_cosine, modality_gap, modality_gap_vector
from contrastive_lab.measures.power_law import alpha_req
from contrastive_lab.measures.probe import ProbeResult, few_label_curve, linear_probe
from contrastive_lab.measures.procrustes import pca, pca_path, procrustes
from contrastive_lab.measures.spectrum import spectrum
from contrastive_lab.measures.uniformity import uniformity, uniformity_floor

__all__ = [
    "Box",
    "ProbeResult",
    "SampleSizeWarning",
    "alignment",
    "alignment_distances",
    "alpha_req",
    "attention_mass_mask",
    "best_mask_iou",
    "box_iou",
    "corloc",
    "effective_rank",
    "embedding_std",
    "entropy_rank",
    "few_label_curve",
    "gap_noise_floor",
    "gap_separability",
    "hill_number",
    "isoscore",
    "knn_scores",
    "lidar",
    "linear_probe",
    "locality_auroc",
    "lost_box",
    "mask_iou",
    "mean_cosine",
    "modality_gap",
    "modality_gap_vector",
    "nesum",
    "participation_ceiling",
    "participation_ratio",
    "pca",
    "pca_path",
    "pixel_correspondence",
    "pointing_hit",
    "procrustes",
    "rankme",
    "retrieval_margins",
    "self_cluster",
    "self_similarity",
    "shift_along_gap",
    "spectrum",
    "stable_rank",
    "uniformity",
    "uniformity_floor",
    "weighted_knn",
]
