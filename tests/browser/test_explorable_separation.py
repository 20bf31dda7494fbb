"""The page of the leak dial in a browser, opened from a file with the network blocked."""

import re

import pytest

from contrastive_lab.explorables import LeakDial

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium, tmp_path):
    file = tmp_path / "separation.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><title>separation</title><body>{LeakDial.shipped().html()}", "utf-8")
    page, troubles, asked = chromium.new_page(viewport={"width": 900, "height": 900}), [], []
    page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.route(re.compile("^(?!file:|data:)"), lambda route: (asked.append(route.request.url), route.abort()))
    page.goto(file.as_uri())
    yield page
    assert not troubles
    assert not asked
    page.close()


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_predicts_moves_and_breaks(opened):
    opened.wait_for_function("performance.getEntriesByType('paint').length > 0", timeout=5000)
    assert opened.evaluate("performance.getEntriesByType('paint')[0].startTime") < 1000
    assert part(opened, "lambda").is_disabled()
    opened.locator("input[type=radio]").nth(1).check()
    assert "Yes" in opened.locator(".answer").inner_text()
    start, number, picture = part(opened, "words").inner_text(), part(opened, "p0").inner_text(), part(opened, "common").inner_html()
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
