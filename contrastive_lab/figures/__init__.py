"""Numbers in, plotly figures out: no torch module, no widget, no file access."""

from contrastive_lab.figures.animation import embedding_animation
from contrastive_lab.figures.curves import training_curve
from contrastive_lab.figures.gallery import neighbour_gallery
from contrastive_lab.figures.palette import CLASSES, LOOKS, Look, class_look, look
from contrastive_lab.figures.picture import Picture, check_alt, mime_bundle, show
from contrastive_lab.figures.plane import Track, align_uniform_plane
from contrastive_lab.figures.poster import embedding_poster, plane_poster
from contrastive_lab.figures.relations import relation_map
from contrastive_lab.figures.spectra import spectra
from contrastive_lab.figures.sprite import data_uri, png, sheet
from contrastive_lab.figures.theme import axis, new_figure

__all__ = [
    "CLASSES",
    "LOOKS",
    "Look",
    "Picture",
    "Track",
    "align_uniform_plane",
    "axis",
    "check_alt",
    "class_look",
    "data_uri",
    "embedding_animation",
    "embedding_poster",
    "look",
    "mime_bundle",
    "neighbour_gallery",
    "new_figure",
    "plane_poster",
    "png",
    "relation_map",
    "sheet",
    "show",
    "spectra",
    "training_curve",
]
