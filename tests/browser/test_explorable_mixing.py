"""The map of mixtures in a browser, opened from a file with the network blocked."""

import re

import pytest

from contrastive_lab.explorables import Mixing

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(Mixing().html(), height=1000)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def number(page, name):
    return float(re.findall(r"[\d.]+", part(page, name).inner_text())[0])


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "beta").is_disabled()
    opened.locator("input[type=radio]").first.check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "beta").is_enabled()


def test_sliders_by_keyboard_and_mouse_change_numbers_and_picture(opened):
    opened.locator("input[type=radio]").nth(1).check()
    loss, picture = number(opened, "loss"), part(opened, "stage").inner_html()
    part(opened, "beta").focus()
    opened.keyboard.press("End")
    assert part(opened, "beta-value").inner_text() == "0.50"
    assert number(opened, "loss") > loss
    assert part(opened, "stage").inner_html() != picture
    box = part(opened, "s").bounding_box()
    opened.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert part(opened, "s-value").inner_text() == "0"
    assert opened.locator("path.pair").count() == 0
    part(opened, "t").focus()
    opened.keyboard.press("Home")
    assert "this is MoCo" in part(opened, "words").inner_text()


def test_oracle_break_and_reset(opened):
    opened.locator("input[type=radio]").nth(1).check()
    part(opened, "oracle").click()
    assert part(opened, "falsepush").inner_text() == "0 %"
    assert part(opened, "oracle").get_attribute("aria-pressed") == "true"
    part(opened, "collapse").click()
    assert part(opened, "oracle").get_attribute("aria-pressed") == "false", "an oracle would leave out what is broken"
    assert part(opened, "false").inner_text() == "100 %"
    assert "Broken" in part(opened, "words").inner_text()
    part(opened, "reset").click()
    assert "Broken" not in part(opened, "words").inner_text()
