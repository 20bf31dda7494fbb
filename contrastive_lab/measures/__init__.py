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
from contrastive_lab.measures.inputs import SampleSizeWarning
from contrastive_lab.measures.knn import knn_scores, weighted_knn
from contrastive_lab.measures.probe import ProbeResult, few_label_curve, linear_probe
from contrastive_lab.measures.spectrum import spectrum
from contrastive_lab.measures.uniformity import uniformity, uniformity_floor

__all__ = [
    "ProbeResult",
    "SampleSizeWarning",
    "alignment",
    "alignment_distances",
    "effective_rank",
    "embedding_std",
    "entropy_rank",
    "few_label_curve",
    "hill_number",
    "isoscore",
    "knn_scores",
    "linear_probe",
    "nesum",
    "participation_ceiling",
    "participation_ratio",
    "rankme",
    "retrieval_margins",
    "self_cluster",
    "spectrum",
    "stable_rank",
    "uniformity",
    "uniformity_floor",
    "weighted_knn",
]
