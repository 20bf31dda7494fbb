"""The page of the leak dial in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.explorables import LeakDial

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(LeakDial.shipped().html(), height=900)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_predicts_moves_and_breaks(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "lambda").is_disabled()
    opened.locator("input[type=radio]").nth(1).check()
    assert "Yes" in opened.locator(".answer").inner_text()
    start, picture = part(opened, "words").inner_text(), part(opened, "common").inner_html()
    assert part(opened, "epoch-value").inner_text() == "0", "where training leads is not shown before the prediction"
    part(opened, "epoch").focus()
    opened.keyboard.press("End")
    assert "targets 2." in part(opened, "words").inner_text()
    number = part(opened, "p0").inner_text()
    part(opened, "lambda").focus()
    opened.keyboard.press("ArrowRight")
    assert "λ = 10" in part(opened, "name").inner_text()
    assert part(opened, "p0").inner_text() != number
    assert part(opened, "common").inner_html() != picture
    salient, box = part(opened, "salient").inner_html(), part(opened, "epoch").bounding_box()
    opened.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert part(opened, "epoch-value").inner_text() == "0"
    assert part(opened, "salient").inner_html() != salient
    part(opened, "broken").click()
    assert "no background set" in part(opened, "words").inner_text()
    part(opened, "colour").click()
    assert "patch of targets" in part(opened, "words").inner_text()
    part(opened, "reset").click()
    assert part(opened, "words").inner_text() == start
