"""Crops that are dragged and cells that propagate, in a real browser, from a file, with the network cut."""

import pytest

from contrastive_lab.explorables import Correspondence, Propagation

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page, paints_within_a_second):
    """Opens an explorable and unlocks it."""

    def unlocked(explorable):
        page = open_page(explorable.html(), height=1100)
        page.wait_for_selector("[data-part=words]:not(:empty)")
        paints_within_a_second(page)
        assert page.is_disabled("input[type=range] >> nth=0")
        page.check("input[type=radio][value='0']")
        return page

    return unlocked


def text(page, part):
    return page.inner_text(f"[data-part={part}]")


def picture(page, part):
    return page.inner_html(f"[data-part={part}]")


def test_frames_move_by_keyboard_and_mouse(opened):
    page = opened(Correspondence())
    before, drawn = text(page, "matched"), picture(page, "crops")
    frame = page.locator("[data-part=stage] .point").nth(1)
    frame.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert text(page, "matched") != before
    assert picture(page, "crops") != drawn
    moved = text(page, "matched-note")
    page.keyboard.press("Shift+ArrowLeft")
    assert text(page, "matched-note") != moved
    box = page.locator("[data-part=stage]").bounding_box()
    here = text(page, "matched-note")
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.mouse.up()
    assert text(page, "matched-note") != here


def test_threshold_cells_and_mirrors(opened):
    page = opened(Correspondence())
    page.click("[data-part=same]")
    assert text(page, "count") == "36"
    page.focus("[data-part=threshold]")
    page.keyboard.press("ArrowRight")
    assert text(page, "threshold-value") == "0.71"
    assert int(text(page, "count")) > 100
    before = text(page, "words")
    page.locator("[data-part=crops]").click(position={"x": 20, "y": 40})
    assert text(page, "words") != before
    page.click("[data-part=reset]")
    count = text(page, "count")
    page.click("[data-part=collapse]")
    assert text(page, "count") == count
    assert "no error tells" in text(page, "words")
    page.click("[data-part=flip2]")
    assert text(page, "right") == "100 %"
    page.click("[data-part=apart]")
    assert text(page, "count") == "0"


def test_propagation_by_keyboard_and_mouse(opened):
    page = opened(Propagation())
    drawn, listened = picture(page, "stage"), float(text(page, "listened"))
    page.focus("[data-part=gamma]")
    page.keyboard.press("End")
    assert float(text(page, "listened")) < listened
    assert picture(page, "stage") != drawn
    cell = text(page, "query-value")
    page.locator("[data-part=stage]").click(position={"x": 30, "y": 60})
    assert text(page, "query-value") != cell
    page.click("[data-part=net-pixpro]")
    assert text(page, "words").startswith("PixPro")
    page.click("[data-part=collapse]")
    assert text(page, "gamma-value") == "0.05"
    page.click("[data-part=scene]")
    assert "row" in text(page, "query-value")
