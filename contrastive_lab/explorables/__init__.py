"""Pictures to act on: a pure function of the sliders, a kernel-free page, a poster and a live version for each."""

from contrastive_lab.explorables.circle import Circle
from contrastive_lab.explorables.explorable import Explorable, show
from contrastive_lab.explorables.particles import Particles

__all__ = ["Circle", "Explorable", "Particles", "show"]
