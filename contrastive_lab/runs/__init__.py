"""Finished reference runs, small enough to travel with the package: opened by name, never unpickled, checked against their md5."""

from contrastive_lab.runs.finished import FOLDER, Finished, available, open_run
from contrastive_lab.runs.ship import ship

__all__ = ["FOLDER", "Finished", "available", "open_run", "ship"]
