"""Who may import whom: the arrows of the house, held by reading every import of the package, also those inside functions."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "contrastive_lab"
FILES = sorted(PACKAGE.rglob("*.py"))

# Outermost last. A part may import the parts named here and itself, nothing else.
ALLOWED: dict[str, set[str]] = {
    "threads": set(),
    "contrast": set(),
    "gather": set(),
    "tiled": {"contrast"},
    "data": set(),
    "networks": set(),
    "views": set(),
    "measures": set(),
    "figures": set(),
    "methods": {"contrast", "gather", "tiled", "networks", "views"},
    # `networks`: the loop makes the backbone; `gather`: one number out of several processes.
    "training": {"methods", "views", "data", "measures", "networks", "gather"},
    "runs": {"training", "methods", "measures"},
    "diagnosis": {"measures"},
    "experiments": {"training", "measures", "data", "methods"},
    # `views`: the explorable of alignment makes the two views of every strength.
    "explorables": {"figures", "measures", "methods", "contrast", "data", "runs", "diagnosis", "views"},
    "exercises": {"methods", "contrast", "measures", "data", "views", "figures"},
    "report": {"figures", "measures", "data", "runs", "diagnosis", "explorables"},
}
# What learners and terminals touch may import everything, one another included.
SURFACE = {"cli", "demo", "doctor", "lab", "__main__"}

# jaxtyping and the standard library are free everywhere; parts that are not listed may use whatever pyproject.toml declares.
THIRD_PARTY: dict[str, set[str]] = {
    "threads": set(),
    "contrast": {"torch"},
    "gather": {"torch"},
    "tiled": {"torch"},
    "measures": {"torch", "numpy", "scipy", "sklearn", "umap"},
    "figures": {"numpy", "plotly", "matplotlib", "IPython"},
    # PIL decodes photographs, scikit-learn brings digits and two photographs, tqdm shows the download.
    "data": {"torch", "torchvision", "numpy", "PIL", "sklearn", "tqdm"},
    "networks": {"torch", "torchvision"},
    "views": {"torch", "torchvision"},
    "methods": {"torch"},
}

# Import name of a package -> its name in pyproject.toml, where they differ; None comes with another declared package.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow", "umap": "umap-learn", "IPython": "ipywidgets", "lightning": None}


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path, *, lazy: bool = True) -> Iterator[str]:
    """Dotted names that a file imports; without `lazy` only those that run when the file is imported."""
    queue: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}:{node.lineno} imports relatively; name the module in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or typing_only(node)
        if lazy or not inner:
            queue.extend(ast.iter_child_nodes(node))


def typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def inside(name: str) -> list[str]:
    """Parts of a dotted name below contrastive_lab; empty for other packages and for names of contrastive_lab itself."""
    head, *rest = name.split(".")
    is_part = bool(rest) and ((PACKAGE / rest[0]).is_dir() or (PACKAGE / f"{rest[0]}.py").is_file())
    return rest if head == "contrastive_lab" and is_part else []


@pytest.mark.parametrize("file", [pytest.param(f, id=str(f.relative_to(PACKAGE))) for f in FILES])
def test_arrows(file):
    part = part_of(file)
    if part in SURFACE or part == "__init__":
        return
    assert part in ALLOWED, f"{part} has no arrows yet; add them to ALLOWED and say why"
    targets = {inner[0] for name in imports(file) if (inner := inside(name))} - {part}
    assert targets <= ALLOWED[part], f"{part} imports {sorted(targets - ALLOWED[part])}, but may only import {sorted(ALLOWED[part])}"


def test_the_package_itself_imports_threads_alone():
    assert {inner[0] for name in imports(PACKAGE / "__init__.py") if (inner := inside(name))} == {"threads"}


def test_the_arrows_make_no_circle():
    order = list(TopologicalSorter(ALLOWED).static_order())
    assert set(order) == set(ALLOWED)


@pytest.mark.parametrize("part", sorted(THIRD_PARTY))
def test_third_party_packages_of_a_part(part):
    files = [file for file in FILES if part_of(file) == part]
    used = {name.split(".")[0] for file in files for name in imports(file)} - sys.stdlib_module_names - {"contrastive_lab", "jaxtyping"}
    assert used <= THIRD_PARTY[part], f"{part} uses {sorted(used - THIRD_PARTY[part])}"


def test_every_third_party_package_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = " ".join([*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)])
    used = {name.split(".")[0] for file in FILES for name in imports(file)} - sys.stdlib_module_names - {"contrastive_lab"}
    for name in sorted(used):
        distribution = DISTRIBUTIONS.get(name, name.replace("_", "-"))
        assert distribution is None or f"{distribution}>=" in declared, f"{name} is imported but {distribution} is not in pyproject.toml"


def test_no_two_files_need_each_other_to_be_imported():
    """Only imports that run at import time can close a circle."""
    module = {file: ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in FILES}
    known = set(module.values())

    def target(name: str) -> str | None:
        parent = name.rpartition(".")[0]
        return name if name in known else parent if parent in known else None

    graph = {module[file]: {found for name in imports(file, lazy=False) if (found := target(name))} - {module[file]} for file in FILES}
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("file", [pytest.param(f, id=str(f.relative_to(PACKAGE))) for f in FILES])
def test_files_are_short_and_named_after_their_idea(file):
    assert file.stem not in {"utils", "util", "helpers", "misc", "common"}
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= 350, f"{file.name} has {lines} lines; is there more than one idea in it?"


@pytest.mark.parametrize(
    ("source", "lazy", "names"),
    [
        ("import a.b", True, ["a.b"]),
        ("from a.b import c", True, ["a.b.c"]),
        ("def f():\n    import a", True, ["a"]),
        ("def f():\n    import a", False, []),
        ("if TYPE_CHECKING:\n    import a", False, []),
        ("try:\n    import a\nexcept ImportError:\n    import b", False, ["b", "a"]),
    ],
)
def test_the_reader_of_imports_itself(tmp_path, source, lazy, names):
    file = tmp_path / "file.py"
    file.write_text(source)
    assert sorted(imports(file, lazy=lazy)) == sorted(names)
