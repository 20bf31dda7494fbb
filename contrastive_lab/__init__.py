"""See contrastive learning: methods, measures, views and pictures that belong together."""

from contrastive_lab.threads import limit_threads

__version__ = "0.1.0"

limit_threads()
