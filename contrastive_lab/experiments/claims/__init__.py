"""Each paper's own claim in miniature: arms, questions, and verdicts that are whatever comes out."""

from contrastive_lab.experiments.claims import batch_size, dense, directions, hard_negatives, long_tail, pairs, separation, small_batches
from contrastive_lab.experiments.claims.claim import Claim, Question, Rows, Sizes, difference, per_seed
from contrastive_lab.experiments.claims.verdicts import record, value_table, verdict_table

CLAIMS: dict[str, Claim] = {
    part.CLAIM.name: part.CLAIM for part in (batch_size, long_tail, directions, hard_negatives, small_batches, dense, separation, pairs)
}

__all__ = ["CLAIMS", "Claim", "Question", "Rows", "Sizes", "difference", "per_seed", "record", "value_table", "verdict_table"]
