"""Thread caps: the container's quota, else the cores this process may use; what the user set stays."""

import os
import subprocess
import sys

import pytest

from contrastive_lab import threads


@pytest.fixture
def sixteen_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("200000 100000\n", 2),
        ("max 100000\n", 16),
        ("50000 100000", 1),
        ("250000 100000", 2),
        ("9900000 100000", 16),
        ("rubbish", 16),
        ("", 16),
    ],
)
def test_quota_of_version_2(tmp_path, text, cores):
    (tmp_path / "cpu.max").write_text(text)
    assert threads.available_cores(tmp_path) == cores


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.parametrize(("quota", "period", "cores"), [("400000", "100000", 4), ("-1", "100000", 16), ("100000", "0", 16)])
def test_quota_of_version_1(tmp_path, quota, period, cores):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu/cpu.cfs_period_us").write_text(period)
    assert threads.available_cores(tmp_path) == cores


def test_without_a_control_group_the_affinity_counts(tmp_path, sixteen_cores):
    assert threads.available_cores(tmp_path) == 16


def test_without_affinity_the_cores_of_the_machine_count(tmp_path, monkeypatch):
    """As on macOS and Windows."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert threads.available_cores(tmp_path) == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.available_cores(tmp_path) == 1


def in_fresh_python(code: str, **variables: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in {"OMP_NUM_THREADS", "NUMBA_NUM_THREADS"}}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120, env=clean | variables)
    return done.stdout.strip()


SHOW = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ.get('NUMBA_NUM_THREADS'))"


def test_importing_the_package_sets_the_variables():
    cores = threads.available_cores()
    assert in_fresh_python(f"import contrastive_lab; {SHOW}") == f"{cores} {cores}"


def test_what_the_user_set_stays():
    assert in_fresh_python(f"import contrastive_lab; {SHOW}", OMP_NUM_THREADS="7", NUMBA_NUM_THREADS="5") == "7 5"


@pytest.mark.parametrize(("cores", "left"), [(2, 2), (4, 3)])
def test_torch_that_came_first_is_made_smaller_never_larger(cores, left):
    code = f"""
import os, torch
from contrastive_lab import threads
os.environ.pop("OMP_NUM_THREADS")
threads.available_cores = lambda: {cores}
torch.set_num_threads(3)
threads.limit_threads()
print(torch.get_num_threads())
"""
    assert in_fresh_python(code) == str(left)


def test_a_running_numba_is_left_alone(monkeypatch):
    """numba refuses a new value once its threads run."""
    monkeypatch.setitem(sys.modules, "numba", object())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    threads.limit_threads()
    assert "NUMBA_NUM_THREADS" not in os.environ
