"""Numbers that a script measured and the repository keeps: text quotes them through here, nobody types them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "results"


def read(name: str, *, folder: Path | None = None) -> Mapping[str, Any]:
    """`results/<name>.json`; raises FileNotFoundError that says which command writes it."""
    path = (folder or FOLDER) / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(
            f"results {name!r} are not here ({path.name} is missing in results/); `make bench` measures and writes them"
        )
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def spread(values: Sequence[float], *, digits: int = 2, scale: float = 1.0) -> str:
    """Mean ± standard deviation over seeds, as text; a single value stands alone, and so do equal ones: a published number beside seeds."""
    if not values:
        raise ValueError("values is empty; give at least one number")
    scaled = [scale * value for value in values]
    mean = f"{statistics.fmean(scaled):.{digits}f}"
    return mean if len(set(values)) == 1 else f"{mean} ± {statistics.stdev(scaled):.{digits}f}"
