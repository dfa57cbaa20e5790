"""Takes the README's pictures from the real app: `make screenshots`.

The pictures are small on purpose: 256 colours are enough for a page of text.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from gradio_client import Client
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
PREVIEW = ROOT / "minrnn" / "ui" / "static" / "preview.png"
WIDE, NARROW, LINK = (1440, 900), (390, 844), (1200, 630)


def main() -> None:
    """Start the app, let it write and train, and take every picture."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, runs = f"http://127.0.0.1:{port}", tempfile.mkdtemp()
    env = {**os.environ, "GRADIO_SERVER_PORT": str(port), "MINRNN_RUNS_DIR": runs}
    app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env)
    try:
        wait_for(url)
        train(url)
        with sync_playwright() as playwright:
            options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox", "--disable-gpu"]}
            pictures(playwright.chromium.launch(**options), url)  # type: ignore[arg-type]
    finally:
        app.terminate()
        app.wait()
        shutil.rmtree(runs)


def pictures(browser: Browser, url: str) -> None:
    """Every picture of the README, and the one that others show beside a link."""
    compare = f"{url}/?prompt=ROMEO:&seed=7"
    for name, size in {"compare": WIDE, "compare-narrow": NARROW}.items():
        save(opened(browser, compare, size), IMAGES / f"{name}.png")
    save(opened(browser, compare, LINK), PREVIEW)
    for name in ("train", "results"):
        save(opened(browser, f"{url}/?tab={name}", WIDE), IMAGES / f"{name}.png")


def opened(browser: Browser, url: str, size: tuple[int, int]) -> Page:
    """A page of that size, when all that it shows has come to rest."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(url)
    page.wait_for_selector(".card h2", state="attached")
    if "tab=" in url:
        page.wait_for_timeout(5_000)
    else:
        page.wait_for_function(
            "[...document.querySelectorAll('.card')].every(card => card.dataset.status === 'done')",
            timeout=120_000,
        )
    return page


def save(page: Page, path: Path) -> None:
    page.screenshot(path=path)
    page.close()
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def train(url: str) -> None:
    """Two small runs to the end."""
    client = Client(url, verbose=False)
    started = client.predict("mingru,nanogpt", corpus="plays", max_iters=300, api_name="/train_start")
    for run in started["runs"]:
        while client.predict(run, started["token"], api_name="/train_status")["status"] in (
            "waiting",
            "running",
        ):
            time.sleep(1)


def wait_for(url: str, seconds: float = 90) -> None:
    for _ in range(int(seconds * 5)):
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise SystemExit(f"the app did not answer at {url} within {seconds:.0f} s")


if __name__ == "__main__":
    main()
