"""One question, several arms, several seeds: trials, paired differences and a verdict that says what came out."""

from contrastive_lab.experiments.environment import environment
from contrastive_lab.experiments.schedule import Trial, run_trials
from contrastive_lab.experiments.trial import measure_network, train_and_measure
from contrastive_lab.experiments.verdict import Verdict, compare, spread

__all__ = ["Trial", "Verdict", "compare", "environment", "measure_network", "run_trials", "spread", "train_and_measure"]
