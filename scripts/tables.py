"""Make every table of results: README.md's, between its marks, and the page docs/results.md.

python scripts/tables.py            rewrite both
python scripts/tables.py --check    change nothing; fail if one of them differs from what results/ gives
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from published_tables import large, published
from speed_tables import PICTURE, speed
from table_parts import cell, lines, read

from contrastive_lab import runs
from contrastive_lab.lab.beside import check_sizes
from contrastive_lab.lab.claims import trained_for
from contrastive_lab.methods import METHODS

ROOT = Path(__file__).resolve().parent.parent
README, PAGE = ROOT / "README.md", ROOT / "docs" / "results.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
# Title, factor, digits after the point.
COLUMNS = {
    "knn": ("kNN %", 100, 1),
    "linear": ("linear %", 100, 1),
    "alignment": ("alignment", 1, 2),
    "uniformity_of_floor": ("uniformity, % of floor", 100, 0),
    "rankme": ("RankMe", 1, 0),
    "participation_ratio": ("part. ratio", 1, 0),
    "locality_auroc": ("locality AUROC", 1, 3),
    "train_seconds": ("seconds", 1, 0),
    "peak_memory_mib": ("peak MiB", 1, 0),
}
HEAD = """# Results

Every number on this page is read from `results/*.json` by `scripts/tables.py`; those files also hold settings, seeds, versions and
hardware. Mean ± standard deviation over seeds; no deviation means one seed. Accuracies are taken after the last epoch, never the best,
with the training images as bank. Times come from machines that did other work as well: compare them within a table only. Where the seeds
of one method differ too much in time to compare methods, there is no column of seconds.
"""
UNSTEADY = 0.25
"""Deviation over mean of the seconds of one method's seeds beyond which they say nothing about the method."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    wanted = {README: filled(README.read_text("utf-8")), PAGE: page()}
    if parser.parse_args().check:
        different = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
        print(
            f"{', '.join(different)}: differs from results/; run python scripts/tables.py"
            if different
            else "the tables agree with results/"
        )
        return int(bool(different))
    for path, text in wanted.items():
        path.write_text(text, "utf-8", newline="\n")
    return 0


def filled(text: str) -> str:
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + short() + "\n" + END + rest.split(END)[1]


