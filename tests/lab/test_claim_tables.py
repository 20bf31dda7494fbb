"""A claim as a notebook prints it: it fits the page, and no column loses its title."""

import pytest

from contrastive_lab import lab
from contrastive_lab.lab.claims import HEADING, stacked

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
