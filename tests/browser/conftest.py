"""A real JupyterLab on a free loopback port, and a headless Chromium that opens it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# WebGL without a GPU, for plotly's three dimensions.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def settings(theme):
    return {
        # Every cell stays in the page, so that a test may look for what is far below.
        "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
        "@jupyterlab/apputils-extension/themes": {"theme": theme},
        "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }


def write_settings(folder, theme):
    for name, values in settings(theme).items():
        path = folder / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no Chromium on this machine (looked for {', '.join(NAMES)})")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, tmp_path):
    """Opens HTML from a file with the network blocked; afterwards nothing may have gone wrong or asked for the network."""
    pages, troubles, asked = [], [], []

    def open_html(text, *, height):
        file = tmp_path / f"page-{len(pages)}.html"
        file.write_text(f"<!doctype html><meta charset='utf-8'><title>page</title><body>{text}", "utf-8")
        page = chromium.new_page(viewport={"width": 900, "height": height})
        pages.append(page)
        page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.route(re.compile("^(?!file:|data:)"), lambda route: (asked.append(route.request.url), route.abort()))
        page.goto(file.as_uri())
        return page

    yield open_html
    assert not troubles
    assert not asked
    for page in pages:
        page.close()


@pytest.fixture
def paints_within_a_second():
    """Asserts it of the best of three loads, so that a busy machine is not taken for a slow page."""

    def check(page):
        paints = []
        for load in range(3):
            if load:
                page.reload()
            page.wait_for_function("performance.getEntriesByType('paint').length > 0", timeout=10_000)
            paints.append(page.evaluate("Math.max(...performance.getEntriesByType('paint').map((entry) => entry.startTime))"))
        assert min(paints) < 1000

    return check


@pytest.fixture
def jupyter(tmp_path):
    """Address of a JupyterLab whose notebooks, settings, runs and configuration lie in a folder of their own."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed (extra `lab`)")
    work = tmp_path / "notebooks"
    work.mkdir()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, work)
    write_settings(tmp_path / "settings", os.environ.get("LAB_THEME", "JupyterLab Light"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {
        name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "CONTRASTIVE_LAB_CACHE")
    }
    places |= {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces")}
    environment = {**os.environ, "LAB_PROFILE": "smoke", "PYTHONPATH": str(ROOT), **places}
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=", "--allow-root", f"--notebook-dir={work}"]
    with open(tmp_path / "jupyter.log", "w") as log:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server, tmp_path / "jupyter.log")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address, server, log):
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(f"JupyterLab ended with code {server.returncode}: {log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"JupyterLab did not answer within two minutes: {log.read_text()[-2000:]}")
