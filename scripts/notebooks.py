"""Make the notebooks from their text, and run them.

python scripts/notebooks.py              regenerate notebooks/*.ipynb and execute each (profile: LAB_PROFILE, smoke by default)
python scripts/notebooks.py --no-run     regenerate only
python scripts/notebooks.py --check      change nothing; say which notebooks differ from their text
python scripts/notebooks.py --posters    draw the still pictures again first
python scripts/notebooks.py --measure    execute and write time and memory to results/notebooks.json
python scripts/notebooks.py --keep DIR   execute and leave the executed copies in DIR, to be read
python scripts/notebooks.py 05 06        only these
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT / "notebooks" / "text"
COSTS = ROOT / "results" / "notebooks.json"
MEMORY = "from contrastive_lab.lab.machine import used_memory\nprint(used_memory() or '')"


def main() -> int:
    options = _options()
    from contrastive_lab.lab import build

    if options.check:
        different = [str(path.relative_to(ROOT)) for path in build.drifted(TEXT)]
        print("\n".join(f"{path} differs from its text; run `make notebooks`" for path in different) or "notebooks and text agree")
        return 1 if different else 0
    if options.posters:
        _draw_posters()
    os.environ.setdefault("LAB_PROFILE", "smoke")
    chosen = [source for source in build.sources(TEXT) if not options.numbers or source.stem[:2] in options.numbers]
    for source in chosen:
        build.target(source).write_text(build.build(source), "utf-8", newline="\n")
        print(f"wrote {build.target(source).relative_to(ROOT)}")
    if not options.no_run:
        for source in chosen:
            _execute(source, measure=options.measure, solution=options.solution, keep=options.keep)
    return 0


def _draw_posters() -> None:
    from contrastive_lab.explorables import EXPLORABLES

    (TEXT / "posters").mkdir(exist_ok=True)
    for name, explorable in EXPLORABLES.items():
        (TEXT / "posters" / f"{name}.png").write_bytes(explorable().poster())
        print(f"drew {name}")


def _execute(source: Path, *, measure: bool, solution: bool, keep: Path | None) -> None:
    """Run the notebook in a fresh kernel; the notebook itself stays without the outputs."""
    import nbformat
    from nbclient import NotebookClient

    from contrastive_lab.lab import build

    notebook = nbformat.reads(build.build(source, edition="solution" if solution else "student"), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(MEMORY))
    client = NotebookClient(
        notebook, timeout=1800, store_widget_state=False, kernel_name="python3", resources={"metadata": {"path": str(ROOT / "notebooks")}}
    )
    began = time.monotonic()
    try:
        client.execute()
    finally:
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, keep / f"{source.stem}.ipynb")
    seconds = time.monotonic() - began
    output = "".join(out.get("text", "") for out in notebook.cells[-1].outputs).strip()
    memory = float(output) if output else None
    print(f"ran {source.stem} ({os.environ['LAB_PROFILE']}): {seconds:.0f} s" + (f", {memory:.2f} GB" if memory else ""))
    if measure:
        _write_cost(source.stem, seconds, memory)


def _write_cost(name: str, seconds: float, memory: float | None) -> None:
    from contrastive_lab.lab.machine import inspect

    here = inspect()
    machine = here.device if here.device != "CPU" else f"{here.cores} CPU cores"
    kept = json.loads(COSTS.read_text("utf-8")) if COSTS.exists() else {"command": "python scripts/notebooks.py --measure", "notebooks": {}}
    row = {"seconds": round(seconds, 1), "memory_gb": memory and round(memory, 2), "machine": machine, "python": platform.python_version()}
    kept["notebooks"].setdefault(name, {})[os.environ["LAB_PROFILE"]] = {**row, "torch": here.torch}
    COSTS.parent.mkdir(exist_ok=True)
    COSTS.write_text(json.dumps(kept, indent=2) + "\n", "utf-8", newline="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", help="numbers of notebooks; all by default")
    for name in ("no-run", "check", "posters", "measure", "solution"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave executed copies there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
