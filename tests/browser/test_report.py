"""The report in a real browser, from a file, with the network cut: it draws, moves by keyboard, and changes its theme."""

import hashlib

import pytest
from made_up_runs import made_up_images, made_up_run

from contrastive_lab.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    images = made_up_images()
    folders = [made_up_run(root / name, name, images=images) for name in ("simclr", "dcl")]
    folders.append(made_up_run(root / "none", "simclr", epochs=0, images=images))
    return write_report(folders, root / "report.html")


@pytest.fixture
def opened(chromium, report):
    """Opens the report in a context of the given options; afterwards nothing may have gone wrong or asked the network."""
    troubles, contexts = [], []

    def open_page(**options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else troubles.append(r.url))
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def picture(page, selector):
    return hashlib.sha256(page.locator(selector).screenshot()).hexdigest()


def test_arrow_keys_move_the_embedding(opened):
    page = opened(reduced_motion="reduce")
    assert page.get_attribute("#epoch", "aria-valuetext") == "epoch 6"
    before, still = picture(page, "#panel-0"), picture(page, "#panel-2")
    page.focus("#epoch")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.getElementById('panel-0').dataset.epoch === '2'")
    page.mouse.move(0, 0)
    assert page.inner_text("#epoch-now") == "2 of 6"
    assert page.inner_text("#panel-0-now") == "kNN 47 % · RankMe 9"
    assert picture(page, "#panel-0") != before
    assert picture(page, "#panel-2") == still  # the untrained network has one frame


def test_the_theme_follows_the_system_and_the_button(opened):
    page = opened(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "document.getElementById('plane')._fullLayout.font.color"
    dark = page.evaluate(ground), page.evaluate(ink)
    page.get_by_role("button", name="Switch to the light theme").press("Enter")
    light = page.evaluate(ground), page.evaluate(ink)
    assert dark[0] == "rgb(20, 23, 28)"
    assert light[0] == "rgb(252, 251, 248)"
    assert dark[1] != light[1]


def test_chips_hide_a_run_everywhere(opened):
    page = opened()
    chip = page.get_by_role("button", name="dcl", exact=True)
    chip.press("Space")
    assert chip.get_attribute("aria-pressed") == "false"
    visible = "document.getElementById('plane').data.map((trace) => trace.visible)"
    assert page.evaluate(visible) == [True, False, True]
    assert page.locator("tr[data-run=dcl]").is_hidden()
    assert page.locator(".found [data-run=dcl]").is_hidden()


def test_the_table_sorts_and_neighbours_change(opened):
    page = opened()
    page.locator("section[aria-labelledby=outcome]").get_by_role("button", name="kNN").click()
    assert page.locator("section[aria-labelledby=outcome] tbody tr").last.get_attribute("data-run") == "untrained"
    before = page.inner_html("#found-0")
    page.get_by_role("button", name="Query 3").press("Enter")
    assert page.inner_html("#found-0") != before


def test_three_dimensions_come_when_asked(opened):
    page = opened()
    page.click("#closer summary")
    page.wait_for_function(
        "document.getElementById('deep')._fullLayout?.scene || document.getElementById('deep').textContent.includes('WebGL')"
    )


def test_a_phone_needs_no_sideways_scrolling(opened):
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # innerWidth grows with what is too wide
    assert page.evaluate("document.getElementById('plane')._fullLayout.dragmode") is False
    sides = (
        "[...document.querySelectorAll('.plot')].filter((p) => p.offsetParent).every((p) => p.offsetWidth <= 390 && p.offsetWidth > 120)"
    )
    assert page.evaluate(sides)


def test_the_play_button_plays(opened):
    page = opened(reduced_motion="reduce")
    page.click("#play")
    page.wait_for_function("document.getElementById('epoch').value === '1'")
    page.click("#play")
    assert page.inner_text("#play") == "▶ Play"


def test_the_strip_moves_the_embedding_and_the_slider_moves_the_strip(opened):
    page = opened(reduced_motion="reduce")
    strip = page.locator('#clab-vitals-report [data-part="epoch"]')
    strip.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert page.inner_text("#epoch-now") == "2 of 6"
    page.focus("#epoch")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#clab-vitals-report [data-part=epoch]').value === '3'")
