"""What the repository promises about its own files."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.splitlines()


def test_the_readme_is_short_and_its_two_pictures_have_words():
    # Written by hand: without the generated tables and the line that each notebook adds.
    by_hand = re.sub(r"<!-- results -->.*<!-- end of results -->", "", README, flags=re.DOTALL)
    assert len([line for line in by_hand.splitlines() if not line.startswith("| [")]) <= 80
    pictures = re.findall(r"^!\[(.*?)\]\((?!http)(.*?)\)", README, re.MULTILINE)
    assert [path for _, path in pictures] == ["docs/lab.png", "docs/speed.png"]
    assert all(len(words) > 40 for words, _ in pictures)


def test_the_table_of_notebooks_is_complete():
    listed = re.findall(r"\]\((notebooks/\S+?\.ipynb)\)", README.split("## Notebooks")[1])
    present = [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    assert listed == sorted(listed)
    assert set(present) <= set(listed)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_linked_files_exist(name):
    """Notebooks and the picture are made by programs; all else is written by hand and must be here."""
    links = re.findall(r"\]\((?!http|#)(.+?)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert not [link for link in links if not (ROOT / link).exists() and not link.startswith(("notebooks/", "docs/"))]


def test_data_files_of_the_package_are_installed_with_it():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]["*"]
    files = [Path(name) for name in tracked() if name.startswith("contrastive_lab/") and not name.endswith(".py")]
    left_out = [str(file) for file in files if not any(fnmatch(file.name, pattern) for pattern in patterns)]
    assert not left_out, "add their kind to tool.setuptools.package-data"
    # setuptools takes folders without Python files too, but none with a dot in its name.
    assert not [str(file) for file in files if "." in str(file.parent)]


def test_type_hints_reach_projects_that_import_the_package():
    assert "contrastive_lab/py.typed" in tracked()


def test_no_file_is_large_and_no_secret_path_is_named():
    home = re.compile(rb"/roo[t]/|/home/[a-z]+/|/Users/[A-Za-z]+/")
    for name in tracked():
        path = ROOT / name
        if not path.is_file():
            continue
        content = path.read_bytes()
        assert len(content) < 4_000_000, f"{name} has {len(content)} bytes"
        if name != "tests/setup/test_repository.py":
            assert b"\0" in content or not home.search(content), f"{name} names a folder of somebody's machine"


def test_the_package_names_its_licences_and_version_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f'__version__ = "{project["version"]}"' in (ROOT / "contrastive_lab/__init__.py").read_text(encoding="utf-8")
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert all((ROOT / name).is_file() for name in project["license-files"])


def test_the_tables_are_those_of_results():
    done = subprocess.run([sys.executable, "scripts/tables.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
