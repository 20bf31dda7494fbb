"""See contrastive learning: methods, measures, views and pictures that belong together."""

__version__ = "0.1.0"
