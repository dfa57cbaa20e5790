"""The measure of repetition: nothing repeated, a loop, and what lies between."""

import string

import pytest
import torch

from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.models import LanguageModel
from minrnn.results import repetition, tables
from minrnn.results.repetition import measure, repeated_share


def test_a_text_of_different_strings_repeats_nothing() -> None:
    assert repeated_share(string.printable) == 0


def test_a_loop_repeats_all_but_its_first_turn() -> None:
    assert repeated_share("abcde" * 400) == pytest.approx(1 - 5 / 1981)


def test_the_share_counts_strings_and_not_characters() -> None:
    assert repeated_share("abab", 2) == pytest.approx(1 / 3)


def test_a_text_shorter_than_one_string_is_refused() -> None:
    with pytest.raises(ConfigError, match="3 characters holds no string of 20; give a longer text"):
        repeated_share("abc")


@pytest.mark.parametrize("chars", [0, 1, 19, 5_001])
def test_a_length_that_cannot_be_counted_is_refused_before_anything_is_written(chars: int) -> None:
    model = LanguageModel(ModelConfig("mingru", "ab\n", n_layer=1, n_embd=16)).eval()
    with pytest.raises(ConfigError, match=rf"chars is {chars:,}; it must lie between 20, .* and 5,000"):
        measure(model, chars=chars)


def test_greedy_decoding_of_a_small_model_loops_and_sampling_does_not() -> None:
    torch.manual_seed(0)
    model = LanguageModel(ModelConfig("mingru", string.ascii_letters + "\n", n_layer=1, n_embd=16)).eval()
    greedy, drawn = measure(model, (0.0, 1.0), chars=400)
    assert len(greedy.text) == 400 and greedy.share > 0.5 and drawn.share < 0.1


def test_shares_of_repetition_make_a_table() -> None:
    measured = [repetition.Repetition(0.0, 0.981, ""), repetition.Repetition(0.8, 0.002, "")]
    assert "| `base/mingru` | 98.1% | 0.2% |" in repetition.shares_table([("base/mingru", measured)])
    assert repetition.shares_table([]) == tables.NOT_YET
