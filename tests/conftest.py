"""Shape annotations are checked at run time in every test."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import install_import_hook

hook = install_import_hook("contrastive_lab", "beartype.beartype")
