"""What the static book is made of, without building it."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def book():
    spec = importlib.util.spec_from_file_location("book", ROOT / "scripts" / "book.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cells_that_show_an_explorable_get_its_page(book):
    (call,) = book.shown("from contrastive_lab import explorables\nexplorables.show(explorables.Circle(temperature=0.2))")
    page = book.page_of(call)
    assert 'id="clab-circle"' in page
    assert '"temperature":0.2' in page
    assert book.shown("print(1)") == []
    assert book.shown("%matplotlib inline") == []


def test_arguments_of_a_running_notebook_give_the_usual_state_and_unknown_things_nothing(book):
    def call(text):
        return ast.parse(text, mode="eval").body

    assert 'id="clab-vitals"' in book.page_of(call("explorables.VitalSigns.shipped()"))
    assert 'id="clab-vitals"' in book.page_of(call("explorables.VitalSigns({'mine': run})"))
    assert book.page_of(call("explorables.Nothing()")) == ""


def test_explorables_of_the_notebooks_have_pages_in_the_book(book):
    """Those made in the cell that shows them; what a variable holds is the reader's own and needs a kernel."""
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        cells = [cell for cell in book.filled(path)["cells"] if cell["cell_type"] == "code"]
        tagged = [cell for cell in cells if "explorable" in cell["metadata"].get("tags", [])]
        for cell in tagged:
            assert len(cell["outputs"]) == len(book.shown("".join(cell["source"]))), f"{path.name}: {''.join(cell['source'])}"
        assert not tagged or any(cell["outputs"] for cell in tagged), f"{path.name} has no page at all"


def test_figures_of_an_executed_notebook_take_plotly_from_beside_the_pages(book):
    from contrastive_lab import figures

    page = figures.new_figure().to_html(include_plotlyjs="cdn", include_mathjax="cdn", full_html=False)
    assert 'src="https://' in page
    cells = [{"outputs": [{"output_type": "display_data", "data": {"text/html": page}}]} for _ in range(2)]
    first, second = (cell["outputs"][0]["data"]["text/html"] for cell in book.with_own_scripts({"cells": cells})["cells"])
    assert 'src="https://' not in first + second
    assert first.startswith('<script src="../_static/plotly.min.js">')
    assert "plotly.min.js" not in second, "once for each page is enough"
    assert "Plotly.newPlot" in second


def test_contents_name_every_page(book):
    text = book.contents([Path("00_start_here.ipynb")])
    assert "notebooks/00_start_here" in text
    assert all(path.stem in text for path in DOCS.glob("*.md") if path.stem != "index")


def test_references_say_where_each_paper_is():
    rows = [line for line in (DOCS / "references.md").read_text("utf-8").splitlines() if re.match(r"\| (?!---|method|subject|set)", line)]
    assert len(rows) > 20
    found = [row for row in rows if re.search(r"arXiv:\d{4}\.\d{4,5}\]\(https://arxiv\.org/abs/\d{4}\.\d{4,5}\)|doi:10\.", row)]
    assert len(found) >= len(rows) - 2, "all but two data sets have a number"
    for number, link in re.findall(r"arXiv:([\d.]+)\]\(https://arxiv\.org/abs/([\d.]+)\)", "\n".join(rows)):
        assert number == link


def test_every_method_has_its_paper_among_the_references():
    from contrastive_lab.methods import METHODS

    text = (DOCS / "references.md").read_text("utf-8")
    for method in METHODS.values():
        for number in re.findall(r"\d{4}\.\d{5}", method.paper):
            assert number in text, f"docs/references.md needs a row for {method.title}, arXiv:{number}"


def test_the_glossary_is_in_order():
    terms = re.findall(r"^(?![ `#])(.+)$", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(terms) > 30
    assert terms == sorted(terms, key=str.lower)
