"""Vital signs beside another explorable, from a file with the network blocked: hovering an epoch moves both."""

import os

import pytest

from contrastive_lab.explorables import ModalityGap, VitalSigns

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(VitalSigns.shipped().html() + ModalityGap().html(), height=1300)


def strip(page, name):
    return page.locator(f'#clab-vitals [data-part="{name}"]').first


def unlock(page):
    for fieldset in page.locator("fieldset").all():
        fieldset.locator("input[type=radio]").first.check()


def test_it_paints_at_once_and_waits_for_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert strip(opened, "epoch").is_disabled()
    opened.locator("#clab-vitals input[type=radio]").first.check()
    assert "Look again" in opened.locator("#clab-vitals .answer").inner_text()
    assert strip(opened, "epoch").is_enabled()


def test_keys_move_numbers_cursors_and_the_other_picture(opened):
    unlock(opened)
    words, curve = strip(opened, "words").inner_text(), strip(opened, "strips").inner_html()
    other = opened.locator('#clab-modality-gap [data-part="epoch"], [data-part="epoch"]').last
    before = other.input_value()
    strip(opened, "epoch").focus()
    for _ in range(int(strip(opened, "epoch").input_value())):
        opened.keyboard.press("ArrowLeft")
    assert strip(opened, "words").inner_text() != words
    assert strip(opened, "strips").inner_html() != curve
    assert strip(opened, "epoch-value").inner_text() == "0"
    assert other.input_value() == other.get_attribute("min") != before


def test_hovering_a_curve_tells_the_page(opened):
    unlock(opened)
    opened.evaluate("document.addEventListener('clab:epoch', (event) => { window.told = event.detail; })")
    curve = opened.locator("#clab-vitals .sign svg").first
    curve.scroll_into_view_if_needed()
    box = curve.bounding_box()
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    told = opened.evaluate("window.told")
    assert told["source"] == "clab-vitals"
    assert 0 < told["epoch"] < told["last"]
    assert strip(opened, "epoch-value").inner_text() == str(told["epoch"])


def test_the_broken_run_appears_with_its_red_lamps(opened):
    unlock(opened)
    card = opened.locator("#clab-vitals .strip").last
    assert card.is_hidden()
    strip(opened, "collapse").click()
    assert card.is_visible()
    assert "complete collapse" in card.inner_text()
    assert card.locator("b.ill").count() >= 2
    if folder := os.environ.get("LAB_SCREENSHOTS"):
        opened.screenshot(path=f"{folder}/vitals.png", full_page=True)
    strip(opened, "reset").click()
    assert card.is_hidden()
