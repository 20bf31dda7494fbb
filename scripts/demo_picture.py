"""Photograph the top of the demo's page for the README: make demo, then python scripts/demo_picture.py [demo/report.html]."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1100, 1260


def main() -> None:
    page_file = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "demo" / "report.html").resolve()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.as_uri())
        page.wait_for_timeout(4000)  # its pictures draw themselves
        shot = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    shot.convert("RGB").quantize(method=Image.Quantize.FASTOCTREE).save(ROOT / "docs" / "lab.png", optimize=True)


if __name__ == "__main__":
    main()
