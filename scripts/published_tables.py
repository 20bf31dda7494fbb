"""Our runs at full size beside what others published, from results/; scripts/tables.py puts them on the page of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from table_parts import cell, lines, read

from contrastive_lab.lab.full_size import SIZE, at_full_size, temperature_of
from contrastive_lab.methods import METHODS

ABOUT = {
    "simclr-t0.1": "SimCLR at DCL's temperature, a control: notebook 02 says what for",
    "simclr-t0.2": "SimCLR at the temperature of solo-learn's recipe (theirs here: 0.5)",
    "cacr": "four views of an image where most take two",
    "moco-symmetric": "MoCo with lightly's choices (see below)",
    "swav-b512": "SwAV at the larger of their batches",
    "swav-multicrop": "SwAV with four small crops besides, which their table has not (its paper mostly has six)",
    "hydra": "labels choose its pairs",
    "supcon": "Hydra's program with pairs of one class and an open gate, which Hydra's authors call SupCon (in the original the "
    "positives of an anchor also compete with each other)",
}
"""What the name of a run doesn't say."""


def published() -> str:
    """Our runs of the size that others report, beside their numbers, and where ours are lower; then their tables as they are."""
    words = (
        "From others' released code and tables, each with its source, for scale; "
        "their protocols differ in details, such as the best epoch instead of the last."
    )
    parts = [beside_published(), short_of_published(), beside_hydra(), words]
    for table in read("published").values():
        rows = [[name, *(f"{value:.1f}" for value in values)] for name, values in table["rows"].items()]
        parts.append(f"**{table['what']}** ({table['source']})\n\n" + lines(["method", *table["columns"]], rows))
    return "\n\n".join(parts)


def large() -> str:
    """kNN of the runs at full size beside what others published, in one sentence."""
    grouped, table = at_full_size(), read("published")["knn_200_epochs"]["rows"]
    found = []
    for name, own in grouped.items():
        # The number in brackets is for the method's usual settings: behind a run with others it would compare two things.
        theirs = f" ({max(table[name]):.1f})" if name in table else ""
        found.append(f"{name} {_knn_their_vote(own)}{theirs}")
    labels = [name for name, own in grouped.items() if "labels" in METHODS[own[0]["settings"]["method"]].needs]
    return (
        f"All of CIFAR-10, ResNet-18 of width {SIZE['width']}, {SIZE['epochs']} epochs, kNN at temperature 0.1 in percent (in brackets the "
        f"better number [published](docs/results.md#published-numbers) by lightly; that page says what each run is; {' and '.join(labels)} "
        f"have labels): {', '.join(found)}."
    )


def beside_published() -> str:
    """kNN at the size of the published table: ours, theirs at both batch sizes, and the difference from the better one."""
    source, columns = (read("published")["knn_200_epochs"][key] for key in ("source", "columns"))
    grouped, rows = at_full_size(), []
    for name, own in grouped.items():
        settings, values = own[0]["settings"], _theirs(own)
        heat = temperature_of(settings)
        made = ["" if heat is None else f"{heat}", str(settings["batch_size"]), str(len(own))]
        linear = cell([100 * run["measured"]["linear"] for run in own], 1)
        beside = [*(f"{value:.1f}" for value in values), f"{_lead(own):+.1f}"] if values else [""] * (len(columns) + 1)
        rows.append([name, *made, _knn_their_vote(own), linear, *beside])
    every = [run for own in grouped.values() for run in own]
    devices = " and ".join(dict.fromkeys(run["environment"]["device"] for run in every))
    before = fmean(100 * run["history"]["knn"][1][0] for run in every)
    words = (
        f"**Ours beside theirs**: CIFAR-10, ResNet-18 of width {SIZE['width']} with the CIFAR stem, after {SIZE['epochs']} epochs, "
        f"kNN with k = 200 and temperature 0.1 as theirs ({devices}; results/runs-cifar10.json). Theirs: best epoch "
        f"({source}); the difference is from the better of their batch sizes. Before training the network has about {before:.0f} %."
    )
    about = "\n".join(f"* {name}: {what}" for name, what in ABOUT.items() if name in grouped)
    titles = ["run", "temperature", "batch", "seeds", "kNN %", "linear %", *(f"theirs, {column}" for column in columns), "difference"]
    return "\n\n".join([words, lines(titles, rows), about])


