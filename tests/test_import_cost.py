"""Heavy packages wait until they are used. Seconds are measured by benchmarks/import_time.py; here only what gets loaded is looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "contrastive_lab"
HEAVY = {
    "plotly", "umap", "numba", "ipywidgets", "IPython", "matplotlib", "torchvision", "sklearn", "scipy", "pandas",
    "lightning", "lightning_fabric", "timm", "torchmetrics",
}  # fmt: skip
# Drawing is all that these do, and plotly draws.
DRAWING = {"figures", "explorables", "lab", "report"}
PARTS = sorted(
    path.stem for path in PACKAGE.iterdir() if (path / "__init__.py").is_file() or (path.suffix == ".py" and path.name[0] != "_")
)


def loaded(statement: str) -> set[str]:
    """Top-level packages in memory after a statement in a fresh Python."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_package_alone_loads_nothing_heavy_not_even_torch():
    assert not loaded("import contrastive_lab") & (HEAVY | {"torch", "numpy"})


@pytest.mark.parametrize(
    ("parts", "free"), [(sorted(set(PARTS) - DRAWING), set()), (sorted(DRAWING), {"plotly"})], ids=["quiet", "drawing"]
)
def test_no_part_loads_a_heavy_package_when_imported(parts, free):
    """All parts in one Python; one by one, to name the culprit, only if something came along."""
    forbidden = HEAVY - loaded("import torch, jaxtyping") - free
    assert "matplotlib" in forbidden
    if loaded("import " + ", ".join(f"contrastive_lab.{part}" for part in parts)) & forbidden:
        culprits = {part: sorted(found) for part in parts if (found := loaded(f"import contrastive_lab.{part}") & forbidden)}
        pytest.fail(f"heavy packages loaded at import: {culprits}; import them inside the function that needs them")


def test_this_test_sees_a_heavy_import():
    assert "sklearn" in loaded("import sklearn")
