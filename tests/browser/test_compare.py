"""The Compare tab, clicked and typed into."""

import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from minrnn.models import MODEL_NAMES

FOUR = len(MODEL_NAMES)
STOCK_GRADIO = {"aria-prohibited-attr", "color-contrast", "image-redundant-alt", "page-has-heading-one"}


def lengths(page: Page) -> list[int]:
    return [len(node.text_content() or "") for node in page.query_selector_all(".panel .new")]


def set_length(page: Page, value: int) -> None:
    page.get_by_label("number input for Length").fill(str(value))
    page.keyboard.press("Tab")


def wait_for_status(page: Page, status: str) -> None:
    script = "s => [...document.querySelectorAll('.panel')].every(p => p.dataset.status === s)"
    page.wait_for_function(script, arg=status)


def test_before_the_first_click_every_panel_holds_a_sample_from_training(page: Page) -> None:
    expect(page.locator(".panel")).to_have_count(FOUR)
    assert min(lengths(page)) > 100
    expect(page.locator(".panel .status").first).to_have_text("sample from its training")


def test_all_four_panels_grow_before_the_run_is_over_and_stop_ends_it_within_a_second(page: Page) -> None:
    page.get_by_label("Prompt").fill("JULIET:\nO Romeo")
    set_length(page, 5000)
    page.click("#generate")
    wait_for_status(page, "writing")
    page.wait_for_function(
        "[...document.querySelectorAll('.panel .new')].every(n => n.textContent.length > 20)"
    )
    seen = lengths(page)
    page.wait_for_function(
        "seen => [...document.querySelectorAll('.panel .new')].every((n, i) => n.textContent.length > seen[i])",
        arg=seen,
    )
    assert page.locator(".panel .prompt").all_text_contents() == ["JULIET:\nO Romeo"] * FOUR
    clicked = time.monotonic()
    page.click("#stop")
    wait_for_status(page, "stopped")
    assert time.monotonic() - clicked < 1
    ended = lengths(page)
    page.wait_for_timeout(500)
    assert lengths(page) == ended and max(ended) < 5000


def test_a_finished_run_shows_its_figures_as_bars(page: Page) -> None:
    set_length(page, 40)
    page.get_by_label("Prompt").press("Shift+Enter")
    wait_for_status(page, "done")
    assert lengths(page) == [40] * FOUR
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    expect(page.locator(".js-plotly-plot").first.locator(".bars .point")).to_have_count(FOUR)


def test_a_foreign_character_is_folded_with_a_visible_note(page: Page) -> None:
    page.get_by_label("Prompt").fill("Café 語")
    set_length(page, 5)
    page.click("#generate")
    wait_for_status(page, "done")
    expect(page.locator(".panel .prompt").first).to_have_text("Cafe ")
    expect(page.locator("#prompt-note")).to_contain_text("1")


def test_text_that_looks_like_html_stays_text(page: Page) -> None:
    page.get_by_label("Prompt").fill("a&b'b;!-?")
    set_length(page, 5)
    page.click("#generate")
    wait_for_status(page, "done")
    expect(page.locator(".panel .prompt").first).to_have_text("a&b'b;!-?")


def test_without_a_model_a_message_says_what_to_do(page: Page) -> None:
    for name in ("minGRU", "minLSTM", "LSTM", "nanoGPT"):
        page.get_by_label(name, exact=True).uncheck()
    expect(page.locator(".panel")).to_have_count(0)
    page.click("#generate")
    expect(page.get_by_text("tick at least one")).to_be_visible()


def test_another_preset_shows_other_panels(page: Page) -> None:
    before = page.locator(".panel .about").all_text_contents()
    page.get_by_label("replica").check()
    page.wait_for_function(
        "old => document.querySelector('.panel .about').textContent !== old", arg=before[0]
    )
    expect(page.locator(".panel")).to_have_count(FOUR)


def test_the_page_has_one_main_heading_and_no_accessibility_fault_of_our_own(page: Page) -> None:
    assert page.locator("h1").count() == 1
    found = {violation["id"] for violation in Axe().run(page).response["violations"]}
    assert found <= STOCK_GRADIO


def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_keyboard_focus_is_visible(page: Page) -> None:
    page.get_by_label("Prompt").focus()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
