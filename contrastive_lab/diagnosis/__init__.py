"""What is wrong with a run, in sentences, from its settings and history alone; each names the notebook that explains it."""

from contrastive_lab.diagnosis.course import Course
from contrastive_lab.diagnosis.examine import examine, examine_folder
from contrastive_lab.diagnosis.illness import PAGES, Illness
from contrastive_lab.diagnosis.lights import SIGNS, Sign

__all__ = ["PAGES", "SIGNS", "Course", "Illness", "Sign", "examine", "examine_folder"]