def page() -> str:
    parts = [
        HEAD,
        "## Methods on the same images\n\n" + "\n\n".join(methods(name) for name in ("scenes", "cifar10")),
        "## The papers' claims in miniature\n\n" + claims(),
        "## Runs that come with the package\n\n" + finished(),
        "## Published numbers\n\n" + published(),
        "## A small CLIP at several temperatures\n\n" + clip(),
        "## Objects in photographs\n\n" + photographs(),
        "## Interrupted and resumed\n\n" + resumed(),
        "## Speed and memory\n\n" + speed(),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def short() -> str:
    """Both data sets in one table, a line for each method."""
    columns, words = {}, []
    for data in ("scenes", "cifar10"):
        grouped = trials(data)
        words.append(conditions(data, grouped))
        for key in ("knn", "linear"):
            title, factor, digits = COLUMNS[key]
            columns[f"{data}: {title}"] = {name: cell([factor * row[key] for row in own], digits) for name, own in grouped.items()}
    names = list(dict.fromkeys(name for values in columns.values() for name in values))
    table = lines(["method", *columns], [[name, *(values.get(name, "") for values in columns.values())] for name in names])
    return "\n\n".join(["  \n".join(words), table, large(), counted(), fast(), PICTURE.replace("(speed.png)", "(docs/speed.png)")])


def fast() -> str:
    """The fastest case of the training loop on a graphics card, in one sentence."""
    content = read("bench-loop-gpu")
    beside = [e for e in content["entries"] if e.get("times_lightly")]
    one = max(beside, key=lambda e: e["rates"]["ours"]["images_per_second"])
    return (
        f"Speed ({content['machine']['device']}, ResNet-18 of width {one['width']}, {one['image_size']} px, batch {one['batch']:,}): "
        f"{one['rates']['ours']['images_per_second']:,.0f} images per second through SimCLR's training loop, "
        f"{100 * one['share_of_ceiling']:.0f} % of what the encoder alone reaches and {one['times_lightly']:.1f} times lightly's loop. "
        "Losses in tiles need memory that grows with the batch, not with its square:"
    )


def counted() -> str:
    """How many questions to the papers' claims went which way."""
    papers = {name: claim for name, claim in read("claims-verdicts")["claims"].items() if name != "moco"}  # a question of our own
    verdicts = [v for claim in papers.values() for v in claim["verdicts"]]
    seeds = sorted({len(v["seeds"]) for v in verdicts})
    ends = [f"{sum(v['outcome'] == one for v in verdicts)} {one}" for one in ("confirmed", "refuted", "undecided")]
    return (
        f"The papers' claims in miniature, put as {len(verdicts)} questions with {' or '.join(map(str, seeds))} seeds: {', '.join(ends)} "
        "([each of them](docs/results.md#the-papers-claims-in-miniature))."
    )


def methods(data: str) -> str:
    """All columns of one data set."""
    grouped = trials(data)
    place = grouped["simclr"][0]["environment"]
    shown = {key: how for key, how in COLUMNS.items() if any(key in row for own in grouped.values() for row in own)}
    if not steady(column(own, "train_seconds", 1, place) for own in grouped.values()):
        del shown["train_seconds"]
    rows = [
        [name, str(len(own)), *(cell(column(own, key, factor, place), digits) for key, (_, factor, digits) in shown.items())]
        for name, own in grouped.items()
    ]
    return conditions(data, grouped) + "\n\n" + lines(["method", "seeds", *(title for title, _, _ in shown.values())], rows)


def steady(seconds: Iterable[Sequence[float]]) -> bool:
    """Whether most methods' seeds took about equally long."""
    varied = [stdev(own) / fmean(own) for own in seconds if len(own) > 1]
    return not varied or median(varied) <= UNSTEADY


def trials(data: str) -> dict[str, list[dict[str, Any]]]:
    """The seeds of each method, the untrained network first."""
    found = {key: row for key, row in read(f"methods-{data}").items() if "error" not in row}
    grouped: dict[str, list[dict[str, Any]]] = {}
    for key in sorted(found, key=lambda key: (not key.startswith("untrained"), key)):
        grouped.setdefault(key.split("/")[0], []).append(found[key])
    check_sizes(grouped)
    return grouped


def conditions(data: str, grouped: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    one = grouped["simclr"][0]
    chosen, counts = one["settings"], sorted({len(own) for own in grouped.values()})
    notes = "".join(f"; {name} learns from labels" for name in grouped if name in METHODS and "labels" in METHODS[name].needs)
    notes += "; simclr-t0.1 is SimCLR at DCL's temperature" if "simclr-t0.1" in grouped else ""
    devices = " and ".join(dict.fromkeys(row["environment"]["device"] for own in grouped.values() for row in own))
    return (
        f"**{one['data']['name']}**, {one['data']['train']:,} images, {chosen['network']} of width {chosen['width']}, "
        f"{chosen['epochs']} epochs, {' or '.join(map(str, counts))} seeds "
        f"({devices}; results/methods-{data}.json{notes})"
    )


def column(rows: Sequence[Mapping[str, Any]], key: str, factor: float, place: Mapping[str, Any]) -> list[float]:
    """One column of several seeds; what depends on the machine only from rows of one machine."""
    if key in ("train_seconds", "peak_memory_mib"):
        rows = [row for row in rows if all(row["environment"].get(part) == place.get(part) for part in ("device", "cores", "torch"))]
    return [factor * row[key] for row in rows if key in row]


def claims() -> str:
    content = read("claims-verdicts")
    sizes = content["sizes"]
    words = (
        f"{sizes['network']} of width {sizes['width']}, up to {sizes['count']:,} images "
        "(results/claims.json). Differences are taken seed by seed, ± the half-width of "
        "Student's 95 % interval. Confirmed: the interval leaves out zero, and the difference goes the paper's way; refuted: the other "
        "way. Of twenty questions about nothing at all, one is decided by luck."
    )
    parts = [words]
    for name, claim in content["claims"].items():
        rows = [
            [
                v["claim"],
                v["arms"],
                f"{v['difference']:+.3f}" + (f" ± {v['margin']:.3f}" if len(v["seeds"]) > 1 else ""),
                str(len(v["seeds"])),
                v["outcome"],
            ]
            for v in claim["verdicts"]
        ]
        body = lines(["claim", "difference of", "", "seeds", "verdict"], rows) if rows else "Not all arms were run yet."
        parts.append(
            f"**{claim['title']}.** {claim['note']} Trained for {trained_for(name)} epochs ({', '.join(claim['devices'])}).\n\n{body}"
        )
    return "\n\n".join(parts)


def finished() -> str:
    shown = dict(list(COLUMNS.items())[:7])
    rows = []
    for name in runs.available():
        card = runs.open_run(name).card
        numbers = [
            f"{factor * card['measured'][key]:.{digits}f}" if key in card["measured"] else "" for key, (_, factor, digits) in shown.items()
        ]
        rows.append([f"`{name}`", f"{card['settings']['epochs']}", *numbers])
    words = (
        "Opened with `contrastive_lab.runs.open_run(name)`, trained on what the name begins with; each has a card with its command. "
        "SepCLR's kNN and linear probe read the photograph's class from both codes together; its card has the digit and the class from "
        "either code."
    )
    return words + "\n\n" + lines(["run", "epochs", *(title for title, _, _ in shown.values())], rows)


def clip() -> str:
    shown = ["gap", "image cone", "text cone", "recall@1", "recall@5", "gap, closed", "recall@1, closed"]
    parts = []
    for data, what in (("scenes", "captioned scenes"), ("flickr8k", "photographs of Flickr8k with their captions")):
        content = read(f"clip-{data}")
        rows = [[arm, str(len(own)), *(cell([row[key] for row in own], 3) for key in shown)] for arm, own in content["arms"].items()]
        words = (
            f"{content['images']:,} {what}, {content['epochs']} epochs, {content['pairs']} test pairs "
            f"({content['environment']['device']}; results/clip-{data}.json). Cone: mean cosine within a modality. Closed: each modality "
            "moved by half of the gap, nothing trained."
        )
        if any("wrong pairs" in arm for arm in content["arms"]):
            words += " Wrong pairs: a part of the training captions belongs to another scene (see benchmarks/clip_temperatures.py)."
        parts.append(words + "\n\n" + lines(["", "seeds", *shown], rows))
    return "\n\n".join(parts)


def photographs() -> str:
    """Dense maps on photographs: the end of every method, one shared start as the untrained network, and raw colour."""
    content = read("locality_stl10")
    seeds, size, place = content["seeds"], content["sizes"], content["environment"]["device"]
    arms = {"raw colour": [seed["colour"] for seed in seeds], "untrained": [seed["simclr"][0] for seed in seeds]}
    arms |= {name: [seed[name][-1] for seed in seeds] for name in ("simclr", "pixpro", "pixcontrast")}
    shown = {"auroc": "mask AUROC", "iou_fixed": "IoU at cosine 0.5", "pointing": "pointing", "seed": "LOST's seed in the object"}
    rows = [[arm, str(len(own)), *(cell([row[key] for row in own], 3) for key in shown)] for arm, own in arms.items()]
    words = (
        f"STL-10, {size['count']:,} images, {size['epochs']} epochs, width {size['width']}, {size['scored']} test images with masks "
        f"({place}; results/locality_stl10.json). These measures reward smooth maps of large objects: notebook 11 shows what they give to "
        "maps that know no picture."
    )
    return words + "\n\n" + lines(["", "seeds", *shown.values()], rows)


def resumed() -> str:
    content = read("resume-trials")
    methods = ", ".join(dict.fromkeys(row["method"] for row in content["rows"]))
    return (
        f"{content['trials']} runs of {content['epochs']} epochs ({methods}) were killed at random moments and resumed; "
        f"{content['equal']} ended with the very weights of the run that was left in peace (results/resume-trials.json)."
    )


if __name__ == "__main__":
    sys.exit(main())
