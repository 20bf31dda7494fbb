"""The page of object locality in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.data import scenes
from contrastive_lab.experiments.claims.dense import matched
from contrastive_lab.explorables import ObjectLocality
from contrastive_lab.training import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(ObjectLocality.shipped().html(), height=1000)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def maps(page):
    return part(page, "row").inner_html()


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "theta").is_disabled()
    opened.locator("input[type=radio]").nth(1).check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "theta").is_enabled()


def test_the_query_moves_by_mouse_and_arrow_keys(opened):
    opened.locator("input[type=radio]").first.check()
    assert "Yes" in opened.locator(".answer").inner_text()
    words, picture = part(opened, "words").inner_text(), maps(opened)
    box = part(opened, "stage").bounding_box()
    opened.mouse.click(box["x"] + 0.05 * box["width"], box["y"] + 0.95 * box["height"])
    assert "row 10, column 1" in part(opened, "words").inner_text() != words
    assert maps(opened) != picture
    part(opened, "stage").focus()
    opened.keyboard.press("ArrowUp")
    opened.keyboard.press("ArrowRight")
    assert "row 9, column 2" in part(opened, "words").inner_text()


def test_words_of_the_plane_stay_inside_it(opened):
    inside = "node => [...node.querySelectorAll('text')].every((t) => t.getBBox().x + t.getBBox().width <= node.viewBox.baseVal.width)"
    assert part(opened, "plane").evaluate(inside)


def test_sliders_by_keyboard_and_mouse_change_numbers_and_maps(opened):
    opened.locator("input[type=radio]").first.check()
    for name in ("theta", "image", "moment"):
        before, value = maps(opened), part(opened, f"{name}-value").inner_text()
        part(opened, name).focus()
        opened.keyboard.press("ArrowLeft" if name != "image" else "ArrowRight")
        assert part(opened, f"{name}-value").inner_text() != value
        assert maps(opened) != before
    box = part(opened, "moment").bounding_box()
    opened.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert part(opened, "moment-value").inner_text() == "0"


def test_buttons_show_lost_other_negatives_and_the_coarse_map(opened):
    opened.locator("input[type=radio]").first.check()
    start = part(opened, "words").inner_text()
    for name, word in (("lost", "LOST"), ("dense", "PixContrast"), ("collapse", "4 × 4")):
        part(opened, name).click()
        assert word in part(opened, "words").inner_text()
        assert part(opened, name).get_attribute("aria-pressed") == "true"
    part(opened, "reset").click()
    assert part(opened, "words").inner_text() == start


def test_an_encoder_of_your_own_needs_no_prediction(chromium, tmp_path):
    images = scenes.load("test", count=3, size=40, two=0.0)
    network = matched(Settings.recommended("simclr", "scenes", width=4, image_size=40), images)
    file = tmp_path / "own.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><title>own</title><body>{ObjectLocality.of(network, images).html()}", "utf-8")
    page = chromium.new_page()
    page.goto(file.as_uri())
    before = maps(page)
    part(page, "image").focus()
    page.keyboard.press("ArrowRight")
    assert part(page, "image-value").inner_text() == "2 of 3"
    assert maps(page) != before
    page.close()
