"""The page's address: what a link opens, and what a page keeps beside it."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare_page import Opened, texts, wait_for_status, write


def keep_seed(page: Page, seed: int) -> None:
    page.click("#gear")
    page.get_by_label("Seed", exact=True).fill(str(seed))
    page.get_by_label("Keep this seed").check()
    page.click("#settings-done")


@pytest.mark.parametrize(
    "path",
    ["/?tab=inside&prompt=KING&seed=5&max_new_tokens=9", "/?seed=5&prompt=First%20Citizen&max_new_tokens=9"],
)
def test_opening_a_link_leaves_its_address_and_the_history_alone(open_page: Opened, path: str) -> None:
    page = open_page(path=path)
    wait_for_status(page, "done")
    assert page.url.endswith(path)
    assert page.evaluate("history.length") == 2  # an empty page, and this one


def test_reloads_in_another_tab_stay_there_and_keep_the_texts(page: Page) -> None:
    written = write(page, "ROMEO:", 20)
    results = page.get_by_role("tab", name="Results")
    results.click()
    page.wait_for_url("**&tab=results")
    for _ in range(2):
        page.reload()
        wait_for_status(page, "done")
        expect(results).to_have_attribute("aria-selected", "true")
    assert texts(page) == written and page.url.endswith("&tab=results")


def test_the_link_of_a_text_written_with_seed_0_says_so(page: Page, open_page: Opened) -> None:
    keep_seed(page, 0)
    written = write(page, "", 20)
    page.click("#copy-link")
    expect(page.locator("#copy-link")).to_have_text("Copied")
    query = urlsplit(page.evaluate("navigator.clipboard.readText()")).query
    assert "seed=0" in query
    other = open_page(path="/?" + query)
    wait_for_status(other, "done")
    assert texts(other) == written


def test_a_prompt_too_long_for_an_address_is_kept_beside_it(page: Page) -> None:
    long = "To be, " * 1_200
    written = write(page, long, 5)
    query = parse_qs(urlsplit(page.url).query)
    assert "seed" in query and "prompt" not in query
    for forget in ("0", "sessionStorage.clear()"):
        page.evaluate(forget)
        page.reload()
        wait_for_status(page, "done")
        expect(page.locator("#prompt textarea")).to_have_value(long)
        assert texts(page) == written
    page.click("#copy-link")
    expect(page.locator("#copy-link")).to_have_text("Prompt too long for a link")


def test_without_a_clipboard_a_selection_is_copied(open_page: Opened) -> None:
    page = open_page(script="Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    written = write(page, "ROMEO:", 20)
    copied = [("#copy-link", page.url), ("[aria-label='Copy this text'] >> nth=0", written[0])]
    for button, text in copied:
        page.click(button)
        page.wait_for_timeout(200)
        page.fill("#prompt textarea", "")
        page.press("#prompt textarea", "Control+V")
        expect(page.locator("#prompt textarea")).to_have_value(text)


def test_where_nothing_can_be_copied_the_page_says_so(open_page: Opened) -> None:
    page = open_page(
        script="Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
    )
    page.get_by_label("Copy this text").first.click()
    expect(page.locator("p.note")).to_contain_text("does not allow")
    page.click("#copy-link")
    expect(page.locator("#copy-link")).to_have_text("Not allowed by the browser")
