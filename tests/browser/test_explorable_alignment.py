"""The page of alignment in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.explorables import Alignment

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(Alignment.shipped().html(), height=900)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "strength").is_disabled()
    opened.locator("input[type=radio]").first.check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "strength").is_enabled()


def test_strength_by_keyboard_and_mouse_parts_the_twins(opened):
    opened.locator("input[type=radio]").nth(2).check()
    assert "Yes" in opened.locator(".answer").inner_text()
    value, picture = float(part(opened, "alignment").inner_text()), part(opened, "twins").inner_html()
    part(opened, "strength").focus()
    opened.keyboard.press("ArrowRight")
    assert part(opened, "strength-value").inner_text() == "3 of 5"
    assert float(part(opened, "alignment").inner_text()) > value
    assert part(opened, "twins").inner_html() != picture
    dots, box = part(opened, "dots").inner_html(), part(opened, "encoder").bounding_box()
    opened.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert "raw pixels" in part(opened, "name").inner_text()
    assert part(opened, "dots").inner_html() != dots


def test_a_bar_chooses_its_pairs_and_buttons_break_and_reset(opened):
    opened.locator("input[type=radio]").nth(2).check()
    start, pairs = part(opened, "words").inner_text(), part(opened, "twins").inner_html()
    opened.locator('[data-part="bars"] rect[fill="transparent"]').nth(4).click()
    assert part(opened, "twins").inner_html() != pairs
    part(opened, "collapse").click()
    assert "alignment only" in part(opened, "words").inner_text()
    assert float(part(opened, "alignment").inner_text()) < 0.02
    part(opened, "reset").click()
    assert part(opened, "words").inner_text() == start
