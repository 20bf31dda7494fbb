"""Editions of the notebooks for a class, from the same text.

python scripts/editions.py editions     build/editions/student, solution and instructor (plan, known mistakes, open answers)
python scripts/editions.py release      build/course: a folder for nbgrader; go there and run nbgrader generate_assignment NAME
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT / "notebooks" / "text"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["editions", "release"])
    parser.add_argument("--to", type=Path, default=ROOT / "build")
    chosen = parser.parse_args()
    from contrastive_lab.lab import build
    from contrastive_lab.lab.release import release

    if chosen.what == "release":
        written = release(TEXT, chosen.to / "course")
    else:
        written = []
        for edition in get_args(build.Edition):
            for source in build.sources(TEXT):
                target = chosen.to / "editions" / edition / f"{source.stem}.ipynb"
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(build.build(source, edition=edition), "utf-8", newline="\n")
                written.append(target)
    for path in written:
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
