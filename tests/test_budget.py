"""What may be committed and loaded at most: tests/budget.json. Bytes and counts, which are the same on every machine; no seconds."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from contrastive_lab.explorables import EXPLORABLES

ROOT = Path(__file__).parents[1]
BUDGET = json.loads(Path(__file__).with_name("budget.json").read_text(encoding="utf-8"))
IMPORTS = BUDGET.pop("modules loaded by import")
STEPS = BUDGET.pop("operations that a compiled step starts outside its graphs")


def committed() -> list[Path]:
    """Files that git tracks; without git (an unpacked archive) there is nothing to hold."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git repository here")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def over(files: Iterable[Path], limit: int) -> dict[str, int]:
    return {str(file.relative_to(ROOT)): size for file in files if (size := file.stat().st_size) > limit}


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("committed file, bytes", "**/*"),
        ("notebook, bytes", "notebooks/*.ipynb"),
        ("poster, bytes", "notebooks/text/posters/*.png"),
        ("script of an explorable, bytes", "contrastive_lab/explorables/web/*.js"),
    ],
)
def test_no_committed_file_is_too_large(what, pattern):
    matching = set(ROOT.glob(pattern)) if pattern != "**/*" else None
    files = [file for file in committed() if matching is None or file in matching]
    assert files, f"nothing matches {pattern}"
    assert not over(files, BUDGET[what]), f"more than {BUDGET[what]:,}; make them smaller, or say in budget.json why not"


@pytest.mark.parametrize(("what", "suffix"), [("committed files, bytes in all", ""), ("notebooks, bytes in all", ".ipynb")])
def test_all_committed_files_together(what, suffix):
    total = sum(file.stat().st_size for file in committed() if file.name.endswith(suffix))
    assert total <= BUDGET[what], f"{total:,} bytes"


@pytest.mark.parametrize("name", EXPLORABLES)
def test_pages_of_explorables(name):
    size = len(EXPLORABLES[name]().html().encode())
    assert 1_000 < size <= BUDGET["explorable as a page, bytes"], f"{size:,} bytes"


@pytest.mark.parametrize("part", IMPORTS)
def test_modules_loaded_by_an_import(part):
    """Beyond torch and jaxtyping, in a fresh Python."""
    before = "import torch, jaxtyping\n" if part != "contrastive_lab" else ""
    code = f"import sys\n{before}before = set(sys.modules)\nimport {part}\nprint(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    count = int(done.stdout.split()[-1])
    assert 0 < count <= IMPORTS[part], f"{count} modules; import heavy things inside the function that needs them"


def test_nothing_in_the_budget_is_unused():
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in text for name in BUDGET)


@pytest.mark.parametrize("method", STEPS)
def test_operations_that_a_compiled_step_starts(method):
    """On a GPU each is a kernel that Python must launch; see benchmarks/launches.py."""
    command = [sys.executable, "benchmarks/launches.py", "--one", method, "as the method says"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert 0 < found["operations"] <= STEPS[method]
    assert 0 < found["graphs"] <= 3
