"""Tables of speed and memory, from results/bench-*.json; scripts/tables.py puts them on the page of results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from table_parts import RESULTS, lines, read

PICTURE = (
    "![For a CPU and a graphics card: peak memory and time of NT-Xent over the batch, ours dense and in tiles beside two libraries, and "
    "images per second of SimCLR's training loop beside lightly's and the encoder alone](speed.png)"
)


def speed() -> str:
    tables = (loops(), profiles(), launches(), ceilings(), processes(), losses(), measured(), views(), imported())
    return "\n\n".join(part for part in (PICTURE, *tables) if part)


def recorded(name: str) -> list[tuple[str, dict[str, Any]]]:
    """What a benchmark wrote on the CPU and, where there is one, on a graphics card."""
    return [(file, read(file)) for file in (name, f"{name}-gpu") if (RESULTS / f"{file}.json").exists()]


def plain(value: float) -> str:
    """Three digits, or all before the point; never a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def rate(entry: Mapping[str, Any] | None) -> str:
    return f"{entry['images_per_second']:,.0f}" if entry and "images_per_second" in entry else ""


def loops() -> str:
    parts = []
    for file, content in recorded("bench-loop"):
        rows = [
            [
                e["method"],
                f"{e['network']} {e['width']}, {e['image_size']} px, batch {e['batch']}, {e['precision']}" + ", compiled" * e["compile"],
                *(rate(e["rates"].get(who)) for who in ("encoder alone", "ours", "lightly")),
                f"{100 * e['share_of_ceiling']:.0f} %" if e.get("share_of_ceiling") else "",
                *(
                    [f"{e['times_lightly']:.2f}", f"{e['times_lightly'] / e['share_of_ceiling']:.2f}"]
                    if e.get("times_lightly")
                    else ["", ""]
                ),
            ]
            for e in content["entries"]
        ]
        title = (
            f"**Training loop**, images per second ({place(content)}; results/{file}.json). lightly's loop is its recipe: PIL images, "
            f"its transforms, {content['workers'] or 'no'} loader processes, nothing compiled. No loop is faster than the encoder "
            "alone: the last column is the most that could be reached."
        )
        if not file.endswith("-gpu"):
            title += " Images per second are of wall time, the ratios of processor time, which other programs on the machine disturb less."
        parts.append(
            title
            + "\n\n"
            + lines(
                [
                    "method",
                    "case",
                    "encoder alone",
                    "ours",
                    "lightly",
                    "share of encoder alone",
                    "times lightly",
                    "encoder alone, times lightly",
                ],
                rows,
            )
        )
    return "\n\n".join(parts)


def losses() -> str:
    parts = []
    for file, content in recorded("bench-losses"):
        batches = sorted({e["batch"] for curves in content["curves"].values() for curve in curves.values() for e in curve})
        rows = []
        for loss, curves in content["curves"].items():
            for who, curve in curves.items():
                by_batch = {e["batch"]: e for e in curve}
                rows.append([loss, who, *(_cost(by_batch.get(batch)) for batch in batches)])
        words = f"forward and backward, {content['dim']} dimensions: milliseconds / MiB at each batch"
        title = f"**Losses**, {words} ({place(content)}; results/{file}.json)"
        if any(e.get("shared_card") for curves in content["curves"].values() for curve in curves.values() for e in curve):
            title += ". *: both forms again, later and beside a training on the same card; compare these with each other only."
        parts.append(title + "\n\n" + lines(["loss", "", *(f"{batch:,}" for batch in batches)], rows))
    return "\n\n".join(parts)


def _cost(entry: Mapping[str, Any] | None) -> str:
    if not entry or "mebibytes" not in entry:
        return "–"
    mark = "*" * entry.get("shared_card", False)
    return f"{plain(1000 * entry['seconds'])}{mark} / {entry['mebibytes']:,.0f}" if "seconds" in entry else f"/ {entry['mebibytes']:,.0f}"


def measured() -> str:
    parts = []
    for file, content in recorded("bench-measures"):
        rows = [
            [name, f"{e['seconds']:.2g}", f"{e['mebibytes']:,.0f}"]
            for name, e in content["entries"].items()
            if "seconds" in e and "mebibytes" in e
        ]
        title = f"**Measures**: seconds, and MiB beyond the input ({place(content)}; results/{file}.json)"
        parts.append(title + "\n\n" + lines(["", "seconds", "MiB"], rows))
    return "\n\n".join(parts)


def views() -> str:
    parts = []
    for file in ("bench-views", "bench-views-h200"):
        content = read(file)
        rows = []
        for case, entry in content["cases"].items():
            rows += [
                [case, who, f"{e['images_per_cpu_second']:,} per CPU second", f"{e['times_pil']:.1f}"] for who, e in entry["cpu"].items()
            ]
            rows += [[case, who, f"{e['images_per_second']:,} per second", ""] for who, e in entry.get("gpu", {}).items()]
        where = " and ".join(filter(None, (content["machine"]["cpu"], content["machine"]["gpu"])))
        parts.append(f"**Views**, two of each image ({where}; results/{file}.json)\n\n" + lines(["case", "", "images", "times PIL"], rows))
    return "\n\n".join(parts)


