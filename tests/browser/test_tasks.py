"""The Tasks tab: a prediction, stored results, and models that train, stop, and are found again after a reload."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from minrnn.tasks import TASKS

Opened = Callable[..., Page]
STOCK_GRADIO = {"aria-prohibited-attr", "image-redundant-alt"}
ROWS = "#tasks-outcome tbody tr"


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A machine that trains answers slowly."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


def opened_at(open_page: Opened, more: str = "", width: int = 1440) -> Page:
    page = open_page(width, 900, f"/?tab=tasks{more}")
    expect(page.locator("#tasks-start")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(6)
    return page


def choose(page: Page, title: str) -> None:
    page.locator("#tasks-choice").get_by_label(title, exact=True).check()
    expect(page.locator("#tasks-about h2")).to_have_text(title)


def drawn(page: Page) -> list[dict[str, Any]]:
    """The lines of the chart: each model's name and how many points it has."""
    script = """() => { const plot = document.querySelector('#tasks-chart .js-plotly-plot');
        return JSON.stringify((plot ? plot._fullData : []).map(l => ({name: l.name, points: l.x.length}))); }"""
    found: list[dict[str, Any]] = json.loads(page.evaluate(script))
    return found


def test_the_stored_results_are_hidden_until_the_reader_has_predicted(open_page: Opened) -> None:
    page = opened_at(open_page)
    stored = page.locator(f"{ROWS} .stored")
    expect(stored.first).to_contain_text("hidden until you predict")
    page.locator(".guesses").get_by_role("button", name="LSTM", exact=True).click()
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#tasks-outcome .said")).to_contain_text("You were right about")
    expect(page.locator(f"{ROWS} .stored i.right").first).to_have_text("1.00")
    expect(page.locator("#tasks-outcome .words li").first).to_contain_text("theory")
    page.wait_for_function("document.querySelector('#tasks-chart .js-plotly-plot')")
    assert {line["name"] for line in drawn(page)} >= {"LSTM", "nanoGPT"}


def test_a_link_opens_a_task_and_a_chosen_task_stands_in_the_link(open_page: Opened) -> None:
    page = opened_at(open_page, "&task=brackets")
    expect(page.locator("#tasks-about h2")).to_have_text("Brackets")
    choose(page, "Recall")
    page.wait_for_url("**/?tab=tasks&task=recall")
    page.click("#copy-link")
    expect(page.locator("#copy-link")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("tab=tasks&task=recall")
    page.get_by_role("tab", name="Train").click()
    page.wait_for_url("**/?tab=train")


@pytest.mark.parametrize("nonsense", ["&task=majority", "&task=%3Cb%3E&task=%00"])
def test_a_link_to_no_task_opens_the_first_one(open_page: Opened, nonsense: str) -> None:
    page = opened_at(open_page, nonsense)
    expect(page.locator("#tasks-about h2")).to_have_text("Parity")


def test_every_task_shows_what_goes_in_above_what_is_wanted(open_page: Opened) -> None:
    page = opened_at(open_page)
    for task in [task for task in TASKS.values() if task.on_page]:
        choose(page, task.title)
        expect(page.locator("#tasks-about .pair")).to_have_count(task.trained_length)
    before = page.locator("#tasks-about .line").inner_text()
    page.get_by_role("button", name="Another example").click()
    expect(page.locator("#tasks-about .line")).not_to_have_text(before)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_tab_has_no_accessibility_fault_and_fits_the_page(
    open_page: Opened, width: int, theme: str
) -> None:
    page = opened_at(open_page, f"&__theme={theme}", width)
    page.get_by_role("button", name="Show me").click()
    expect(page.locator(f"{ROWS} .stored i.right").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = Axe().run(page).response["violations"]
    faults = {
        v["id"]: [n["html"][:160] for n in v["nodes"]] for v in violations if v["id"] not in STOCK_GRADIO
    }
    assert faults == {}


@pytest.mark.slow
def test_all_models_train_stop_and_are_found_again(open_page: Opened) -> None:
    page = opened_at(open_page)
    page.click("#tasks-start")
    told = page.locator("#tasks-progress .told")
    expect(told).to_contain_text("minGRU: training, 1 of 6, about")
    page.wait_for_function(
        "document.querySelector('#tasks-chart .js-plotly-plot')?._fullData[0]?.x.length > 2"
    )
    page.reload()
    expect(told).to_contain_text("1 of 6")
    expect(page.locator("#tasks-stop")).to_be_visible()
    choose(page, "Flip-flop")
    expect(told).to_have_text("Still training: Parity.")
    expect(page.locator("#tasks-start")).to_be_visible()
    choose(page, "Parity")
    page.click("#tasks-stop")
    expect(told).to_have_text(re.compile(r"^[0-5] of 6 trained to the end\.$"))
    expect(page.locator(f"{ROWS} .here").last).to_contain_text("stopped")
    expect(page.locator("#tasks-start")).to_be_visible()
    page.get_by_role("button", name="See it answer: minGRU").click()
    expect(page.locator("#tasks-worked .mark")).to_have_count(32)
    expect(page.locator("#tasks-worked h2")).to_contain_text("of 32 right")
