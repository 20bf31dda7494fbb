"""Shape annotations are checked at run time in every test, and no test reaches the network."""

import os
from pathlib import Path

import network_off
import pytest
from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Child processes (kernels, the command line, JupyterLab) find sitecustomize.py there and switch their network off as well.
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent / "offline"), *filter(None, [os.environ.get("PYTHONPATH")])])
network_off.switch_off()

hook = install_import_hook("contrastive_lab", "beartype.beartype")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `real_data` are skipped, with the reason, where no real images are."""
    folder = os.environ.get("CONTRASTIVE_LAB_DATA")
    if folder and Path(folder).is_dir():
        return
    reason = f"CONTRASTIVE_LAB_DATA is {folder!r}, which is no folder" if folder else "CONTRASTIVE_LAB_DATA names no folder of real images"
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason=reason))
