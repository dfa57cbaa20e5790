"""The cards of the Compare tab: which start wins, what Escape closes, whose samples they show, the blind test."""

from playwright.sync_api import Page, expect

from minrnn import checkpoint
from minrnn.models import MODEL_NAMES, mixer_class
from tests.browser.compare_page import FIRST, FOUR, SHOWN, TEXTS, set_length, texts, wait_for_status

COUNT_ENDS = """() => {
  window.ended = 0;
  const over = window.minrnn.over;
  window.minrnn.over = function () { window.ended += 1; over.call(this); };
}"""
TWO_STARTS = """() => {
  const box = document.querySelector('#prompt textarea');
  for (const prompt of ['FIRST: ', 'SECOND: ']) {
    box.value = prompt;
    box.dispatchEvent(new Event('input', {bubbles: true}));
    document.getElementById('write').click();
  }
}"""


def test_of_two_starts_in_one_moment_the_last_wins(page: Page) -> None:
    set_length(page, 5000)
    page.evaluate(COUNT_ENDS)
    page.evaluate(TWO_STARTS)
    page.wait_for_function("window.ended === 1")
    assert max(map(len, texts(page))) < 2_500  # the first one did not come to its own end
    page.wait_for_function(f"({TEXTS}).every(text => text.startsWith('SECOND: ') && text.length > 60)")
    page.keyboard.press("Escape")
    wait_for_status(page, "stopped")


def test_enter_that_is_held_down_begins_one_text(page: Page) -> None:
    set_length(page, 60)
    page.evaluate(COUNT_ENDS)
    page.focus("#write")
    for _ in range(20):
        page.keyboard.down("Enter")
        page.wait_for_timeout(20)
    wait_for_status(page, "done")
    assert page.evaluate("window.ended") == 1


AS_IF_WRITING = """() => {
  window.stops = 0;
  document.getElementById('compare').classList.add('writing');
  document.getElementById('stop').addEventListener('click', () => { window.stops += 1; });
}"""


def test_escape_closes_only_what_lies_on_top(page: Page) -> None:
    page.evaluate(AS_IF_WRITING)
    page.click("#gear")
    page.get_by_label("About LSTM", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#compare.settings-open")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#compare.settings-open")).to_have_count(0)
    assert page.evaluate("window.stops") == 0
    page.keyboard.press("Escape")
    assert page.evaluate("window.stops") == 1


def test_escape_in_another_tab_or_in_a_dialog_there_stops_no_text(page: Page) -> None:
    page.evaluate(AS_IF_WRITING)
    page.get_by_role("tab", name="Train").click()
    page.wait_for_url("**/?tab=train")
    page.evaluate("document.body.appendChild(document.createElement('dialog')).showModal()")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Escape")
    assert page.evaluate("window.stops") == 0


def sample(preset: str, model: str) -> str:
    found = checkpoint.read_metrics(checkpoint.bundled(preset, model) / "metrics.json")["sample"]
    return str(found["prompt"] + found["text"])


def test_other_models_and_other_weights_show_their_own_samples(page: Page) -> None:
    other = next(name for name in MODEL_NAMES if name not in SHOWN)
    page.click("#gear")
    page.get_by_label(mixer_class(other).title, exact=True).check()
    expect(page.locator(".card")).to_have_count(FOUR + 1)
    assert texts(page) == [sample(FIRST, name) for name in MODEL_NAMES]
    page.get_by_label("replica").check()
    expect(page.locator(".card")).to_have_count(FOUR)
    page.wait_for_function(f"first => ({TEXTS})[0] === first", arg=sample("replica", SHOWN[0]))
    assert texts(page) == [sample("replica", name) for name in SHOWN]


def test_a_verdict_stays_until_the_next_text(page: Page) -> None:
    set_length(page, 5000)
    page.get_by_label("Blind").check()
    page.click("#write")
    wait_for_status(page, "writing")
    page.locator(".guess").first.click()
    page.keyboard.press("Escape")
    wait_for_status(page, "stopped")
    expect(page.locator("p.note")).to_contain_text("that was")
    page.click("#write")
    expect(page.locator("p.note")).to_be_empty()


def test_without_a_gpt_nobody_is_asked_which_one_it_is(page: Page) -> None:
    page.get_by_label("Blind").check()
    expect(page.locator(".guess:visible")).to_have_count(FOUR)
    page.click("#gear")
    page.get_by_label("nanoGPT", exact=True).uncheck()
    expect(page.locator(".card")).to_have_count(FOUR - 1)
    expect(page.locator(".guess:visible")).to_have_count(0)
    expect(page.locator(".card h2").first).to_have_text("Text A")
