"""Put the tables of results/ into README.md, between its marks.

python scripts/readme.py            rewrite README.md
python scripts/readme.py --check    change nothing; fail if README.md differs from what results/ gives
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import fmean, stdev

ROOT = Path(__file__).resolve().parent.parent
README, RESULTS = ROOT / "README.md", ROOT / "results"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
COLUMNS = {
    "knn": ("kNN %", 100, 1),
    "linear": ("linear %", 100, 1),
    "uniformity_of_floor": ("uniformity, % of floor", 100, 0),
    "rankme": ("RankMe", 1, 0),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = README.read_text("utf-8")
    wanted = filled(text)
    if parser.parse_args().check:
        print("README.md agrees with results/" if text == wanted else "README.md differs from results/; run python scripts/readme.py")
        return int(text != wanted)
    README.write_text(wanted, "utf-8", newline="\n")
    return 0


def filled(text: str) -> str:
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + "\n\n".join(table(name) for name in ("scenes", "cifar10")) + "\n" + END + rest.split(END)[1]


def table(data: str) -> str:
    """One data set's runs, a line for each method: mean ± standard deviation over seeds, the mean alone for one seed."""
    rows = {key: row for key, row in json.loads((RESULTS / f"methods-{data}.json").read_text("utf-8")).items() if "error" not in row}
    settings = next(row for key, row in rows.items() if key.startswith("simclr"))
    chosen, place = settings["settings"], settings["environment"]
    title = (
        f"**{settings['data']['name']}**, {settings['data']['train']:,} images, {chosen['network']} of width {chosen['width']}, "
        f"{chosen['epochs']} epochs ({place['device']}; results/methods-{data}.json; trials that were not run yet are missing)"
    )
    lines = ["| method | seeds | " + " | ".join(name for name, _, _ in COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    for method in dict.fromkeys(key.split("/")[0] for key in sorted(rows, key=lambda key: (not key.startswith("untrained"), key))):
        own = [row for key, row in rows.items() if key.split("/")[0] == method]
        lines.append(f"| {method} | {len(own)} | " + " | ".join(_cell(own, *column) for column in COLUMNS.items()) + " |")
    return title + "\n\n" + "\n".join(lines)


def _cell(rows: list[dict], name: str, column: tuple[str, int, int]) -> str:
    _, factor, digits = column
    values = [factor * row[name] for row in rows if name in row]
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{spread}" if values else ""


if __name__ == "__main__":
    sys.exit(main())
