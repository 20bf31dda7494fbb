"""Sinkhorn step by step in a real browser, from a file, with the network cut."""

import pytest

from contrastive_lab.explorables import Sinkhorn

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    page = open_page(Sinkhorn().html(), height=1100)
    page.wait_for_selector("[data-part=words]:not(:empty)")
    return page


def text(page, part):
    return page.inner_text(f"[data-part={part}]")


def picture(page, part="stage"):
    return page.inner_html(f"[data-part={part}]")


def test_it_paints_within_a_second(opened, paints_within_a_second):
    paints_within_a_second(opened)


def test_controls_are_locked_until_a_prediction(opened):
    assert opened.is_disabled("[data-part=epsilon]")
    assert "Before the first step" in text(opened, "words"), "what three sweeps do is not shown before the prediction"
    opened.check("input[type=radio][value='1']")
    assert opened.is_enabled("[data-part=epsilon]")
    assert opened.inner_text(".answer").startswith("Yes")


def test_sliders_by_keyboard_and_mouse(opened):
    opened.check("input[type=radio][value='0']")
    before, drawn = text(opened, "entropy"), picture(opened)
    opened.focus("[data-part=epsilon]")
    for _ in range(60):
        opened.keyboard.press("ArrowRight")
    assert float(text(opened, "entropy")) > float(before)
    assert picture(opened) != drawn
    box = opened.locator("[data-part=steps]").bounding_box()
    opened.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert "column sums are off by at most" in text(opened, "words")
    opened.focus("[data-part=image]")
    shown = picture(opened, "swap")
    opened.keyboard.press("ArrowRight")
    assert picture(opened, "swap") != shown
    assert text(opened, "image-value") == "2"


def test_half_sweeps_networks_and_breaking(opened):
    opened.check("input[type=radio][value='2']")
    opened.click("[data-part=reset]")
    opened.click("[data-part=step]")
    assert "columns were scaled last" in text(opened, "words")
    assert text(opened, "masses") == "2.00 … 2.00"
    opened.click("[data-part=step]")
    assert "rows were scaled last" in text(opened, "words")
    opened.click("[data-part=net-untrained]")
    assert opened.get_attribute("[data-part=net-untrained]", "aria-pressed") == "true"
    opened.click("[data-part=collapse]")
    assert text(opened, "used") == "1"
    assert float(text(opened, "loss")) < 0.1
