"""The Train tab, from the first click to a model that writes in Compare."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

PHASES = "[...document.querySelectorAll('#train-cards .phase')].map(node => node.textContent)"
CHART = "document.querySelector('#train-chart .js-plotly-plot')"
DRAWN = f"({CHART} ? {CHART}._fullData : [])"
STOCK_GRADIO = {"aria-prohibited-attr", "image-redundant-alt"}
SIZES = [(1440, 900), (1440, 730), (768, 1024), (390, 844)]


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A machine that trains answers slowly."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


def open_tab(page: Page, more: str = "") -> None:
    page.goto("/?tab=train" + more)
    expect_tab(page)


def expect_tab(page: Page) -> None:
    expect(page.locator("#train-start")).to_be_visible()
    expect(page.locator("#train-cards .run").first).to_be_visible()


def card(page: Page, title: str) -> Locator:
    return page.locator("#train-cards .run", has_text=title)


def wait_for_phases(page: Page, *wanted: str) -> None:
    page.wait_for_function(f"wanted => JSON.stringify({PHASES}) === JSON.stringify(wanted)", arg=list(wanted))


def actions(page: Page, title: str) -> list[str]:
    return [str(b.get_attribute("data-action")) for b in card(page, title).locator("[data-action]").all()]


def act(page: Page, title: str, action: str) -> None:
    card(page, title).locator(f'[data-action="{action}"]').click()


def toast(page: Page, text: str) -> None:
    expect(page.get_by_test_id("toast-body").filter(has_text=text).last).to_be_visible()


def points(page: Page) -> int:
    """Points of the first run's average; 0 as long as the stored run stands there."""
    found = f"{DRAWN}.length && {DRAWN}[1].name.includes('stored') ? 0 : ({DRAWN}[1]?.x.length ?? 0)"
    return int(page.evaluate(found))


def wait_for_points(page: Page, more_than: int) -> None:
    page.wait_for_function(
        f"n => {DRAWN}.length && !{DRAWN}[1].name.includes('stored') && {DRAWN}[1].x.length > n",
        arg=more_than,
    )


def loss(page: Page, place: int) -> float:
    return float(page.evaluate(f"at => [...{DRAWN}[1].y].at(at)", place))


def x_range(page: Page) -> Any:
    return page.evaluate(f"{CHART}._fullLayout.xaxis.range.map(value => Math.round(1e6 * value) / 1e6)")


def zoom(page: Page) -> Any:
    """Drag over the middle of the chart."""
    page.locator("#train-chart").scroll_into_view_if_needed()
    box = page.locator("#train-chart .nsewdrag").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=8)
    page.mouse.up()
    return x_range(page)


def start(page: Page, iters: int) -> None:
    open_tab(page)
    page.click("#train-more button")
    page.locator("#train-iters :is(input, textarea)").fill(str(iters))
    expect(page.locator("#train-command")).to_contain_text(f"--max-iters {iters}")
    page.click("#train-start")
    toast(page, "2 trainings, one after another")


