"""The Compare tab, looked at, clicked and typed into, at the sizes that people have."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from minrnn.models import mixer_class
from tests.browser.compare_page import (
    FOUR,
    SHOWN,
    TEXTS,
    Opened,
    set_length,
    texts,
    until_longer,
    wait_for_status,
    write,
    write_again,
)

STOCK_GRADIO = {"aria-prohibited-attr", "image-redundant-alt"}
SIZES = [(1440, 730), (768, 1024), (390, 844)]
SHIFT = (
    "window.shift = 0; new PerformanceObserver(list => { for (const e of list.getEntries()) "
    "if (!e.hadRecentInput) window.shift += e.value; }).observe({type: 'layout-shift', buffered: true});"
)
NEWEST = """[...document.querySelectorAll('.card .text')].map(text => {
  const line = text.lastElementChild.getBoundingClientRect(), box = text.getBoundingClientRect();
  return line.bottom <= box.bottom + 2 && box.bottom <= innerHeight && line.bottom > box.top && line.top >= 0;
})"""


def test_on_arrival_the_cards_type_stored_samples_and_a_key_ends_that(page: Page) -> None:
    expect(page.locator(".card")).to_have_count(FOUR)
    until_longer(page, 30)
    page.keyboard.press("Shift")
    ended = texts(page)
    page.wait_for_timeout(400)
    assert texts(page) == ended
    assert page.locator(".card .status").all_text_contents() == ["stored"] * FOUR


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_newest_line_of_every_text_is_in_sight_while_it_is_written(
    open_page: Opened, width: int, height: int
) -> None:
    page = open_page(width, height)
    set_length(page, 5000)
    page.click("#write")
    until_longer(page, 500)
    assert page.evaluate(NEWEST) == [True] * FOUR
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Escape")
    wait_for_status(page, "stopped")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_page_hardly_shifts_while_it_loads(open_page: Opened, width: int, height: int) -> None:
    page = open_page(width, height, script=SHIFT)
    page.wait_for_timeout(2_500)
    assert page.evaluate("window.shift") < 0.1


def test_the_first_page_is_light_and_plotly_comes_when_a_chart_is_in_sight(open_page: Opened) -> None:
    page = open_page()
    page.wait_for_timeout(1_500)
    sizes = page.evaluate("performance.getEntriesByType('resource').map(e => [e.name, e.transferSize])")
    total = sum(size for _, size in sizes) + page.evaluate(
        "performance.getEntriesByType('navigation')[0].transferSize"
    )
    assert total < 750_000
    assert not any("plotly" in name for name, _ in sizes)
    page.get_by_role("tab", name="Results").click()
    page.locator(".chart").first.scroll_into_view_if_needed()
    page.wait_for_selector(".js-plotly-plot")


def test_all_texts_grow_side_by_side_and_stop_ends_them_within_a_second(page: Page) -> None:
    set_length(page, 5000)
    page.fill("#prompt textarea", "JULIET:\nO Romeo")
    page.click("#write")
    until_longer(page, 40)
    seen = min(map(len, texts(page)))
    until_longer(page, seen + 40)
    assert all(text.startswith("JULIET:\nO Romeo") for text in texts(page))
    clicked = time.monotonic()
    page.click("#stop")
    wait_for_status(page, "stopped")
    assert time.monotonic() - clicked < 1
    expect(page.locator("#write")).to_be_focused()
    assert max(map(len, texts(page))) < 5000


def test_two_clicks_are_two_texts_and_a_locked_seed_is_one(page: Page) -> None:
    first = write(page, "ROMEO:")
    write_again(page)
    second = texts(page)
    assert first != second
    page.click("#gear")
    page.get_by_label("Keep this seed").check()
    page.click("#settings-done")
    write_again(page)
    assert texts(page) == second


def test_a_new_prompt_replaces_what_is_being_written(page: Page) -> None:
    set_length(page, 5000)
    page.click("#write")
    until_longer(page, 60)
    page.fill("#prompt textarea", "HAMLET: ")
    page.press("#prompt textarea", "Enter")
    page.wait_for_function(f"({TEXTS}).every(text => text.startsWith('HAMLET: ') && text.length > 60)")
    page.keyboard.press("Escape")
    wait_for_status(page, "stopped")
    assert all(text.startswith("HAMLET: ") for text in texts(page))


def test_a_text_ends_at_the_end_of_a_line(page: Page) -> None:
    for text in write(page, "ROMEO:", 100):
        assert text.endswith("\n") or len(text) == len("ROMEO:") + 180


def test_a_copied_link_gives_the_same_texts_to_somebody_else(page: Page, open_page: Opened) -> None:
    page.get_by_text("8", exact=True).click()
    written = write(page, "First Citizen:\nWe & <b>they</b>", 50)
    page.click("#copy-link")
    expect(page.locator("#copy-link")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    query = parse_qs(urlsplit(link).query)
    assert query["context"] == ["8"] and "seed" in query and "<b>" in query["prompt"][0]
    other = open_page(path="/?" + urlsplit(link).query)
    wait_for_status(other, "done")
    assert texts(other) == written


def test_a_reload_keeps_prompt_and_texts_and_back_returns_to_the_text_before(page: Page) -> None:
    first = write(page, "ROMEO:", 40)
    second = write(page, "JULIET:", 40)
    page.reload()
    page.wait_for_selector(".card h2")
    wait_for_status(page, "done")
    assert texts(page) == second
    expect(page.locator("#prompt textarea")).to_have_value("JULIET:")
    page.go_back()
    page.wait_for_function(f"({TEXTS}).every(text => text.startsWith('ROMEO:'))")
    wait_for_status(page, "done")
    assert texts(page) == first


def test_a_link_opens_its_tab_and_a_tab_stands_in_the_link(open_page: Opened) -> None:
    page = open_page(path="/?tab=results")
    expect(page.get_by_role("tab", name="Results")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Train").click()
    page.wait_for_url("**/?tab=train")
    page.reload()
    expect(page.get_by_role("tab", name="Train")).to_have_attribute("aria-selected", "true")


def test_seeing_two_characters_only_changes_every_text(page: Page) -> None:
    write(page, "ROMEO:", 60)
    page.click("#gear")
    page.get_by_label("Keep this seed").check()
    page.click("#settings-done")
    whole = texts(page)
    page.get_by_text("2", exact=True).first.click()
    write_again(page)
    assert all(a != b for a, b in zip(whole, texts(page), strict=True))


def test_the_blind_test_hides_names_until_somebody_answers(page: Page) -> None:
    page.get_by_label("Blind").check()
    write(page, "ROMEO:", 40)
    names = page.locator(".card h2").all_text_contents()
    assert names == [f"Text {letter}" for letter in "ABCD"[:FOUR]]
    page.locator(".guess").first.click()
    expect(page.locator("p.note")).to_contain_text("that was")
    assert sorted(page.locator(".card h2").all_text_contents()) == sorted(mixer_class(m).title for m in SHOWN)


def test_the_committee_writes_one_text_more(page: Page) -> None:
    page.click("#gear")
    page.get_by_label("Committee").check()
    page.click("#settings-done")
    write(page, "ROMEO:", 30)
    expect(page.locator(".card")).to_have_count(FOUR + 1)
    expect(page.locator(".card h2").last).to_have_text("Committee")


def test_learning_the_prompt_first_says_how_long_it_took(page: Page) -> None:
    page.click("#gear")
    page.get_by_label("number input for Learn the prompt first").fill("1")
    page.keyboard.press("Tab")
    page.click("#settings-done")
    write(page, "It was the best of times, it was the worst of times, it was the age of wisdom.", 20)
    expect(page.locator(".card .learnt").first).to_contain_text("learnt the prompt in")


def test_a_sheet_tells_what_a_model_is(page: Page) -> None:
    page.get_by_label("About LSTM", exact=True).click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("characters read")
    expect(dialog).to_contain_text("tanh")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_text_can_be_copied(page: Page) -> None:
    written = write(page, "ROMEO:", 30)
    page.get_by_label("Copy this text").first.click()
    page.wait_for_selector(".copied")
    assert page.evaluate("navigator.clipboard.readText()") == written[0]


def test_a_foreign_character_is_folded_with_a_visible_note(page: Page) -> None:
    assert all(text.startswith("Cafe ") for text in write(page, "Café 語", 5))
    expect(page.locator("p.note")).to_contain_text("1 replaced by a similar one")


def test_text_that_looks_like_html_stays_text(page: Page) -> None:
    assert all(text.startswith("a&b'b;!-?") for text in write(page, "a&b'b;!-?", 5))


def test_without_a_model_a_message_says_what_to_do_and_write_is_there_again(page: Page) -> None:
    page.click("#gear")
    for name in SHOWN:
        page.get_by_label(mixer_class(name).title, exact=True).uncheck()
    expect(page.locator(".card")).to_have_count(0)
    page.click("#settings-done")
    page.click("#write")
    expect(page.get_by_text("choose at least one")).to_be_visible()
    expect(page.locator("#write")).to_be_visible()


def test_another_preset_writes_with_other_weights(page: Page) -> None:
    page.click("#gear")
    page.get_by_label("replica").check()
    page.click("#settings-done")
    page.wait_for_timeout(500)
    page.get_by_label("About LSTM", exact=True).click()
    expect(page.locator("dialog")).to_contain_text("2 layers of 128")


def test_on_a_telephone_a_tap_opens_one_text_whole(open_page: Opened) -> None:
    page = open_page(390, 844)
    page.keyboard.press("Shift")
    page.locator(".card .text").nth(1).click()
    box = page.locator(".card.whole").bounding_box()
    assert box is not None and box["height"] == 844
    page.keyboard.press("Escape")
    expect(page.locator(".card.whole")).to_have_count(0)


def test_compare_works_by_keyboard_alone(page: Page) -> None:
    set_length(page, 5000)  # long enough to be stopped
    page.focus("#prompt textarea")
    page.keyboard.press("Control+A")
    page.keyboard.type("HENRY:")
    page.keyboard.press("Tab")
    expect(page.locator("#write")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    until_longer(page, 30)
    expect(page.locator("#stop")).to_be_focused()
    page.keyboard.press("Escape")
    wait_for_status(page, "stopped")
    order = []
    for _ in range(30):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert (
        order.index("dice") < next(i for i, name in enumerate(order) if name == "text") < order.index("gear")
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_compare_has_one_main_heading_and_no_accessibility_fault(
    open_page: Opened, width: int, theme: str
) -> None:
    page = open_page(width, 900, f"/?__theme={theme}")
    page.keyboard.press("Shift")
    expect(page.locator(".loading:visible")).to_have_count(0)
    assert page.locator("h1:visible").count() == 1
    violations = Axe().run(page).response["violations"]
    found = {
        v["id"]: [node["html"][:120] for node in v["nodes"]]
        for v in violations
        if v["id"] not in STOCK_GRADIO
    }
    assert found == {}


def test_the_page_describes_itself_once_in_our_words(page: Page) -> None:
    for name in ("og:title", "og:description", "og:image", "twitter:card"):
        found = page.locator(f"meta[property='{name}'], meta[name='{name}']")
        assert found.count() == 1 and "Gradio" not in (found.get_attribute("content") or "")
