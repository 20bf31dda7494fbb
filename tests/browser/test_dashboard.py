"""The dashboard served by Voila: own runs and shipped ones, and a hovered epoch that moves the other pictures."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from made_up_runs import made_up_run

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def address(tmp_path):
    pytest.importorskip("voila", reason="Voila is not installed (extra `dashboard`)")
    for name in ("simclr", "dcl"):
        made_up_run(tmp_path / "runs" / name, name)
    (tmp_path / "dashboard.ipynb").write_bytes((ROOT / "dashboard" / "dashboard.ipynb").read_bytes())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    options = [f"--port={port}", "--Voila.ip=127.0.0.1", "--no-browser", "--VoilaConfiguration.extension_denylist=jupyterlab-jupytext"]
    log = (tmp_path / "voila.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "voila", "dashboard.ipynb", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **places},
        stdout=log,
        stderr=log,
    )
    try:
        for _ in range(120):
            if server.poll() is not None:
                pytest.fail((tmp_path / "voila.log").read_text()[-2000:])
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/voila/static/", timeout=1).close()
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.5)
            else:
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def test_the_page_shows_runs_and_explorables_that_follow_an_epoch(chromium, address):
    page, problems = chromium.new_page(viewport={"width": 1200, "height": 1000}), []
    page.on("pageerror", lambda error: problems.append(f"{error} {error.stack or ''}"))
    # Voila's template asks a server for icons that this page doesn't use; without it everything must work.
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    page.goto(address, timeout=90_000)
    page.wait_for_selector("#clab-vitals-mine", timeout=90_000)
    page.wait_for_selector("#clab-vitals", timeout=30_000)
    assert page.locator("#clab-vitals-mine .strip").count() == 2
    assert page.locator(".clab").count() > 5
    for fieldset in page.locator("fieldset").all():
        fieldset.locator("input[type=radio]").first.check()
    shipped = page.locator('#clab-vitals [data-part="epoch"]')
    mine = page.locator('#clab-vitals-mine [data-part="epoch"]')
    assert mine.input_value() == "6"
    mine.focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    assert mine.input_value() == "0"
    assert shipped.input_value() == "0"
    others = page.locator('.clab:not(:has(.strips)) input[data-part="epoch"]:enabled').all()
    assert others
    assert all(other.input_value() == other.get_attribute("min") for other in others)
    if folder := os.environ.get("LAB_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/dashboard.png")
    ours = [problem for problem in problems if "clab" in problem or "mount" in problem]
    assert not ours
    page.close()
