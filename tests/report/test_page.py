"""The page: whole, alone, with words for every figure, and unharmed by hostile names."""

import errno
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_runs import made_up_images, made_up_run

from contrastive_lab.report import build_report, load_records, write_report


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    images = made_up_images()
    folders = [made_up_run(root / name, name, images=images) for name in ("simclr", "dcl")]
    folders.append(made_up_run(root / "none", "simclr", epochs=0, images=images))
    return build_report(load_records(folders))


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))


def without_library(page):
    start = page.index("<script>/**\n* plotly.js") if "<script>/**\n* plotly.js" in page else page.index("* plotly.js")
    return page[:start] + page[page.rindex("<script>") :]


def test_plotly_is_inside_once_and_nothing_points_outside(page):
    assert page.count("* plotly.js v") == 1
    own = without_library(page)
    assert len(own) < 1_000_000
    assert not re.findall(r'(?:src|href)=|url\(\s*["\']?http|@import', own)


def test_every_figure_has_words_twice(page):
    plots = re.findall(r'<div class="plot"[^>]*>', page)
    assert len(plots) >= 12
    assert all(re.search(r'role="img" aria-label="[^"]{25,}"', plot) for plot in plots)
    assert page.count("<summary>In words</summary>") == len(plots) - 1  # the one in three dimensions repeats its panel


def test_all_headline_numbers_are_there(page):
    for head in ("loss", "alignment", "uniformity", "RankMe", "kNN", "linear", "seconds"):
        assert f">{head}</button>" in page
    assert "80.0%" in page
    assert "2 of 2 trained networks beat the untrained one (40.0%)" in page


def test_panels_carry_frames_for_every_epoch_on_one_scale(page):
    data = data_of(page)
    assert [panel["label"] for panel in data["panels"]] == ["simclr", "dcl", "untrained"]
    assert [len(panel["figure"]["frames"]) for panel in data["panels"]] == [7, 7, 1]
    assert len({json.dumps(panel["figure"]["layout"]["xaxis"]["ticktext"]) for panel in data["panels"]}) == 1
    assert data["epochs"] == [0, 1, 2, 3, 4, 5, 6]
    assert all(len(json.dumps(panel["figure"])) < 300_000 for panel in data["panels"])


def test_neighbours_point_at_images_of_the_sheet(page):
    (sheet,) = data_of(page)["sheets"]
    assert set(sheet["runs"]) == {"simclr", "dcl", "untrained"}
    assert all(0 <= i < 60 for run in sheet["runs"].values() for found in run for i in found)


def test_names_cannot_break_the_page(tmp_path):
    evil = "</script><img src=x onerror=alert(1)>"
    folders = [made_up_run(tmp_path / name, evil, epochs=2) for name in ("one", "two")]
    page = build_report(load_records(folders), title=evil)
    assert "<img src=x" not in page
    assert data_of(page)["panels"][0]["label"] == f"{evil} (one)"


def test_runs_with_nothing_but_settings_make_a_page(tmp_path):
    folder = made_up_run(tmp_path / "one", evaluated=False)
    for path in [*folder.glob("snapshots/*"), folder / "history.jsonl", folder / "probe.safetensors"]:
        path.unlink()
    page = build_report(load_records([folder]))
    assert data_of(page)["panels"] == []
    assert "What simclr learned" in page


def test_the_old_report_survives_a_failure(tmp_path):
    output = tmp_path / "report.html"
    output.write_text("old")
    with pytest.raises(ValueError, match="is no run folder"):
        write_report([tmp_path / "nothing"], output)
    assert output.read_text() == "old"
    with pytest.raises(ValueError, match="is a folder"):
        write_report([made_up_run(tmp_path / "one")], tmp_path)
    written = write_report([tmp_path / "one"], tmp_path / "deep" / "er" / "report.html")
    assert written.is_absolute()
    assert not list(written.parent.glob("*.unfinished"))


def test_a_full_disk_leaves_the_old_report_and_no_scraps(tmp_path, monkeypatch):
    folder, output = made_up_run(tmp_path / "one"), tmp_path / "report.html"
    output.write_text("old")

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"could not write report\.html \(No space left on device\)"):
        write_report([folder], output)
    assert output.read_text() == "old"
    assert not list(tmp_path.glob("*.unfinished"))


def test_the_words_ask_for_nothing_that_the_page_lacks(page, tmp_path):
    assert "Predict first: which network has the best alignment" in page
    folder = made_up_run(tmp_path / "one")
    alone = build_report(load_records([folder]))
    assert "which network has the best alignment" not in alone
    assert "colour the marks by other factors" not in alone  # the made-up images have no other factors
    assert 'data-kind="0"' not in alone
    assert "{" not in re.search(r"<h2 id=.moving.*?</p>", alone, re.S).group(0)
    many = made_up_images()
    many = replace(many, factors={"shape": many.labels.flip(0)})
    page = build_report(load_records([made_up_run(tmp_path / "two", images=many)]))
    assert 'data-kind="0"' in page
    assert "colour the marks by other factors" in page
    assert "Let the ticks mean something else" in page
