"""Make the static book: the notebooks with their kernel-free pictures, search, maths and a dark theme, all of it offline.

python scripts/book.py              pages in site/, notebooks not executed: posters and explorables are shown
python scripts/book.py --execute    the notebooks run first in the smoke profile, and all of their outputs are shown (minutes)
python scripts/book.py --out DIR    somewhere else
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import plotly.offline

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "build" / "site"
PLOTLY = "plotly.min.js"
REMOTE_SCRIPT = re.compile(r'<script[^>]*\ssrc="https://[^"]*"[^>]*></script>')
FIRST = ("notation", "glossary", "references")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--execute", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    parser.add_argument("--source", type=Path, default=SOURCE, help="where the prepared sources are put")
    options = parser.parse_args()
    notebooks = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    prepare(options.source, notebooks, execute=options.execute)
    built = options.source.with_name(
        options.source.name + "-html"
    )  # MyST-NB leaves a folder of its own beside the pages, which nobody wants beside `out`
    for old in (built, options.out):
        shutil.rmtree(old, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", str(options.source), str(built)]
    code = subprocess.call(command)
    if built.exists():
        shutil.move(built, options.out)
    if code == 0:
        print(f"{len(notebooks)} notebooks. Open it: {(options.out.resolve() / 'index.html').as_uri()}")
    return code


def prepare(source: Path, notebooks: list[Path], *, execute: bool = False) -> None:
    """Lay out what Sphinx reads: the pages of docs/, the notebooks with outputs, MathJax."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "notebooks").mkdir(parents=True)
    for page in (*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*.png")):
        shutil.copy(page, source)
    shutil.copy(ROOT / "docs" / "conf.py", source)
    shutil.copytree(ROOT / "docs" / "static", source / "static")
    copy_mathjax(source / "static" / "mathjax")
    (source / "toc.md").write_text(contents(notebooks), "utf-8")
    (source / "static" / PLOTLY).write_text(plotly.offline.get_plotlyjs(), "utf-8")
    # Runs that this computer kept from earlier would be opened instead of trained, and say where they lie.
    if execute:
        os.environ["CONTRASTIVE_LAB_CACHE"] = str(source / "cache")
    for path in notebooks:
        notebook = with_own_scripts(run(path)) if execute else filled(path)
        (source / "notebooks" / path.name).write_text(json.dumps(without_colab(notebook)), "utf-8")


def contents(notebooks: list[Path]) -> str:
    others = sorted({path.stem for path in (ROOT / "docs").glob("*.md")} - {"index", *FIRST})
    trees = {"Notebooks": [f"notebooks/{path.stem}" for path in notebooks], "To look up": [*FIRST, *others]}
    lines = [f"```{{toctree}}\n:caption: {title}\n:maxdepth: 1\n\n" + "\n".join(pages) + "\n```\n" for title, pages in trees.items()]
    return "\n".join(lines)


def copy_mathjax(folder: Path) -> None:
    """MathJax in one file, from the package django-static-mathjax (which is MathJax as released, and needs no Django)."""
    import mathjax

    home = Path(mathjax.__file__).parent / "static" / "mathjax"
    folder.mkdir(parents=True)
    for file in (home / "es5" / "tex-svg.js", home / "LICENSE"):
        shutil.copy(file, folder)


def without_colab(notebook: dict[str, Any]) -> dict[str, Any]:
    """Without the badge, whose picture the network would have to bring, and without the cell that only Colab needs."""
    notebook["cells"] = [cell for cell in notebook["cells"] if "colab" not in cell["metadata"].get("tags", [])]
    title = notebook["cells"][0]
    lines = "".join(title["source"]).split("\n")
    title["source"] = "\n".join(line for line in lines if not line.startswith("[![Open in Colab]"))
    return notebook


def with_own_scripts(notebook: dict[str, Any]) -> dict[str, Any]:
    """Plotly's figures ask the network for plotly and MathJax, once each; here plotly comes from beside the pages, and MathJax is there."""
    wanted = f'<script src="../_static/{PLOTLY}"></script>'
    for cell in notebook["cells"]:
        for data in (output["data"] for output in cell.get("outputs", []) if "text/html" in output.get("data", {})):
            page, count = REMOTE_SCRIPT.subn("", "".join(data["text/html"]))
            if count:
                data["text/html"], wanted = wanted + page, ""
    return notebook


def filled(path: Path) -> dict[str, Any]:
    """The notebook as committed, with the pages of its explorables below the cells that show them."""
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["outputs"]:
            pages = [page for call in shown("".join(cell["source"])) if (page := page_of(call))]
            cell["outputs"] = [{"output_type": "display_data", "data": {"text/html": page}, "metadata": {}} for page in pages]
    return notebook


def shown(code: str) -> list[ast.Call]:
    """What a cell gives to `explorables.show`."""
    try:
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return []
    names = {"explorables.show", "show"}
    return [word for call in calls if ast.unparse(call.func) in names for word in call.args[:1] if isinstance(word, ast.Call)]


def page_of(call: ast.Call) -> str:
    """The page of `explorables.Name(...)` or `explorables.Name.shipped()`; with arguments that only a running notebook knows, that of its
    usual state; of anything else nothing."""
    from contrastive_lab import explorables

    words = [word for word in ast.unparse(call.func).split(".") if word != "explorables"]
    kind = getattr(explorables, words[0], None)
    if kind is None:
        return ""
    try:
        make = getattr(kind, words[1]) if len(words) > 1 else kind
        values = [ast.literal_eval(word) for word in call.args]
        named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
        return str(make(*values, **named).html())
    except (ValueError, TypeError, AttributeError):
        usual = next((make for make in explorables.EXPLORABLES.values() if getattr(make, "__self__", make) is kind), None)
        return str(usual().html()) if usual else ""


def run(path: Path) -> dict[str, Any]:
    """The notebook executed in the smoke profile."""
    import nbformat
    from nbclient import NotebookClient

    os.environ.setdefault("LAB_PROFILE", "smoke")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=600, allow_errors=True, store_widget_state=False, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    print(f"ran {path.stem}", flush=True)
    return dict(json.loads(nbformat.writes(notebook)))


if __name__ == "__main__":
    sys.exit(main())
