"""The Results tab in a real browser: the numbers are in sight on a telephone, and every text can be read."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from minrnn import results

BASE = [r for r in results.bundled() if r.preset == "base"]
WIDTHS = {1440: 900, 390: 844}
THEMES = ("light", "dark")
Open = Callable[..., Page]

OUTSIDE = """selector => [...document.querySelectorAll(selector)].filter(node => {
  const box = node.getBoundingClientRect();
  return box.width && (box.left < 0 || box.right > innerWidth + 1);
}).map(node => node.textContent)"""

CHART_CONTRAST = """() => {
  const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = colour => channels(colour).map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  let node = document.querySelector('.results .chart');
  while (/, 0\\)$|transparent/.test(getComputedStyle(node).backgroundColor)) node = node.parentElement;
  const ground = light(getComputedStyle(node).backgroundColor);
  return [...document.querySelectorAll('.results .chart text')].filter(t => t.textContent).map(t => {
    const [dark, bright] = [light(getComputedStyle(t).fill), ground].sort((a, b) => a - b);
    return (bright + .05) / (dark + .05);
  });
}"""


@pytest.fixture
def results_at(browser: Browser, app_url: str) -> Iterator[Open]:
    """A function that opens the Results tab at a width and in a theme; no other host may be asked for anything."""
    contexts: list[Any] = []
    foreign: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith((app_url, "data:", "blob:")):
            foreign.append(request.url)

    def opened(width: int, theme: str = "light", **more: Any) -> Page:
        viewport = {"width": width, "height": WIDTHS[width]}
        contexts.append(browser.new_context(viewport=viewport, base_url=app_url, **more))
        contexts[-1].on("request", watch)
        page: Page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(f"/?__theme={theme}")
        show(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert foreign == []


def show(page: Page) -> None:
    """Click the tab, which waits behind a menu where there is no room for it."""
    page.wait_for_selector("[role=tablist] button")
    page.wait_for_timeout(500)
    tab = page.get_by_role("tab", name="Results", exact=True)
    if tab.count() == 0:
        page.get_by_label("More tabs").click()
        tab = page.locator(".overflow-dropdown button", has_text="Results")
    tab.click()
    page.wait_for_selector(".results .finding")


def draw_charts(page: Page) -> None:
    for chart in page.locator(".results .chart").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_page_and_every_number_is_inside(
    width: int, theme: str, results_at: Open
) -> None:
    page = results_at(width, theme)
    draw_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".model .loss b").all_text_contents() == [f"{r.val_loss:.3f}" for r in BASE]
    assert page.evaluate(OUTSIDE, ".model, .model b, .model dd, .results td, .results li, .finding") == []


def test_on_a_telephone_the_first_number_is_in_sight_at_once(results_at: Open) -> None:
    box = results_at(390).locator(".model .loss b").first.bounding_box()
    assert box and box["y"] > 0 and box["y"] + box["height"] < WIDTHS[390]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_has_no_accessibility_fault_contrast_included(
    width: int, theme: str, results_at: Open
) -> None:
    page = results_at(width, theme)
    draw_charts(page)
    page.locator(".model summary").first.click()
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}}
    found = Axe().run(page, context=".results", options=rules).response["violations"]
    faults = [(v["id"], node["html"][:200]) for v in found for node in v["nodes"]]
    assert faults == []


@pytest.mark.parametrize("theme", THEMES)
def test_words_in_charts_can_be_read(theme: str, results_at: Open) -> None:
    page = results_at(1440, theme)
    draw_charts(page)
    found = page.evaluate(CHART_CONTRAST)
    assert len(found) > 20 and min(found) >= 4.5


def test_the_switch_shows_the_other_presets_cards_and_curves(results_at: Open) -> None:
    page = results_at(1440)
    draw_charts(page)
    replica = [r for r in results.bundled() if r.preset == "replica"]
    page.locator(".results").get_by_label("replica", exact=True).check(force=True)
    expect(page.locator(".model .loss b").first).to_have_text(f"{replica[0].val_loss:.3f}")
    assert page.locator(".model .loss b").all_text_contents() == [f"{r.val_loss:.3f}" for r in replica]
    expect(page.locator(".results .chart").first).to_contain_text(
        f"{replica[0].title} {replica[0].val_loss:.3f}"
    )


def test_plotly_is_fetched_when_a_chart_comes_into_sight(results_at: Open) -> None:
    page = results_at(390)
    assert page.evaluate("typeof window.Plotly") == "undefined"
    draw_charts(page)
    assert page.evaluate("typeof window.Plotly") == "object"


def test_on_a_touch_screen_charts_have_no_tool_bar(results_at: Open) -> None:
    page = results_at(390, has_touch=True, is_mobile=True)
    draw_charts(page)
    assert page.locator(".results .modebar-btn").count() == 0


def test_the_command_opens_by_a_click(results_at: Open) -> None:
    page = results_at(390)
    command = page.locator(".model pre").first
    expect(command).to_be_hidden()
    page.locator(".model summary").first.press("Enter")
    expect(command).to_have_text(BASE[0].command)
