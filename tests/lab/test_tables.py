"""Tables as notebooks show them: a claim fits the page, no column loses its title, and a page reads each cell with both its names."""

import pytest

from contrastive_lab import lab
from contrastive_lab.lab.tables import HEADING, as_html, as_text, stacked, table

PAGE = 135
"""Characters of a line in JupyterLab in a window of 1,250 pixels; longer ones break and spoil a table."""

CLAIMS = lab.results.read("claims-verdicts")["claims"]


@pytest.mark.parametrize("name", CLAIMS)
def test_no_line_of_a_claim_is_wider_than_the_page(name, capsys):
    lab.claim(name)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= PAGE


def test_long_titles_are_stacked_word_for_word_and_end_beside_the_numbers():
    titles = ("knn", "false negatives among hardest", "segmentation_recall")
    lines = stacked(titles)
    assert [" ".join(part for part in column if part) for column in zip(*lines, strict=True)] == list(titles)
    assert lines[-1] == ["knn", "among hardest", "segmentation_recall"]
    assert all(len(part) <= HEADING or " " not in part for line in lines for part in line)


def test_text_is_aligned_under_titles_of_several_lines():
    text = as_text(["kNN", "share of the hardest"], {"one": ["0.5", "1.25"], "second": ["12.5", ""]})
    assert text.splitlines() == [
        "              share of the",
        "         kNN       hardest",
        "one      0.5          1.25",
        "second  12.5              ",
    ]


def test_a_column_that_only_some_rows_have_is_empty_in_the_others(capsys):
    table({"ours": [{"knn": 0.5}, {"knn": 0.7}], "theirs": [{"knn": 0.6, "linear": 0.8}]}, ["knn", "linear"])
    ours, theirs = capsys.readouterr().out.splitlines()[-2:]
    assert (ours.split(), theirs.split()) == (["ours", "0.60", "±", "0.14"], ["theirs", "0.60", "0.80"])


def test_a_column_that_no_row_has_is_named():
    with pytest.raises(ValueError, match="columns has 'knm', but the rows have knn"):
        table({"ours": [{"knn": 0.5}]}, ["knn", "knm"])


def test_a_column_that_some_seeds_of_a_row_lack_is_an_error():
    with pytest.raises(KeyError, match="linear"):
        table({"ours": [{"knn": 0.5}, {"knn": 0.5, "linear": 0.8}]}, ["linear"])


def test_columns_without_room_follow_below_behind_the_same_names():
    titles = [f"measure {number}" for number in range(12)]
    first, second = as_text(titles, {"one": ["0.500 ± 0.001"] * 12, "two": ["1"] * 12}).split("\n\n")
    assert max(map(len, [*first.splitlines(), *second.splitlines()])) <= PAGE
    assert [line.split()[0] for line in second.splitlines()[1:]] == ["one", "two"]
    assert [int(number) for line in (first, second) for number in line.splitlines()[0].replace("measure", "").split()] == [*range(12)]


def test_a_page_gets_headers_for_rows_and_columns_and_no_markup_from_names():
    page = as_html(["a < b"], {"x & y": ["<1"]})
    assert page.count('scope="col"') == page.count('scope="row"') == 1
    assert "a &lt; b" in page
    assert "x &amp; y" in page
    assert "&lt;1</td>" in page
    assert "overflow-x:auto" in page


def test_what_stands_in_a_notebook_is_a_table_with_its_text(monkeypatch):
    shown = []
    monkeypatch.setattr("contrastive_lab.lab.tables.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append((bundle, raw)))
    lab.table({"run": [{"knn": 0.5}, {"knn": 0.7}]}, {"knn": "kNN"})
    [(bundle, raw)] = shown
    assert raw
    assert "0.60 ± 0.14" in bundle["text/plain"]
    assert "0.60 ± 0.14</td>" in bundle["text/html"]
