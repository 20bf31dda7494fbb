"""The static book in a real browser, from files, with the network cut: navigation, search, maths, an explorable, the dark theme."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)").expect
pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    for name in ("sphinx", "myst_nb", "furo", "mathjax"):
        pytest.importorskip(name, reason=f"{name} is not installed (extra `site`)")
    home = tmp_path_factory.mktemp("book")
    places = ["--out", str(home / "pages" / "site"), "--source", str(home / "source")]
    done = subprocess.run([sys.executable, ROOT / "scripts" / "book.py", *places], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path.name for path in (home / "pages").iterdir()] == ["site"], "nothing may be left beside the pages"
    return home / "pages" / "site"


@pytest.fixture
def opened(chromium, book):
    """A page on the book's first page, offline; afterwards nothing may have failed or asked the network."""
    context = chromium.new_context(offline=True, color_scheme="light", viewport={"width": 1200, "height": 900})
    page, troubles = context.new_page(), []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else troubles.append(r.url))
    page.goto((book / "index.html").as_uri())
    yield page
    context.close()
    assert not troubles


def test_navigation_leads_through_the_notebooks_and_maths_is_drawn(opened):
    # A click returns before the next page is there, so what follows waits for it.
    opened.locator(".sidebar-tree").get_by_role("link", name="01 ·").first.click()
    expect(opened).to_have_title(re.compile("Two forces"))
    opened.wait_for_selector("mjx-container svg", timeout=20_000)
    assert opened.locator("mjx-container").count() > 20
    assert opened.locator("merror, mjx-merror").count() == 0
    opened.get_by_role("link", name="Glossary").first.click()
    expect(opened.locator("dt:has-text('modality gap')")).to_have_count(1)


def test_search_finds_a_word(opened):
    field = opened.locator("input.sidebar-search")
    field.fill("temperature")
    field.press("Enter")
    opened.wait_for_selector("#search-results li a", timeout=20_000)
    links = opened.locator("#search-results li a").all_inner_texts()
    assert any("Two forces" in text for text in links)


def test_an_explorable_moves_on_the_page(opened, book):
    opened.goto((book / "notebooks" / "01_two_forces.html").as_uri())
    circle = opened.locator("#clab-circle")
    slider, words = circle.locator("[data-part=tau]"), circle.locator("[data-part=words]")
    assert slider.is_disabled()
    circle.locator("input[type=radio]").nth(1).check()
    before = words.inner_text()
    slider.focus()
    for _ in range(30):
        opened.keyboard.press("ArrowLeft")
    assert words.inner_text() != before


def test_the_theme_can_be_dark(opened):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = opened.evaluate(ground)
    for _ in range(3):
        opened.locator("button.theme-toggle:visible").first.click()
        if opened.evaluate("document.body.dataset.theme") == "dark":
            break
    dark = opened.evaluate(ground)
    assert dark != light
    assert sum(int(part) for part in dark.removeprefix("rgb(").removesuffix(")").split(",")) < 150


def test_every_page_is_written_and_explorables_are_inside(book):
    pages = sorted(path.stem for path in (book / "notebooks").glob("*.html"))
    assert pages == sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    assert "mountCircle" in (book / "notebooks" / "00_start_here.html").read_text("utf-8")
    own = [path for path in book.rglob("*.html") if path.name not in ("search.html", "genindex.html")]
    assert not [path for path in own if 'src="http' in path.read_text("utf-8")]
