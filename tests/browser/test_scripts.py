"""The page's scripts by themselves, without the app: what keeps its place, its words and the focus as values change."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from minrnn.ui.tasks import panels as tasks
from minrnn.ui.theme import static
from minrnn.ui.train import panels as train

BEGIN = """([html, source, value]) => {
  document.body.innerHTML = `<main>${html}</main>`;
  Object.assign(window, {props: {value}, watching: [], clicks: []});
  const told = (name, detail) => clicks.push(detail);
  new Function('element', 'props', 'watch', 'trigger', 'server', source)(
    document.querySelector('main'), props, (name, act) => watching.push(act), told, {});
}"""
CARDS = ("make.js", "train-dialog.js", "runs.js")


@pytest.fixture
def bare(browser: Browser) -> Iterator[Page]:
    """A page with nothing on it."""
    page = browser.new_page()
    yield page
    page.close()


def begin(page: Page, html: str, scripts: tuple[str, ...], value: Any) -> None:
    page.evaluate(BEGIN, [html, static(*scripts), value])


def change(page: Page, value: Any) -> None:
    page.evaluate("value => { props.value = value; watching.forEach(act => act()); }", value)


def card(run: str, title: str = "", actions: tuple[str, ...] = ("download", "delete")) -> dict[str, Any]:
    named = [{"name": name, "label": name.title()} for name in actions]
    return {
        "run": run, "title": title or run, "color": "#123456", "dash": "solid", "repeat": False, "drawn": True,
        "phase": "finished", "problem": "", "done": 1, "facts": [], "details": [], "command": "",
        "actions": named, "iters": 4,
    }  # fmt: skip


def cards(*found: dict[str, Any], older: int = 0) -> dict[str, Any]:
    return {"cards": list(found), "older": older, "passed": ""}


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.ariaLabel"))


def test_the_buttons_of_a_card_name_its_run_after_it_was_renamed(bare: Page) -> None:
    begin(bare, train._CARDS, CARDS, cards(card("a", "Old")))
    change(bare, cards(card("a", "New")))
    labels = bare.locator(".buttons button").evaluate_all("all => all.map(node => node.ariaLabel)")
    assert labels == ["Download: New", "Details: New", "Delete: New"]


def test_the_focus_stays_in_a_card_that_moves_and_goes_on_where_its_card_is_deleted(bare: Page) -> None:
    begin(bare, train._CARDS, CARDS, cards(card("a"), card("b")))
    bare.get_by_role("button", name="Delete: a").focus()
    change(bare, cards(card("new"), card("a"), card("b")))
    assert focused(bare) == "Delete: a"
    change(bare, cards(card("new"), card("b")))
    assert focused(bare) == "Line of b in the chart"
    change(bare, cards())
    assert bare.evaluate("document.activeElement === document.body")


def test_one_older_run_is_not_several(bare: Page) -> None:
    begin(bare, train._CARDS, CARDS, cards(card("a"), older=1))
    expect(bare.locator(".older")).to_have_text("Show 1 older run")
    change(bare, cards(card("a"), older=2))
    expect(bare.locator(".older")).to_have_text("Show 2 older runs")


def test_whoever_reads_samples_with_the_keyboard_stays_there_when_a_new_one_comes(bare: Page) -> None:
    def written(count: int) -> list[dict[str, Any]]:
        texts = [{"iter": f"iter {n}", "text": "a text"} for n in range(count, 0, -1)]
        return [{"run": run, "title": run, "color": "#123456", "samples": texts} for run in ("a", "b")]

    begin(bare, train._SAMPLES, ("make.js", "samples.js"), written(1))
    bare.get_by_label("Samples of b").focus()
    change(bare, written(2))
    assert focused(bare) == "Samples of b, the newest first"


def test_a_strip_without_figures_says_to_a_screen_reader_what_its_run_is_at(bare: Page) -> None:
    def outcome(own: Any) -> dict[str, Any]:
        model = {
            "key": "lstm",
            "title": "LSTM",
            "color": "#123456",
            "says": "can",
            "stored": None,
            "own": own,
        }
        return {
            "task": "parity", "factors": ["1×", "2×"], "lengths": [32, 64], "guessing": "0.50", "rule": "",
            "equal": "", "made": "", "models": [{**model, "params": ""}], "stored_words": [], "own_words": [],
        }  # fmt: skip

    html = tasks.table(outcome(None)).html_template
    begin(bare, html, ("make.js", "tasks-outcome.js"), outcome(None))
    strip = bare.locator("td.here .strip")
    expect(strip).to_have_attribute("aria-label", "not trained yet")
    own = {"cells": [], "phase": "training", "verdict": "", "problem": "", "against": "", "can_answer": False}
    change(bare, outcome(own))
    expect(strip).to_have_attribute("aria-label", "training")
    bare.get_by_role("button", name="Show me").click()
    assert bare.evaluate("clicks") == [{"action": "reveal", "task": "parity"}]


def test_a_chart_whose_script_did_not_come_is_drawn_once_it_comes_and_leaves_with_its_figure(
    bare: Page,
) -> None:
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        script = (
            "window.Plotly = {react: c => { c.textContent = 'drawn'; }, purge: c => { c.textContent = ''; }}"
        )
        route.abort() if len(asked) == 1 else route.fulfill(body=script, content_type="text/javascript")

    bare.route("**/plotly.js", answer)
    figure = {"data": [{}], "layout": {}}
    html = '<div class="chart" data-height="300px" data-plotly="http://127.0.0.1:9/plotly.js"></div>'
    begin(bare, html, ("chart.js",), figure)
    expect(bare.locator(".chart")).to_have_css("height", "300px")
    bare.wait_for_function("window.minrnnPlotly === null")
    change(bare, figure)
    expect(bare.locator(".chart")).to_have_text("drawn")
    change(bare, None)
    expect(bare.locator(".chart")).to_have_text("")
