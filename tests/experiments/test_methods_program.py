"""benchmarks/methods.py: runs of two sizes never meet in one file, where a table would compare them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def kept(tmp_path):
    """A file with one run of thirty epochs and the untrained network, which has none."""
    path = tmp_path / "methods-mine.json"
    size = {"network": "convnet", "width": 16}
    lengths = {"untrained/0": 0, "simclr/0": 30}
    rows = {name: {"settings": {**size, "epochs": epochs}, "data": {"options": {}}} for name, epochs in lengths.items()}
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--epochs", "1"], "holds runs with --epochs 30; repeat them, or give --out another file"),
        (["--epochs", "30", "--count", "8"], "holds runs with --count of all; "),
        (["--epochs", "30", "--only", "simclrr"], "invalid choice: 'simclrr'"),
    ],
)
def test_a_run_of_another_size_or_an_unknown_arm_is_refused_before_any_work(kept, words, told):
    before = kept.read_text()
    command = [sys.executable, "benchmarks/methods.py", "scenes", *words, "--out", str(kept)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert kept.read_text() == before
