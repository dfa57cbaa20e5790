"""The Inside tab: a text is shown as it was typed, and pointing at a letter answers without a request."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.browser.compare_page import FIRST, SHOWN

ROOT = Path(__file__).resolve().parents[2]
Opened = Callable[..., Page]
STOCK_GRADIO = {"aria-prohibited-attr", "image-redundant-alt"}
TYPED = "JULIET:\nA <b>bold</b> & \"quoted\" 'line'\n\nwith   gaps"
ROW = "[...document.querySelectorAll('.read')].map(row => row.textContent.replaceAll('↵', ''))"


@pytest.fixture
def inside(open_page: Opened) -> Page:
    page = open_page(path="/?tab=inside")
    expect(page.locator("#read")).to_be_visible()
    return page


def read(page: Page, text: str) -> None:
    page.fill("#inside-text textarea", text)
    page.click("#read")
    page.wait_for_function(
        f"text => {{ const rows = {ROW}; return rows.length && rows[0] === text }}", arg=text
    )


def test_a_text_is_shown_as_typed_and_its_figures_are_those_of_the_command_line(
    inside: Page, tmp_path: Path
) -> None:
    read(inside, TYPED)
    assert set(inside.evaluate(ROW)) == {TYPED}
    inside.locator(".read").first.locator("span").nth(3).hover()
    shown = inside.locator(".detail section").first.inner_text()
    (tmp_path / "text.txt").write_text(TYPED, encoding="utf-8")
    words = [
        "-m",
        "minrnn",
        "read",
        f"checkpoints/{FIRST}/{SHOWN[0]}",
        "--text",
        str(tmp_path / "text.txt"),
        "--json",
    ]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    (model,) = json.loads(done.stdout).values()
    assert f"{model['bits'][3]:.2f} bits" in shown


def test_pointing_and_the_arrow_keys_answer_without_a_request(inside: Page) -> None:
    read(inside, TYPED)
    inside.wait_for_timeout(1_500)
    asked: list[str] = []
    inside.on("request", lambda request: asked.append(request.url))
    inside.locator(".read").first.locator("span").nth(5).hover()
    expect(inside.locator(".detail .where").first).to_contain_text("Character 6 of")
    inside.locator(".read").first.focus()
    inside.keyboard.press("ArrowRight")
    expect(inside.locator(".detail .where").first).to_contain_text("Character 7 of")
    assert [url for url in asked if "heartbeat" not in url and "queue" not in url] == []


def test_memory_shows_its_four_views_and_another_layer(inside: Page) -> None:
    inside.click("#read")
    inside.get_by_role("button", name="Memory").click()
    expect(inside.locator(".inside > h2")).to_have_count(4, timeout=60_000)
    inside.locator(".pick select").first.select_option(index=1)
    expect(inside.locator(".pick select").first).to_have_value("1")


def test_a_second_read_replaces_the_first_and_the_page_says_what_it_does(inside: Page) -> None:
    inside.fill("#inside-text textarea", TYPED * 20)
    inside.click("#read")
    expect(inside.locator(".busy")).to_contain_text("Reading the text")
    read(inside, "the second text")
    expect(inside.locator(".busy")).to_have_text("", timeout=60_000)
    inside.wait_for_timeout(500)
    assert set(inside.evaluate(ROW)) == {"the second text"}


def test_a_layer_of_a_text_that_was_replaced_meanwhile_is_not_shown_and_an_error_is(inside: Page) -> None:
    held: list[Route] = []
    inside.route(re.compile("/component_server"), lambda route: held.append(route))
    read(inside, TYPED)
    inside.get_by_role("button", name="Memory").click()
    layer = inside.locator(".pick select").first
    layer.select_option(index=1, timeout=60_000)
    read(inside, "another text")
    expect(inside.locator(".busy")).to_have_text("", timeout=60_000)
    held.pop().continue_()
    inside.wait_for_timeout(1_000)
    expect(layer).to_have_value("0")
    layer.select_option(index=1)
    inside.wait_for_timeout(200)
    held.pop().fulfill(json={"error": "layer is 9; choose another."})
    expect(inside.locator(".problem")).to_have_text("layer is 9; choose another.")
    expect(layer).to_have_value("0")


def test_a_text_that_is_too_long_is_refused_in_one_sentence(inside: Page) -> None:
    inside.fill("#inside-text textarea", "a" * 5_001)
    inside.click("#read")
    expect(inside.get_by_text("at most 5,000 are read")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_inside_has_no_accessibility_fault(open_page: Opened, width: int, theme: str) -> None:
    page = open_page(width, 900, f"/?tab=inside&__theme={theme}")
    expect(page.locator("#read")).to_be_visible()
    read(page, TYPED)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator(".loading:visible")).to_have_count(0)
    violations = Axe().run(page).response["violations"]
    found = {
        v["id"]: [node["html"][:160] for node in v["nodes"]]
        for v in violations
        if v["id"] not in STOCK_GRADIO
    }
    assert found == {}
