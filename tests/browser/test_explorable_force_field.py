"""CACR's force field in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.explorables import ForceField

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(ForceField().html(), height=1000)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "tpos").is_disabled()
    opened.locator("input[type=radio]").first.check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "tpos").is_enabled()


def test_sliders_by_keyboard_and_mouse_change_numbers_and_picture(opened):
    opened.locator("input[type=radio]").nth(2).check()
    assert "Yes" in opened.locator(".answer").inner_text()
    effective, picture = float(part(opened, "effpos").inner_text()), part(opened, "stage").inner_html()
    part(opened, "tpos").focus()
    for _ in range(20):
        opened.keyboard.press("ArrowRight")
    assert part(opened, "tpos-value").inner_text() == "3.0"
    assert float(part(opened, "effpos").inner_text()) < effective
    assert part(opened, "stage").inner_html() != picture
    bars, box = part(opened, "bars").inner_html(), part(opened, "tneg").bounding_box()
    opened.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert float(part(opened, "tneg-value").inner_text()) > 11
    assert part(opened, "bars").inner_html() != bars


def test_points_can_be_dragged_and_moved_by_arrow_keys(opened):
    opened.locator("input[type=radio]").nth(2).check()
    point = opened.locator(".point").nth(5)
    point.focus()
    angle = point.get_attribute("aria-valuenow")
    opened.keyboard.press("ArrowUp")
    assert point.get_attribute("aria-valuenow") != angle
    box, before = point.bounding_box(), part(opened, "words").inner_text()
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(box["x"] - 150, box["y"] + 150, steps=4)
    opened.mouse.up()
    assert part(opened, "words").inner_text() != before


def test_buttons_false_negative_detached_and_both_ways_to_break_it(opened):
    opened.locator("input[type=radio]").nth(2).check()
    start = part(opened, "words").inner_text()
    part(opened, "false").click()
    assert "−1 has" in part(opened, "words").inner_text()
    part(opened, "attached").click()
    assert part(opened, "attached").get_attribute("aria-pressed") == "false"
    assert "No negative pulls" in part(opened, "words").inner_text()
    part(opened, "flat").click()
    assert "plain contrast" in part(opened, "words").inner_text()
    assert part(opened, "effneg").inner_text() == "8.0"
    part(opened, "collapse").click()
    assert "Nothing moves" in part(opened, "words").inner_text()
    part(opened, "reset").click()
    assert part(opened, "words").inner_text() == start
