"""The toy of gates in a browser, opened from a file with the network blocked."""

import pytest

from contrastive_lab.explorables import Gates

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page):
    return open_page(Gates().html(), height=1000)


def part(page, name):
    return page.locator(f'[data-part="{name}"]').first


def test_it_paints_at_once_and_opens_after_a_prediction(opened, paints_within_a_second):
    paints_within_a_second(opened)
    assert part(opened, "gate0").is_disabled()
    assert part(opened, "loss").inner_text() != "1.099", "equal cosines would give the answer away"
    opened.locator("input[type=radio]").first.check()
    assert "Look again" in opened.locator(".answer").inner_text()
    assert part(opened, "gate0").is_enabled()


def test_closing_the_wrong_coordinates_by_keyboard_and_mouse_lowers_the_loss(opened):
    opened.locator("input[type=radio]").nth(1).check()
    assert part(opened, "loss").inner_text() == "1.099"
    picture = part(opened, "stage").inner_html()
    for name in ("gate1", "gate2"):
        part(opened, name).focus()
        opened.keyboard.press("Home")
    assert part(opened, "gate1-value").inner_text() == "0.00"
    box = part(opened, "gate3").bounding_box()
    opened.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert float(part(opened, "loss").inner_text()) < 0.05
    assert part(opened, "stage").inner_html() != picture
    part(opened, "pair").focus()
    opened.keyboard.press("ArrowRight")
    assert part(opened, "pair-value").inner_text() == "A and C"
    assert part(opened, "loss").inner_text() == "1.099"


def test_training_reaches_the_floor_with_gates_and_log_three_without(opened):
    opened.locator("input[type=radio]").nth(1).check()
    done = "document.querySelector('[data-part=steps]').textContent === '160'"
    part(opened, "train").click()
    opened.wait_for_function(done, timeout=20000)
    assert float(part(opened, "mean").inner_text()) < 0.06
    assert part(opened, "gate0").get_attribute("aria-label") == "gate 1", "a learned coordinate is not the colour"
    part(opened, "collapse").click()
    opened.wait_for_function(done, timeout=20000)
    assert abs(float(part(opened, "mean").inner_text()) - 1.099) < 0.01
    part(opened, "best").click()
    assert float(part(opened, "mean").inner_text()) < 0.05
    assert opened.locator("label", has_text="gate 1: colour").count() == 1


def test_with_reduced_motion_training_is_done_at_once(chromium, tmp_path):
    file = tmp_path / "gates.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><body>{Gates().html()}", "utf-8")
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator("input[type=radio]").nth(1).check()
    part(page, "train").click()
    assert part(page, "steps").inner_text() == "160"
    context.close()
