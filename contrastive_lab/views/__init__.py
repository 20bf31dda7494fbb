"""Random views of a batch of images, computed on the device the images live on."""

from contrastive_lab.views.augmentation import Augmentation
from contrastive_lab.views.batch import Batch, Views
from contrastive_lab.views.crop import crop_box
from contrastive_lab.views.parameters import Parameters
from contrastive_lab.views.several import ManyViews, MultiCrop, TwoCropsWithBoxes, TwoViews

__all__ = [
    "Augmentation",
    "Batch",
    "ManyViews",
    "MultiCrop",
    "Parameters",
    "TwoCropsWithBoxes",
    "TwoViews",
    "Views",
    "crop_box",
]
