"""The cards hold every figure of a checkpoint, whatever it is called, and the limits of the finding."""

import json
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from minrnn import results
from minrnn.results import Result, together, verdicts, weights
from minrnn.results.finding import finding
from minrnn.results.together import Together
from minrnn.ui.results.summary import card, limits, summary
from tests.results.bundled_copy import change, copied

OWN = results.bundled()


@pytest.mark.parametrize("own", OWN, ids=lambda r: f"{r.preset}-{r.model}")
def test_a_card_holds_every_figure(own: Result) -> None:
    page = card(own)
    for figure in (own.val_loss, own.val_loss_streaming, own.bits_per_char):
        assert f"<b>{figure:.3f}</b>" in page
    assert f"{own.tokens_seen / 1e6:.1f} M characters" in page and escape(own.command) in page
    assert "Convolution" in page and "Dropout" in page and "AMD EPYC, 1 thread<" in page
    assert page.count("flex-grow") == sum(count > 0 for count in own.params.values())


def test_the_command_is_behind_a_click() -> None:
    assert f"<summary>Command</summary><pre tabindex='0'>{escape(OWN[0].command)}" in card(OWN[0])


def test_words_from_metrics_are_escaped(result: Callable[..., Result]) -> None:
    page = summary([result("<img onerror=x>", "<b>", device="<script>", command="<i>'\"")])
    assert "<img" not in page and "<script" not in page and "<i>'" not in page
    assert "&lt;img onerror=x&gt;" in page and "&lt;script&gt;" in page


def test_a_checkpoint_whose_shape_cannot_be_read_keeps_its_figures(
    tmp_path: Path, result: Callable[..., Result]
) -> None:
    (tmp_path / "config.json").write_text("{")
    page = card(result(folder=tmp_path))
    assert "1.500" in page and "Dropout" not in page


@pytest.mark.parametrize("preset", ["base", "replica"])
def test_the_finding_stands_above_the_cards(preset: str) -> None:
    own = [r for r in OWN if r.preset == preset]
    page = summary(own)
    said = escape(finding(own, weights.stored().spread)).removeprefix("The best")
    assert 0 < page.index(said) < page.index("<article") and page.count("<article") == len(own)


def test_above_the_models_of_the_table_stands_what_the_table_says() -> None:
    heading = f"<h2 class='finding'>{escape(verdicts.headline(weights.stored()))}</h2>"
    assert heading in summary([r for r in OWN if r.preset == "base"])
    assert heading not in summary([r for r in OWN if r.preset == "replica"])


def test_a_card_says_which_text_its_model_was_trained_on(result: Callable[..., Result]) -> None:
    assert "<dt>Text</dt><dd>all plays</dd>" in card(result(corpus="allplays"))
    assert "<dt>Text</dt>" not in card(result())


@pytest.mark.parametrize(("last", "named"), [(1.5, True), (1.41, False)])
def test_a_model_whose_loss_rose_before_its_end_is_named(
    last: float, named: bool, tmp_path: Path, result: Callable[..., Result]
) -> None:
    losses = {0: 4.0, 2_000_000: 1.4, 4_000_000: last}
    same = {"event": "eval", "seconds": 1.0, "peak_bytes": 0}
    events = [{**same, "iter": n, "val_loss": v, "tokens": n} for n, v in losses.items()]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    said = (
        "minGRU was better before its end: its live estimate rose from 1.400 after 2.0 M characters to 1.500."
    )
    assert (said in summary([result(folder=tmp_path)])) == named


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({("base", "mingru"), ("base", "minlstm"), ("replica", "lstm")}, "minGRU and minLSTM have a short convolution"),
        ({("base", "mingru"), ("replica", "lstm")}, "LSTM has none"),
        ({("base", "mingru"), ("base", "lstm")}, "Every model has a short convolution in each layer"),
        ({("replica", "mingru"), ("replica", "lstm")}, ""),
    ],
)  # fmt: skip
def test_the_limits_name_who_has_a_convolution(chosen: set[tuple[str, str]], said: str) -> None:
    own = [r for r in OWN if (r.preset, r.model) in chosen]
    found = [text for text in limits(own, 0.01) if "convolution" in text]
    assert len(found) == bool(said) and said in "".join(found)


def test_what_models_reach_together_is_said_of_the_weights_that_lie_there_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied("replica", tmp_path, monkeypatch)
    own = together.members_of("replica")
    one = Together(together.digests(own), 1.2345, 1.2344, 1.2343, 0.1)
    monkeypatch.setattr(together, "read", lambda path=None: {"replica": one})
    assert "2 models have 1.234 nats" in summary(own)
    change("replica", "lstm")
    assert "1.234" not in summary(own) and "Together" not in summary(own)


def test_without_checkpoints_nothing_breaks() -> None:
    assert "<article" not in summary([])
