"""The doors: every section that a notebook's text names opens, and the runs it hands over are finished."""

import re
from pathlib import Path

import pytest

from contrastive_lab import lab
from contrastive_lab.runs.finished import Finished

pytestmark = pytest.mark.usefixtures("one_cache")

TEXT = Path(__file__).parents[2] / "notebooks" / "text"
TEXTS = "\n".join(path.read_text("utf-8") for path in sorted(TEXT.glob("[0-9]*.py")))
SECTIONS = sorted(set(re.findall(r'lab\.start\("(\d\d-[^"]+)"\)', TEXTS)))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(section, capsys):
    here = lab.start(section)
    assert "is ready" in capsys.readouterr().out
    runs = [*getattr(here, "runs", {}).values(), *([here.run] if hasattr(here, "run") else [])]
    for run in runs:
        # Notebook 12 hands over runs that come with the package.
        assert isinstance(run, Finished) if section.startswith("12-") else run.state == "finished"