def imported() -> str:
    content = read("bench-import")
    rows = [[name, f"{e['median']:.2f}", f"{e['least']:.2f}", f"{e['most']:.2f}"] for name, e in content["seconds"].items()]
    return f"**Import**, seconds, {content['repeats']} fresh processes (results/bench-import.json)\n\n" + lines(
        ["", "median", "least", "most"], rows
    )


def place(content: Mapping[str, Any]) -> str:
    machine = content["machine"]
    return f"{machine['device']}, {machine['threads']} thread{'s' * (machine['threads'] > 1)}, torch {machine['versions']['torch']}"


def launches() -> str:
    content = read("bench-launches")["rows"]
    kinds = list(next(iter(content.values())))
    rows = [[name, *(f"{own[kind]['operations']:,} + {own[kind]['graphs']}" for kind in kinds)] for name, own in content.items()]
    title = (
        "**What Python starts in one training step**: operations + graphs, without the update (results/bench-launches.json). A GPU waits "
        "where starting takes longer than computing; compiled, on one GPU, each graph is a single launch."
    )
    return title + "\n\n" + lines(["method", *kinds], rows)


def profiles() -> str:
    content = read("bench-profile-gpu")
    kinds = list(dict.fromkeys(kind for e in content["entries"] for kind in e["kinds_ms"]))
    rows = [
        [
            e["method"],
            e["who"],
            *(plain(e[key]) for key in ("step_ms", "busy_ms")),
            *(plain(e["kinds_ms"].get(kind, 0.0)) for kind in kinds),
            f"{e['launches']:.0f}",
        ]
        for e in sorted(content["entries"], key=lambda e: (e["method"], e["who"]))
    ]
    title = (
        f"**Where a step goes**, milliseconds, compiled, width 64, batch 256 ({place(content)}; results/bench-profile-gpu.json). Busy: a "
        "kernel or a copy ran, under the profiler; what the loop is busy beyond the encoder alone are heads, loss and views, and the rest "
        "of a step is waiting. Launches: calls of Python."
    )
    return title + "\n\n" + lines(["method", "", "step", "busy", *kinds, "launches"], rows)


def ceilings() -> str:
    """What bounds the encoder: its step in several arrangements, and its convolutions beside matrix products."""
    parts = []
    for file, content in recorded("bench-ceiling"):
        where = f"({place(content)}; results/{file}.json)"
        memory = any("peak_mib" in e for e in content["entries"])
        rows = [
            [
                e["arrangement"],
                f"{e['images']:,}" if "images" in e else e["failed"],
                rate(e),
                plain(e["tflops"]) if "tflops" in e else "",
                *([f"{e['peak_mib']:,}" if "peak_mib" in e else ""] if memory else []),
            ]
            for e in content["entries"]
        ]
        titles = ["arrangement", "images in a step", "images per second", "Tflop/s", *["peak MiB"] * memory]
        parts.append(f"**The encoder alone**, {content['network']}, two views of each image {where}\n\n" + lines(titles, rows))
        kinds = [key for key in content["convolutions"][0] if key not in ("channels", "side", "flops")]
        rows = [
            [f"{row['channels']} channels, {row['side']} x {row['side']}", *(_milliseconds(row, key) for key in kinds)]
            for row in content["convolutions"]
        ]
        words = "milliseconds (Tflop/s) of a forward pass; a matrix product of the same size would also need its rows copied together"
        parts.append(f"**One 3 x 3 convolution of each stage**, {words} {where}\n\n" + lines(["stage", *kinds], rows))
    return "\n\n".join(parts)


def _milliseconds(row: Mapping[str, Any], kind: str) -> str:
    seconds = row[kind]
    if not isinstance(seconds, float):
        return str(seconds)
    return f"{1000 * seconds:.3f}" + ("" if kind.startswith("rounding") else f" ({plain(row['flops'] / seconds / 1e12)})")


def processes() -> str:
    parts = []
    for file, content in recorded("bench-processes"):
        alone = {(e["method"], e["batch"]): e["images_per_second"] for e in content["entries"] if e["processes"] == 1}
        rows = [
            [e["method"], f"{e['batch']:,}", str(e["processes"]), rate(e), f"{e['images_per_second'] / alone[e['method'], e['batch']]:.2f}"]
            for e in content["entries"]
        ]
        what = f"{content['network']}, {content['precision']}" + ", compiled" * content["compile"]
        title = f"**One process against several**, {what} ({place(content)}; results/{file}.json)"
        parts.append(title + "\n\n" + lines(["method", "joint batch", "processes", "images per second", "times one process"], rows))
    return "\n\n".join(parts)
