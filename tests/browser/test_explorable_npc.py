"""The page of the NPC multiplier in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.explorables import Npc

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(Npc().html(), height=1000)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "batch").is_disabled()
    opened.locator("input[type=radio]").first.check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "batch").is_enabled()


def test_sliders_by_keyboard_and_mouse_change_numbers_and_picture(opened):
    opened.locator("input[type=radio]").nth(2).check()
    assert "Yes" in opened.locator(".answer").inner_text()
    mean, picture = float(part(opened, "mean").inner_text()), part(opened, "stage-picture").inner_html()
    part(opened, "batch").focus()
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("ArrowLeft")
    assert part(opened, "batch-value").inner_text() == "8"
    assert float(part(opened, "mean").inner_text()) < mean
    assert part(opened, "stage-picture").inner_html() != picture
    curve, box = part(opened, "curve").inner_html(), part(opened, "tau").bounding_box()
    opened.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert float(part(opened, "tau-value").inner_text()) > 0.9
    assert part(opened, "curve").inner_html() != curve


def test_buttons_go_to_the_largest_batch_break_it_and_come_back(opened):
    opened.locator("input[type=radio]").nth(2).check()
    start = part(opened, "words").inner_text()
    part(opened, "large").click()
    assert part(opened, "batch-value").inner_text() == "512"
    part(opened, "collapse").click()
    assert float(part(opened, "mean").inner_text()) < 0.1
    part(opened, "reset").click()
    assert part(opened, "words").inner_text() == start
