"""environment.yml and binder/ ask for what pyproject.toml asks for, and Binder really reads its file."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#"))


def conda_and_pip(path: str) -> tuple[dict[str, str], dict[str, str]]:
    """Name -> version range of the conda part and of the pip part."""
    lines = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["dependencies"]
    parts = [line["pip"] for line in lines if isinstance(line, dict)]
    return as_ranges([line for line in lines if isinstance(line, str)]), as_ranges([line for part in parts for line in part])


def as_ranges(lines: list[str]) -> dict[str, str]:
    # One equals sign is conda's "starts with".
    requirements = [Requirement(line if "=" not in line or any(c in line for c in "<>") else line.replace("=", "==")) for line in lines]
    return {requirement.name: str(requirement.specifier) for requirement in requirements}


def expected() -> dict[str, str]:
    lines = [*PROJECT["dependencies"], *EXTRAS["lab"]]
    return as_ranges(lines)


def renamed(ranges: dict[str, str], torch: str) -> dict[str, str]:
    names = CONDA_NAMES | {"torch": torch}
    return {names.get(name, name): version for name, version in ranges.items()}


@pytest.mark.parametrize(("path", "torch"), [("environment.yml", "pytorch"), ("binder/environment.yml", "pytorch-cpu")])
def test_conda_files_ask_for_the_core_and_the_lab(path, torch):
    conda, pip = conda_and_pip(path)
    assert conda.pop("python") == (PROJECT["requires-python"] if path == "environment.yml" else "==3.11")
    assert conda.pop("pip") == ""
    assert not conda.keys() & pip.keys(), "a package is asked for twice"
    assert conda | pip == renamed(expected(), torch)


@pytest.mark.parametrize("path", ["environment.yml", "binder/environment.yml"])
def test_torch_and_torchvision_come_from_one_channel(path):
    conda, pip = conda_and_pip(path)
    channels = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["channels"]
    assert channels == ["conda-forge", "nodefaults"]
    assert "torchvision" in conda
    assert not {"torch", "torchvision"} & pip.keys()


def test_the_two_conda_files_differ_in_the_build_of_torch_and_in_python_alone():
    full, binder = (conda_and_pip(path) for path in ("environment.yml", "binder/environment.yml"))
    differing = {name.removesuffix("-cpu") for name, _ in full[0].items() ^ binder[0].items()}
    assert differing == {"pytorch", "python"}
    assert full[1] == binder[1]


def test_every_dependency_is_pinned_within_its_range():
    installed = ("lab", "dev", "browser", "dashboard", "site")
    asked = [Requirement(line) for line in PROJECT["dependencies"] + [line for name in installed for line in EXTRAS[name]]]
    for requirement in asked:
        pin = PINS.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement.name} has no pin; run scripts/pins.py"
        assert requirement.specifier.contains(pin, prereleases=True), f"{requirement} does not admit its pin {pin}"


def test_pins_hold_no_peer_and_name_the_tested_pair():
    assert not {canonicalize_name(Requirement(line).name) for line in EXTRAS["peers"]} & PINS.keys()
    assert (PINS["torch"], PINS["torchvision"]) == ("2.14.1", "0.29.1")


def test_ranges_admit_the_oldest_promised_pair():
    ranges = {Requirement(line).name: Requirement(line).specifier for line in PROJECT["dependencies"]}
    assert ranges["torch"].contains("2.11.0")
    assert ranges["torchvision"].contains("0.26.0")


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_repo2docker_picks_the_conda_build_and_runs_our_scripts():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--user-id", "1000", "--user-name", "learner", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    dockerfile = done.stdout
    assert "conda environment for python=3.11" in done.stderr
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "binder/environment.yml"' in dockerfile
    assert "RUN ./binder/postBuild" in dockerfile
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in dockerfile


def test_binder_bakes_and_finds_the_same_numba_cache():
    build, start = ((ROOT / "binder" / name).read_text(encoding="utf-8") for name in ("postBuild", "start"))
    settings = 'export NUMBA_CACHE_DIR="$HOME/.cache/numba" NUMBA_CPU_NAME=generic'
    assert settings in build
    assert settings in start
    assert start.rstrip().endswith('exec "$@"')
    assert "pip install --no-deps --no-cache-dir ." in build


@pytest.mark.skipif(os.name == "nt", reason="the executable bit is Unix")
@pytest.mark.parametrize("path", ["binder/postBuild", "binder/start", ".ci/run"])
def test_scripts_are_executable_and_parse(path):
    assert os.access(ROOT / path, os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / path)], check=True)
