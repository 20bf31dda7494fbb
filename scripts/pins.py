"""Write constraints.txt: the exact versions, in the Python that runs this, of everything the project asks for.

    .venv/bin/python scripts/pins.py

Only what pyproject.toml leads to is pinned (core, lab, dev, browser, dashboard, site, teaching), not whatever else is installed.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("lab", "dev", "browser", "dashboard", "site", "teaching")
HEADER = """\
# The versions that the tests ran with. Written by `.venv/bin/python scripts/pins.py` from the packages installed there:
# what pyproject.toml leads to (core and the extras lab, dev, browser, dashboard, site, teaching). `make setup` installs from it.
"""


def wanted(project: dict) -> list[Requirement]:
    extras = project["optional-dependencies"]
    return [Requirement(line) for line in project["dependencies"] + [line for extra in EXTRAS for line in extras[extra]]]


def closure(roots: list[Requirement]) -> dict[str, str]:
    """Canonical name -> installed version of the roots and everything they require here."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    queue = [(root, extra) for root in roots if applies(root, "") for extra in ("", *root.extras)]
    while queue:
        requirement, extra = queue.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here; run `make setup` first") from None
        pins[name] = found.version
        children = [Requirement(line) for line in found.requires or ()]
        queue += [(child, inner) for child in children if applies(child, extra) for inner in ("", *child.extras)]
    return pins


def applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = closure(wanted(project))
    lines = [f"{name}=={version.split('+')[0]}\n" for name, version in sorted(pins.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} pins")


if __name__ == "__main__":
    main()
