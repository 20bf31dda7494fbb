"""The dial in a real browser, from a file, with the network cut: it unlocks, turns by keyboard and mouse, and breaks."""

import re
import time

import pytest

from contrastive_lab.explorables import Collapse

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page):
    return open_page(Collapse().html("here"), height=900)


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def unlock(page):
    page.locator("fieldset input").nth(1).check()


def hill(page):
    return float(re.search(r"([\d.]+) of \d+ directions", part(page, "words").inner_text())[1])


def test_the_first_paint_comes_within_a_second(page, paints_within_a_second):
    paints_within_a_second(page)
    assert part(page, "spectrum").locator("polyline").count() >= 1


def test_controls_unlock_after_a_prediction_and_the_dial_turns_by_keyboard(page):
    assert part(page, "dial").is_disabled()
    unlock(page)
    before, picture = hill(page), part(page, "spectrum").inner_html()
    part(page, "dial").focus()
    page.keyboard.press("End")
    assert part(page, "dial-value").inner_text() == "∞"
    assert hill(page) < before
    assert part(page, "spectrum").inner_html() != picture
    page.keyboard.press("Home")
    assert hill(page) > before


def test_the_mouse_moves_a_slider_and_squashes_the_spectrum(page):
    unlock(page)
    box = part(page, "samples").bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    assert "every rank is too low" in part(page, "words").inner_text()
    part(page, "reset").click()
    before = part(page, "rankme-note").inner_text()
    box = part(page, "spectrum").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    assert part(page, "rankme-note").inner_text() != before
    assert part(page, "factor-value").inner_text().startswith("10^")


def test_break_it_lights_the_first_lamp_and_other_encoders_can_be_chosen(page):
    unlock(page)
    assert "good" in part(page, "lamp1").inner_text()
    part(page, "collapse").click()
    assert "bad" in part(page, "lamp1").inner_text()
    assert "alignment only" in part(page, "words").inner_text()
    part(page, "encoders").locator("button").first.click()
    assert "untrained" in part(page, "words").inner_text()
    part(page, "layer").click()
    assert "representation" in part(page, "words").inner_text()


def test_no_variance_of_any_encoder_is_cut_off_at_the_top(page):
    unlock(page)
    for _ in range(2):
        part(page, "layer").click()
        for encoder in part(page, "encoders").locator("button").all():
            encoder.click()
            points = part(page, "spectrum").locator("polyline").last.get_attribute("points").split()
            first, second = (float(point.split(",")[1]) for point in points[:2])
            assert 0.05 < first < second, encoder.inner_text()


def test_a_slider_paints_quickly(page):
    unlock(page)
    took = page.evaluate(
        """() => { const node = document.querySelector('[data-part="dial"]'), began = performance.now();
        for (let k = 0; k < 20; k++) { node.value = 20 + k; node.dispatchEvent(new Event('input')); }
        return (performance.now() - began) / 20; }"""
    )
    assert took < 100, f"{took} ms per step at {time.strftime('%X')}"
