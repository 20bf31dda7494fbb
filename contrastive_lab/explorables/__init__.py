"""Pictures to act on: a pure function of the sliders, a kernel-free page, a poster and a live version for each."""

from collections.abc import Callable

from contrastive_lab.explorables.alignment import Alignment
from contrastive_lab.explorables.circle import Circle
from contrastive_lab.explorables.collapse import Collapse, collapse_dial
from contrastive_lab.explorables.correspondence import Correspondence
from contrastive_lab.explorables.explorable import Explorable, show
from contrastive_lab.explorables.force_field import ForceField
from contrastive_lab.explorables.gates import Gates
from contrastive_lab.explorables.locality import ObjectLocality
from contrastive_lab.explorables.mixing import Mixing
from contrastive_lab.explorables.modality_gap import ModalityGap
from contrastive_lab.explorables.npc import Npc
from contrastive_lab.explorables.particles import Particles
from contrastive_lab.explorables.propagation import Propagation
from contrastive_lab.explorables.separation import LeakDial
from contrastive_lab.explorables.sinkhorn import Sinkhorn
from contrastive_lab.explorables.uniformity import Uniformity
from contrastive_lab.explorables.vitals import VitalSigns

EXPLORABLES: dict[str, Callable[[], Explorable]] = {
    "circle": Circle,
    "alignment": Alignment.shipped,
    "locality": ObjectLocality.shipped,
    "particles": Particles,
    "modality_gap": ModalityGap,
    "sinkhorn": Sinkhorn,
    "correspondence": Correspondence,
    "propagation": Propagation,
    "mixing": Mixing,
    "separation": LeakDial.shipped,
    "gates": Gates,
    "npc": Npc,
    "force_field": ForceField,
    "collapse": Collapse,
    "uniformity": Uniformity,
    "vitals": VitalSigns.shipped,
}
"""Every explorable in its usual state by the name of its poster, notebooks/text/posters/<name>.png."""

__all__ = [
    "EXPLORABLES",
    "Alignment",
    "Circle",
    "Collapse",
    "Correspondence",
    "Explorable",
    "ForceField",
    "Gates",
    "LeakDial",
    "Mixing",
    "ModalityGap",
    "Npc",
    "ObjectLocality",
    "Particles",
    "Propagation",
    "Sinkhorn",
    "Uniformity",
    "VitalSigns",
    "collapse_dial",
    "show",
]
