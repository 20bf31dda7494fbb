"""The doctor's knowledge: which builds of torch belong together, and limits of a container."""

import pytest

from contrastive_lab import doctor
from contrastive_lab.methods import METHODS


@pytest.mark.parametrize(
    ("torch", "torchvision", "trouble"),
    [
        ("2.14.1", "0.29.1", ""),
        ("2.14.1+cpu", "0.29.1+cpu", ""),
        ("2.11.0+cu128", "0.26.0+cu128", ""),
        ("2.14.1", "0.26.0", "belongs to torchvision 0.29"),
        ("2.14.1+cpu", "0.29.1+cu128", "'cpu' build and torchvision a 'cu128' build"),
        ("3.0.0", "1.0.0", ""),
    ],
)
def test_builds_of_one_family(torch, torchvision, trouble):
    found = doctor.torch_family(torch, torchvision)
    assert (trouble in found) if trouble else found == ""


def test_the_containers_memory_counts(tmp_path):
    whole = doctor.memory_limit(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor.memory_limit(tmp_path) == whole
    (tmp_path / "memory.max").write_text("1500000000\n")
    assert doctor.memory_limit(tmp_path) == pytest.approx(1.5)


def test_little_memory_is_noted_with_its_remedy(monkeypatch):
    monkeypatch.setattr(doctor, "memory_limit", lambda: 1.0)
    (finding,) = doctor._memory()
    assert finding.state == "warn"
    assert "LAB_PROFILE=smoke" in finding.remedy


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: "missing" if name == "plotly" else "1.0")
    (finding,) = doctor._packages()
    assert finding.state == "bad"
    assert finding.remedy == "pip install plotly"


def test_a_check_that_fails_becomes_a_finding(monkeypatch):
    def broken():
        raise OSError("no such thing")

    broken.__name__ = "_disk"
    monkeypatch.setattr(doctor, "_disk", broken)
    assert any(f.name == "disk" and f.state == "bad" and "no such thing" in f.value for f in doctor.diagnose(speed=False))


def test_the_cost_is_told_for_every_profile(monkeypatch):
    monkeypatch.setattr(doctor, "_images_per_second", lambda width, batch: 1000.0)
    found = doctor._cost()
    assert [f.name for f in found] == ["demo laptop", "demo smoke"]
    assert "methods" in found[0].value
    monkeypatch.setattr(doctor, "_images_per_second", lambda width, batch: 1e9)
    assert f"about {len(METHODS)} seconds" in doctor._cost()[1].value  # what surrounds the training remains


def test_the_record_of_a_machine_holds_versions():
    record = doctor.machine("cpu")
    assert record["torch"].startswith("torch 2.")
    assert set(record) >= {"device", "cores", "memory", "python", "torchvision", "lab"}
