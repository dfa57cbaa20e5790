"""A real browser against the real app, started as a reader would start it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

ROOT = Path(__file__).resolve().parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOPBACK = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = shutil.which("chromium")
    here = {"executable_path": chromium} if chromium else {}
    return {**browser_type_launch_args, "args": QUIET, **here}


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `python app.py`, with runs in a folder of its own: each file of tests begins without any."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("app")
    env = {**os.environ, "GRADIO_SERVER_PORT": str(port), "MINRNN_RUNS_DIR": str(folder / "runs")}
    env["MINRNN_WRITERS"] = "1"  # the browser needs a core, too, to see a text before it ends
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, folder / "log.txt")
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 90) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the app did not answer:\n{log.read_text(errors='replace')}")


Opened = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[Opened]:
    """Opens pages of the app in contexts of their own; the test fails if one asked any other host for anything."""
    foreign: list[str] = []
    contexts: list[BrowserContext] = []

    def watch(request: Request) -> None:
        if not LOOPBACK.match(request.url):
            foreign.append(request.url)

    def open_one(width: int = 1280, height: int = 900, path: str = "/", script: str = "") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            base_url=app_url,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.on("request", watch)
        opened = context.new_page()
        opened.set_default_timeout(60_000)
        if script:
            opened.add_init_script(script)
        opened.goto(path)
        opened.wait_for_selector(".card h2", state="attached")
        return opened

    yield open_one
    for context in contexts:
        context.close()
    assert foreign == []


@pytest.fixture
def page(open_page: Opened) -> Page:
    """A page that is open at the app."""
    return open_page()
