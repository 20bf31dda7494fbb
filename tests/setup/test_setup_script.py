"""What a machine lacks is said in one sentence: Python, disk, network."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("setup_script", ROOT / "scripts/setup.py")
setup_script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(setup_script)

needs_make = pytest.mark.skipif(shutil.which("make") is None or os.name == "nt", reason="no make here")


@pytest.fixture
def clone(tmp_path):
    """The files that `make setup` reads, in an empty folder."""
    (tmp_path / "scripts").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "scripts/setup.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def setup_lines(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("Set-up stopped: ")]


@needs_make
@pytest.mark.parametrize("target", ["setup", "demo", "test", "lab", "notebooks", "lint", "bench"])
def test_every_target_names_a_missing_python(clone, target):
    done = subprocess.run(["make", target, "PYTHON=no-such-python"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    (line,) = setup_lines(done.stderr)
    assert "Python 3.11 or newer was not found (looked for: no-such-python)" in line
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


@needs_make
def test_an_old_python_is_not_taken(clone):
    old = clone / "old-python"
    old.write_text("#!/bin/sh\nexec false  # what `sys.exit(sys.version_info < (3, 11))` gives there\n")
    old.chmod(0o755)
    done = subprocess.run(["make", "setup", f"PYTHON={old}"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert len(setup_lines(done.stderr)) == 1


@needs_make
def test_a_finished_setup_is_not_repeated(clone):
    ready = clone / ".venv/.ready"
    ready.parent.mkdir()
    ready.touch()
    done = subprocess.run(["make", "setup", "PYTHON=no-such-python"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_full_disk_is_named_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(setup_script, "ROOT", tmp_path)
    monkeypatch.setattr(setup_script.shutil, "disk_usage", lambda place: usage(2e9))
    with pytest.raises(setup_script.Missing, match=r"^2\.0 GB are free at .*needs about \d+ GB there"):
        setup_script.main()
    assert not (tmp_path / ".venv").exists()


def test_what_is_installed_already_is_not_asked_for_again(tmp_path, monkeypatch):
    monkeypatch.setattr(setup_script, "ROOT", tmp_path)
    monkeypatch.setattr(setup_script, "size_gb", lambda folder: setup_script.VENV_GB)
    monkeypatch.setattr(setup_script.shutil, "disk_usage", lambda place: usage(0.1e9))
    setup_script.check_disk(tmp_path / ".venv")


def usage(free: float):
    return type("Usage", (), {"free": free})()


@pytest.mark.parametrize(
    ("log", "code", "free", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", 1, 10**9, "disk became full"),
        ("", 1, 10**6, "disk became full"),
        ("", -9, 10**9, "lack of memory"),
        ("Retrying ... SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] ...", 1, 10**9, "PIP_CERT"),
        (
            "NewConnectionError('...: Temporary failure in name resolution')\nNo matching distribution found for torch",
            1,
            10**9,
            "network failed",
        ),
        ("ERROR: No matching distribution found for torch==2.14.1", 1, 10**9, "no build of torch==2.14.1 for this Python"),
        ("[Errno 13] Permission denied: '/x/.venv'", 1, 10**9, "may not write"),
        ("something new", 3, 10**9, "ended with code 3"),
    ],
)
def test_the_cause_of_a_failed_pip(log, code, free, words):
    sentence = setup_script.cause(log, code, free)
    assert words in sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")


def test_a_dead_network_is_named_by_a_real_pip(clone):
    """Nothing listens on port 9 of this machine, so pip fails as it does without a network."""
    settings = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    roomy = "import runpy, shutil; shutil.disk_usage = lambda place: type('U', (), {'free': 1e12})(); "
    command = [sys._base_executable, "-c", roomy + "runpy.run_path('scripts/setup.py', run_name='__main__')"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=200, check=False, env=clean | settings)
    assert done.returncode == 1
    (line,) = setup_lines(done.stderr)
    assert "the network failed" in line
    assert "Traceback" not in done.stderr


def test_the_needed_space_is_not_below_what_lies_here():
    """The constant was measured; an environment that has grown past it needs a new figure."""
    environment = Path(sys.prefix)
    if environment != ROOT / ".venv" or sys.platform != "linux":
        pytest.skip("these tests do not run from .venv on Linux")
    peers = sum(setup_script.size_gb(next(iter(environment.glob("lib/*/site-packages"))) / name) for name in ("lightly", "timm"))
    assert setup_script.size_gb(environment) - peers <= setup_script.VENV_GB


def test_make_offers_the_promised_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"setup", "demo", "test", "lab", "notebooks", "lint", "bench"} <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert not re.search(r"https?://|index-url", makefile + (ROOT / "scripts/setup.py").read_text(encoding="utf-8"))
