"""What the tests of the Compare tab do on its page."""

from collections.abc import Callable

from playwright.sync_api import Page

from minrnn import checkpoint
from minrnn.library import open_library
from minrnn.models import MODEL_NAMES, mixer_class

FIRST = open_library().first
"""The preset that the page starts with."""
SHOWN = [m for m in MODEL_NAMES if mixer_class(m).chosen_first and checkpoint.bundled(FIRST, m).is_dir()]
FOUR = len(SHOWN)
Opened = Callable[..., Page]

TEXTS = "[...document.querySelectorAll('.card .text')].map(n => [...n.children].map(p => p.textContent).join('\\n'))"


def texts(page: Page) -> list[str]:
    found: list[str] = page.evaluate(TEXTS)
    return found


def set_length(page: Page, value: int) -> None:
    page.click("#gear")
    page.get_by_label("number input for Length").fill(str(value))
    page.keyboard.press("Tab")
    page.click("#settings-done")


def write(page: Page, prompt: str, length: int = 60) -> list[str]:
    """Write, wait for the end, and return the texts."""
    set_length(page, length)
    page.fill("#prompt textarea", prompt)
    write_again(page)
    return texts(page)


def write_again(page: Page) -> None:
    """Press Write, and wait for the end."""
    page.click("#write")
    page.wait_for_function("document.querySelector('#compare.writing')")
    page.wait_for_selector("#compare:not(.writing)")
    wait_for_status(page, "done")


def wait_for_status(page: Page, status: str) -> None:
    cards = "[...document.querySelectorAll('.card')]"
    page.wait_for_function(
        f"s => {cards}.length && {cards}.every(card => card.dataset.status === s)", arg=status
    )


def until_longer(page: Page, than: int) -> None:
    page.wait_for_function(f"n => ({TEXTS}).every(text => text.length > n)", arg=than)
