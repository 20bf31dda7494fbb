"""Image sets held as tensors."""

from contrastive_lab.data.images import Images

__all__ = ["Images"]
