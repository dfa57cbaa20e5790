"""The Training tab, from the first click to a model that writes in Compare."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

STATUS = "[...document.querySelectorAll('#train-table .phase')].map(node => node.textContent)"
CHART = "document.querySelector('#train-chart .js-plotly-plot')"


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Train").click()
    expect(page.locator("#train-start")).to_be_visible()


def wait_for_status(page: Page, *wanted: str) -> None:
    page.wait_for_function(f"wanted => JSON.stringify({STATUS}) === JSON.stringify(wanted)", arg=list(wanted))


def points(page: Page) -> int:
    """Points of the first run's smoothed loss."""
    return int(
        page.evaluate(
            f"(() => {{ const c = {CHART}; return c && c._fullData ? c._fullData[1].x.length : 0 }})()"
        )
    )


def wait_for_points(page: Page, more_than: int) -> None:
    page.wait_for_function(
        f"n => {{ const c = {CHART}; return c && c._fullData && c._fullData[1] && c._fullData[1].x.length > n }}",
        arg=more_than,
    )


def loss(page: Page, place: int) -> float:
    return float(page.evaluate(f"at => [...{CHART}._fullData[1].y].at(at)", place))


def x_range(page: Page) -> Any:
    return page.evaluate(f"{CHART}._fullLayout.xaxis.range.map(value => Math.round(1e6 * value) / 1e6)")


def zoom(page: Page) -> Any:
    """Drag over the middle of the chart."""
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
    page.get_by_label("Iters", exact=True).fill(str(iters))
    page.keyboard.press("Tab")
    expect(page.locator("#train-command")).to_contain_text(f"--max-iters {iters}")
    page.click("#train-start")
    wait_for_points(page, 4)


@pytest.mark.slow
def test_a_reader_trains_two_models_and_takes_one_to_compare(page: Page) -> None:
    page.set_default_timeout(120_000)
    start(page, 50_000)
    wait_for_status(page, "training", "waiting")
    first = points(page)
    wait_for_points(page, first + 10)
    assert loss(page, -1) < loss(page, 0) - 0.3
    zoomed, before = zoom(page), points(page)
    wait_for_points(page, before + 5)
    assert x_range(page) == zoomed
    before = points(page)
    page.reload()
    open_tab(page)
    wait_for_points(page, before)
    wait_for_status(page, "training", "waiting")
    page.click("#train-stop-all")
    wait_for_status(page, "stopped", "stopped")
    stopped_at = points(page)
    page.click("#train-resume")
    wait_for_points(page, stopped_at + 3)
    page.click("#train-stop")
    wait_for_status(page, "stopped", "stopped")
    page.click("#train-use")
    _writes_in_compare(page, "minGRU")


def _writes_in_compare(page: Page, title: str) -> None:
    panel = page.locator(".panel").last
    expect(panel.locator("h2")).to_contain_text(title)
    expect(panel).to_contain_text("tiny-mingru-plays")
    page.click("#generate")
    expect(panel).to_have_attribute("data-status", "done")
    assert len(panel.locator(".new").text_content() or "") > 100


def test_what_cannot_be_trained_is_said_on_the_page(page: Page) -> None:
    open_tab(page)
    page.get_by_label("your own").check()
    page.get_by_label("Your text").fill("too short")
    page.click("#train-start")
    expect(page.get_by_text(re.compile("9 characters and at least 1,000"))).to_be_visible()


def test_the_form_offers_what_is_trained_already(page: Page) -> None:
    open_tab(page)
    page.get_by_label("A trained model").check()
    page.get_by_label("Models to tune").click()
    expect(page.get_by_role("option").first).to_contain_text("base")
    page.get_by_role("option").first.click()
    expect(page.locator("#train-command")).to_contain_text("--init")
