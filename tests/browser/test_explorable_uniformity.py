"""The circle in a real browser, from a file, with the network cut: sliders by keyboard and mouse, ties, and 64 dimensions."""

import pytest

from contrastive_lab.explorables import Uniformity
from contrastive_lab.figures import Track

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page):
    return open_page(Uniformity(yours=Track([0, 1], [0.1, 0.4], [-0.2, -2.0])).html("here"), height=900)


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def unlock(page):
    page.locator("fieldset input").nth(1).check()


def test_the_first_paint_comes_within_a_second(page, paints_within_a_second):
    paints_within_a_second(page)
    assert part(page, "stage").locator("circle[data-point]").count() == 150


def test_temperature_and_epoch_move_by_keyboard_and_mouse(page):
    assert part(page, "tau").is_disabled()
    unlock(page)
    part(page, "tau").focus()
    page.keyboard.press("Home")
    assert "τ = 0.05" in part(page, "words").inner_text()
    before = part(page, "stage").inner_html()
    page.keyboard.press("ArrowRight")
    assert part(page, "tau-value").inner_text() == "0.1"
    assert part(page, "stage").inner_html() != before
    box = part(page, "epoch").bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert "epoch 0" in part(page, "words").inner_text()


def test_the_kernel_can_be_tied_to_the_temperature(page):
    unlock(page)
    part(page, "tau").focus()
    page.keyboard.press("Home")
    part(page, "tie").click()
    assert part(page, "t-value").inner_text() == "10.00"
    part(page, "stage").focus()
    before = part(page, "stage").inner_html()
    page.keyboard.press("ArrowRight")
    assert part(page, "stage").inner_html() != before


def test_break_it_puts_all_points_in_one_place_and_64_dimensions_show_your_run(page):
    unlock(page)
    part(page, "collapse").click()
    assert "nearly the same place" in part(page, "words").inner_text()
    assert part(page, "forbidden").locator("line").count() > 0
    part(page, "dims").click()
    assert "64 dimensions" in part(page, "words").inner_text()
    assert "your run" in part(page, "plane").text_content()
    part(page, "reset").click()
    assert "The circle" in part(page, "words").inner_text()
