"""What the machine will do, said before it does it."""

from __future__ import annotations

from contrastive_lab.lab import machine, results
from contrastive_lab.lab.profiles import VARIABLE, current


def banner(notebook: str) -> None:
    """Print device, cores, memory and profile, and what this notebook cost where it was measured (results/notebooks.json)."""
    here = machine.inspect()
    memory = "" if here.memory is None else f", {here.memory:.0f} GB memory"
    print(f"{here.device} on {here.host}, {_cores(here.cores)}{memory}; Python {here.python}, torch {here.torch}")
    print(f"profile: {current()} (set {VARIABLE} to smoke, laptop or full before starting Jupyter to change it)")
    print(cost(notebook, current()))
    if here.host == "Colab" and here.device == "CPU":
        print("A GPU makes this faster: Runtime > Change runtime type > GPU")


def cost(notebook: str, profile: str) -> str:
    """One sentence with the measured time and memory of a notebook in a profile, or that nobody measured it."""
    try:
        measured = results.read("notebooks")["notebooks"][notebook][profile]
    except (FileNotFoundError, KeyError):
        return f"running all of {notebook} in the {profile} profile has not been measured yet"
    memory = f" and {measured['memory_gb']:.1f} GB" if measured.get("memory_gb") else ""
    return f"running all of {notebook} took {_time(measured['seconds'])}{memory} on {measured['machine']} (results/notebooks.json)"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"
