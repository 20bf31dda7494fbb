"""What is committed is what the text makes, and what GitHub, nbval and a small laptop can take."""

import json
from pathlib import Path
from statistics import median

import pytest

from contrastive_lab.lab import build

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_notebooks_and_text_agree():
    assert build.drifted(FOLDER / "text") == []
    assert [path.stem for path in NOTEBOOKS] == [path.stem for path in build.sources(FOLDER / "text")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_light_and_clean(path):
    notebook = json.loads(path.read_text("utf-8"))
    cells = notebook["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = [len(source.splitlines()) for source in code]
    assert path.stat().st_size < 200_000
    assert "widgets" not in notebook["metadata"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert max(lines) <= 35
    assert median(lines) <= 8
    for cell in cells:
        if cell.get("outputs"):
            assert "keep_output" in cell["metadata"]["tags"]
    assert not any("pip install torch" in source for source in code)


def test_drift_is_noticed(tmp_path):
    text = tmp_path / "notebooks" / "text"
    text.mkdir(parents=True)
    (text / "00_tiny.py").write_text("# %% [markdown]\n# # A title\n\n# %%\n1 + 1\n", "utf-8")
    source = text / "00_tiny.py"
    build.target(source).write_text(build.build(source), "utf-8")
    assert build.drifted(text) == []
    build.target(source).write_text(build.build(source).replace("1 + 1", "1 + 2"), "utf-8")
    assert build.drifted(text) == [build.target(source)]
