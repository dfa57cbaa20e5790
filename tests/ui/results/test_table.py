"""The loss table and the sources: every figure, every word escaped."""

from collections.abc import Callable

from minrnn import results
from minrnn.results import Result
from minrnn.ui.results.table import sources, table


def test_words_from_metrics_are_escaped(result: Callable[..., Result]) -> None:
    page = table([result("<img onerror=x>", "<b>", device="<script>")], results.published())
    assert "<img" not in page and "<script" not in page and "<b></th>" not in page
    assert "&lt;script&gt;" in page and "&lt;img onerror=x&gt;" in page


def test_the_table_holds_every_figure_of_ours() -> None:
    own = results.bundled()
    page = table(own, [])
    for r in own:
        assert f"<b>{r.val_loss:.4f}</b>" in page and f">{r.val_loss_streaming:.4f}<" in page


def test_the_table_holds_every_published_figure() -> None:
    page = table([], results.published())
    for entry in results.published():
        assert f"<b>{entry.loss:g}</b></td>" in page


def test_every_published_figure_has_its_source_and_what_differs() -> None:
    page = sources(results.published())
    for entry in results.published():
        assert f"<b>{entry.loss:g}</b>" in page and entry.note in page and entry.url in page


def test_every_cell_says_its_column_for_a_narrow_page(result: Callable[..., Result]) -> None:
    page = table([result()], results.published())
    assert page.count("<td ") == page.count("data-label='") == 7 * (1 + len(results.published()))
    assert page.count("role='row'") == page.count("<tr ")
