"""The modality gap's page in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.explorables import ModalityGap

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(ModalityGap().html(), height=1200)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "epoch").is_disabled()
    opened.locator("input[type=radio]").first.check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "epoch").is_enabled()


def test_sliders_by_keyboard_and_mouse_change_numbers_and_picture(opened):
    opened.locator("input[type=radio]").nth(2).check()
    gap, dots = part(opened, "gap").inner_text(), part(opened, "stage").inner_html()
    part(opened, "share").focus()
    for _ in range(10):
        opened.keyboard.press("ArrowRight")
    assert part(opened, "share-value").inner_text() == "100 %"
    assert float(part(opened, "gap").inner_text()) < 0.4 * float(gap)
    assert part(opened, "stage").inner_html() != dots
    box = part(opened, "epoch").bounding_box()
    opened.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert part(opened, "epoch-value").inner_text() == "0"
    assert "epoch 0" in part(opened, "words").inner_text()


def test_buttons_close_break_play_and_switch(opened):
    opened.locator("input[type=radio]").nth(2).check()
    part(opened, "close").click()
    assert part(opened, "share-value").inner_text() == "100 %"
    part(opened, "collapse").click()
    assert float(part(opened, "gap").inner_text()) > 1
    part(opened, "play").click()
    opened.wait_for_function("document.querySelector('[data-part=epoch-value]').textContent !== '0'", timeout=5000)
    part(opened, "reset").click()
    words = part(opened, "words").inner_text()
    part(opened, "run-sketch").click()
    assert part(opened, "words").inner_text() != words
    assert part(opened, "run-sketch").get_attribute("aria-pressed") == "true"


def test_the_toy_finds_its_tilt(opened):
    opened.locator("input[type=radio]").nth(2).check()
    part(opened, "best").click()
    assert part(opened, "tilt-value").inner_text() == "0°"
    part(opened, "scale").focus()
    opened.keyboard.press("End")
    part(opened, "best").click()
    assert int(part(opened, "tilt-value").inner_text().rstrip("°")) > 60
    part(opened, "right").click()
    assert "lowest" in part(opened, "toy-words").inner_text()


def test_with_reduced_motion_nothing_plays(chromium, tmp_path):
    file = tmp_path / "gap.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><body>{ModalityGap().html()}", "utf-8")
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator("input[type=radio]").nth(2).check()
    part(page, "collapse").click()
    part(page, "play").click()
    assert part(page, "epoch-value").inner_text() != "0"
    context.close()
