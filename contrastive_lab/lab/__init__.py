"""What notebooks import: sizes, the machine, pictures with words, doors into sections, and numbers that scripts measured."""

from contrastive_lab.lab import results
from contrastive_lab.lab.banner import banner
from contrastive_lab.lab.beside import beside
from contrastive_lab.lab.claims import claim
from contrastive_lab.lab.doors import folder, start
from contrastive_lab.lab.full_size import at_full_size
from contrastive_lab.lab.geometry import distinct, track, twins_found
from contrastive_lab.lab.live import Live
from contrastive_lab.lab.one_thread import one_thread
from contrastive_lab.lab.pictures import display_html, image_tag, poster, show, show_images
from contrastive_lab.lab.profiles import current, profile
from contrastive_lab.lab.tables import table

__all__ = [
    "Live",
    "at_full_size",
    "banner",
    "beside",
    "claim",
    "current",
    "display_html",
    "distinct",
    "folder",
    "image_tag",
    "one_thread",
    "poster",
    "profile",
    "results",
    "show",
    "show_images",
    "start",
    "table",
    "track",
    "twins_found",
]