def short_of_published() -> str:
    """Where ours are lower, by how much, and what is known of the reasons."""
    grouped = at_full_size()
    short = [f"{name} by {-_lead(own):.1f} points" for name, own in grouped.items() if _theirs(own) and _lead(own) < 0]
    words = [
        f"**Where ours is lower**: {', '.join(short) or 'nowhere'}; so few seeds, and the draw of the test images, leave some tenths open."
    ]
    if {"simclr", "simclr-t0.1", "simclr-t0.2"} <= grouped.keys():
        words.append(
            "SimCLR: the temperature counts for more than that distance. Theirs is 0.5, as in our recipe and in the paper's runs on "
            f"CIFAR-10. At 0.2 ours ends {_lead(grouped['simclr-t0.2']):.1f} points above their better number, at 0.1 it falls below."
        )
    if {"moco", "moco-symmetric"} <= grouped.keys():
        demo, made = read("published")["moco_demo"]["rows"], grouped["moco"][0]["settings"]
        words.append(
            "MoCo: theirs takes the loss in both directions, at temperature 0.1, with a learning rate of 0.06 per 128 images (their "
            "cifar10_benchmark.py): moco-symmetric is ours with these choices, at twice the work; moco is ours in one direction as in the "
            f"paper, with {made['lr']} for {made['batch_size']}. Both of ours have a queue of {made['options']['queue_length']:,}, theirs "
            "has 4,096 at batch 128 and 8,192 at 512. How much the direction counts, MoCo's authors report at 0.1: "
            f"{demo['moco'][0]:.1f} with one, {demo['moco, both directions'][0]:.1f} with both. {in_miniature()}"
        )
    if {"swav", "swav-b512", "swav-multicrop"} <= grouped.keys():
        small, large = _theirs(grouped["swav"])
        ours = [fmean(100 * run["measured"]["knn_t10"] for run in grouped[name]) for name in ("swav", "swav-b512")]
        words.append(
            f"SwAV: theirs gains {large - small:.1f} points from four times the batch, ours {ours[1] - ours[0]:.1f} from twice the batch. "
            "Rates, projector, crops and colours agree. Theirs has 512 prototypes which are never frozen, ours 256 that stand still for "
            "the first epoch; theirs passes the two views through the network one after the other (as for all its methods), ours together. "
            "None of these was tried at this size. The small crops of SwAV's own paper take ours "
            f"{_lead(grouped['swav-multicrop']):.1f} points above their better number."
        )
    words.append(
        "Not run at this size: PixPro and PixContrast, for which we know no published number on CIFAR-10 to compare with; SepCLR and CLIP, "
        "which need digits over the photographs, or captions. All four have runs of a quarter of the width (above)."
    )
    return "\n\n".join(words)


def beside_hydra() -> str:
    """Hydra and SupCon as long as Hydra's authors train them, beside their numbers."""
    table, kept = read("published")["pairs_50_epochs"], read("runs-cifar10")
    ours = {"hydra, arbitrary pairs": "hydra-e50", "supcon, pairs of one class": "supcon-e50"}
    rows = []
    for title, name in ours.items():
        own = [row for key, row in kept.items() if key.startswith(f"cifar10-{name}-w{SIZE['width']}-s") and "error" not in row]
        if own:
            numbers = [cell([100 * run["measured"][key] for run in own], 1) for key in ("linear", "knn_t10")]
            rows.append([title, str(len(own)), *numbers, f"{table['rows'][title][0]:.1f}"])
    return (
        f"**Hydra after 50 epochs**: CIFAR-10, ResNet-18 of width {SIZE['width']}, batch 256. Ours: a linear probe fitted after the last "
        "epoch; theirs: fitted along with a network whose stem, crops (0.7 to 1 of the area; ours 0.2 to 1) and batches (three copies of "
        f"each image) differ ({table['source']}).\n\n" + lines(["", "seeds", "linear %", "kNN %", "theirs, linear"], rows)
    )


def in_miniature() -> str:
    """What each of lightly's choices gives MoCo in short runs on few images."""
    verdicts = {v["arms"]: 100 * v["difference"] for v in read("claims-verdicts")["claims"]["moco"]["verdicts"]}
    gains = {arms.removesuffix(" - one direction"): gain for arms, gain in verdicts.items()}
    return (
        f"In miniature (MoCo in both directions, above) the direction alone gives {gains['both directions']:+.1f} points, the temperature "
        f"{gains['temperature 0.1']:+.1f}, the rate {gains['twice the rate']:+.1f} and all three {gains['all three']:+.1f}, one direction "
        f"for twice as many epochs {gains['twice as long']:+.1f}."
    )


def _theirs(own: Sequence[Mapping[str, Any]]) -> Sequence[float]:
    """What others published for the method of these runs; empty if nothing."""
    rows: Mapping[str, Sequence[float]] = read("published")["knn_200_epochs"]["rows"]
    return rows.get(own[0]["settings"]["method"], ())


def _lead(own: Sequence[Mapping[str, Any]]) -> float:
    """Points of mean kNN ahead of the better published number."""
    return fmean(100 * run["measured"]["knn_t10"] for run in own) - max(_theirs(own))


def _knn_their_vote(own: Sequence[Mapping[str, Any]]) -> str:
    """kNN in percent with lightly's temperature of the vote, 0.1."""
    return cell([100 * run["measured"]["knn_t10"] for run in own], 1)
