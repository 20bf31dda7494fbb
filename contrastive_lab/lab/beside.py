"""A method beside SimCLR and the untrained network, each with its own recipe, as a program measured them over several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contrastive_lab.lab.results import read
from contrastive_lab.lab.tables import table

COLUMNS = {
    "knn": "kNN",
    "linear": "linear",
    "alignment": "alignment",
    "uniformity": "uniformity",
    "participation_ratio": "directions",
}
RECIPE = ("batch_size", "optimizer", "lr")


def beside(*methods: str, against: str = "simclr", results: str = "methods-cifar10", columns: Mapping[str, str] = COLUMNS) -> None:
    """Print the rows of results/<results>.json for the untrained network, SimCLR and `methods`: recipes, then mean ± deviation over seeds.

    Below, the kNN of each method minus that of `against`, seed by seed, with Student's 95 % interval: the same rule as for a verdict.
    """
    from contrastive_lab.experiments import compare

    rows = _rows(read(results), list(dict.fromkeys(("untrained", "simclr", against, *methods))))
    check_sizes(rows)
    first = rows["simclr"][0]  # the untrained network's settings have no epochs
    settings = first["settings"]
    devices = dict.fromkeys(row["environment"]["device"] for several in rows.values() for row in several)
    print(f"{first['data']['name']}, {first['data']['train']:,} images, {settings['network']} of width {settings['width']}, ", end="")
    print(f"{settings['epochs']} epochs, {len(rows['simclr'])} seeds; {' and '.join(devices)}; results/{results}.json\n")
    for name, several in rows.items():
        if name != "untrained":
            print(f"{name}: {_recipe(several[0]['settings'])}")
    print()
    table({name: [{key: row[key] for key in columns} for row in several] for name, several in rows.items()}, columns, digits=3)
    print(f"\nkNN minus that of {against}, seed by seed:")
    knn = {name: {row["settings"]["seed"]: row["knn"] for row in several} for name, several in rows.items()}
    for name in rows:
        if name not in ("untrained", against):
            verdict = compare(name, knn[name], knn[against])
            print(f"  {name}: {verdict.difference:+.3f} ± {verdict.margin:.3f} (95 %)")


def _rows(kept: Mapping[str, Any], names: list[str]) -> dict[str, list[Any]]:
    """The rows of each name over its seeds."""
    rows = {name: [row for key, row in sorted(kept.items()) if key.startswith(f"{name}/") and "error" not in row] for name in names}
    if missing := [name for name, several in rows.items() if not several]:
        there = ", ".join(sorted({key.split("/")[0] for key, row in kept.items() if "error" not in row}))
        failed = [f"; {key} failed: {row['error']}" for key, row in kept.items() if key.split("/")[0] in missing]
        raise ValueError(f"methods has {', '.join(map(repr, missing))}, but the results only have {there}{''.join(failed)}")
    return rows


def check_sizes(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """ValueError if a method was trained on another number of images, for other epochs or with another network than SimCLR."""
    base = _size(rows["simclr"][0])
    for name, several in rows.items():
        for row in several:
            epochs = {"epochs": base["epochs"]} if row["settings"]["epochs"] == 0 else {}  # the untrained network
            if (own := _size(row) | epochs) != base:
                told = ", ".join(f"{key} {value} instead of {base[key]}" for key, value in own.items() if value != base[key])
                raise ValueError(f"{name} was not trained like simclr, so the two can't be compared: {told}")


def _size(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"images": row["data"]["train"], **{key: row["settings"][key] for key in ("network", "width", "epochs")}}


def _recipe(settings: Mapping[str, Any]) -> str:
    """Batch, optimiser, rate, and the options that the recipe sets: where two rows may differ apart from the loss."""
    usual = ", ".join(f"{key.replace('_size', '')} {settings[key]}" for key in RECIPE).replace("optimizer ", "").replace("lr ", "rate ")
    return ", ".join([usual, *(f"{key} {value}" for key, value in settings["options"].items())])