def test_an_empty_page_shows_a_stored_run_and_offers_nothing_on_it(page: Page) -> None:
    open_tab(page)
    expect(page.locator("#train-chart")).to_contain_text("in about five seconds")
    wait_for_phases(page, "an example")
    assert page.locator("#train-cards [data-action]").count() == 0
    expect(page.locator("#train-samples pre").first).not_to_be_empty()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_button_is_on_the_first_screen_and_nothing_is_wider_than_it(
    page: Page, width: int, height: int
) -> None:
    open_tab(page)
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(300)
    box = page.locator("#train-start").bounding_box()
    assert box is not None and box["y"] + box["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_tab_has_no_accessibility_fault_of_our_own(page: Page, width: int, theme: str) -> None:
    open_tab(page, f"&__theme={theme}")
    page.set_viewport_size({"width": width, "height": 900})
    page.click("#train-more button")
    expect(page.locator("#train-command")).to_be_visible()
    assert {fault["id"] for fault in Axe().run(page).response["violations"]} <= STOCK_GRADIO


def test_boxes_that_stay_empty_keep_the_recipe(page: Page) -> None:
    open_tab(page)
    page.click("#train-more button")
    page.locator("#train-models").get_by_label("LSTM", exact=True).check()
    command = page.locator("#train-command")
    expect(command).to_contain_text("--model lstm --corpus")
    expect(command).not_to_contain_text("--batch-size")
    expect(command).not_to_contain_text("--dropout")


def test_what_cannot_be_trained_is_said_on_the_page(page: Page) -> None:
    open_tab(page)
    page.locator("#train-text").get_by_label("your own").check()
    page.get_by_label("Your text").fill("too short")
    page.click("#train-start")
    expect(page.get_by_text(re.compile("9 characters and at least 1,000"))).to_be_visible()


def test_the_form_offers_what_is_trained_already(page: Page) -> None:
    open_tab(page)
    page.locator("#train-source").get_by_label("a checkpoint").check()
    page.get_by_label("Checkpoints").click()
    expect(page.get_by_role("option").filter(has_text="base").first).to_be_visible()
    page.locator("#train-source").get_by_label("our weights").check()
    page.click("#train-more button")
    expect(page.locator("#train-command")).to_contain_text("--init")


@pytest.mark.slow
def test_a_reader_trains_two_models_and_takes_one_to_compare(page: Page, tmp_path: Path) -> None:
    page.set_default_timeout(150_000)
    start(page, 50_000)
    wait_for_phases(page, "training", "waiting")
    _grows(page)
    assert actions(page, "minGRU") == ["stop", "use", "download", "rename"]
    assert actions(page, "nanoGPT") == ["remove", "rename"]
    _survives_a_reload(page)
    act(page, "nanoGPT", "remove")
    toast(page, "no longer waits")
    act(page, "minGRU", "stop")
    wait_for_phases(page, "stopped", "stopped")
    stopped_at = points(page)
    act(page, "minGRU", "go_on")
    wait_for_points(page, stopped_at + 3)
    act(page, "minGRU", "stop")
    wait_for_phases(page, "stopped", "stopped")
    _renamed_and_downloaded(page, tmp_path)
    _deleted(page, "nanoGPT")
    act(page, "<b>mine</b>", "use")
    _writes_in_compare(page)


def _grows(page: Page) -> None:
    """The curve grows, the loss falls, and a zoom is kept."""
    wait_for_points(page, points(page) + 12)
    assert loss(page, -1) < loss(page, 0) - 0.3
    zoomed, before = zoom(page), points(page)
    wait_for_points(page, before + 5)
    assert x_range(page) == zoomed


def _survives_a_reload(page: Page) -> None:
    before = points(page)
    page.reload()
    expect_tab(page)
    wait_for_points(page, before)
    wait_for_phases(page, "training", "waiting")


def _renamed_and_downloaded(page: Page, folder: Path) -> None:
    act(page, "minGRU", "rename")
    page.locator("dialog input").fill("<b>mine</b>")
    page.keyboard.press("Enter")
    expect(card(page, "<b>mine</b>")).to_be_visible()
    assert page.locator("#train-cards b", has_text="mine").count() == 0
    for _ in range(2):
        with page.expect_download() as download:
            act(page, "<b>mine</b>", "download")
    download.value.save_as(folder / "run.zip")
    assert any(name.endswith("/model.safetensors") for name in zipfile.ZipFile(folder / "run.zip").namelist())


def _deleted(page: Page, title: str) -> None:
    """A dialog names the run; Escape leaves it, Delete deletes it."""
    act(page, title, "delete")
    expect(page.locator("dialog")).to_contain_text(f"Delete “{title}")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    expect(card(page, title)).to_be_visible()
    act(page, title, "delete")
    page.locator("dialog .yes").click()
    expect(card(page, title)).to_have_count(0)


def _writes_in_compare(page: Page) -> None:
    """The tab Compare is open, and the model is among those that write there."""
    toast(page, "now stands in Compare")
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".card:visible h2", has_text="minGRU")).to_have_count(2)
