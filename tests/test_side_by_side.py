"""Several models continue one prompt: what is checked first, and what is seen of a text."""

from typing import Any

import pytest
import torch

from minrnn.config import ModelConfig, Sampling
from minrnn.errors import ConfigError
from minrnn.generate import Chunk
from minrnn.learn import SEGMENT, Learning, learnt
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.settings import MAX_PROMPT_CHARS
from minrnn.side_by_side import Written, check_prompt, folded_for, taught
from minrnn.text import CharVocab

VOCAB = "\nabcdefgh"


@pytest.fixture(scope="module")
def models() -> dict[str, LanguageModel]:
    torch.manual_seed(0)
    shape = {"n_layer": 1, "n_embd": 16, "block_size": 8}
    return {n: LanguageModel(ModelConfig(n, VOCAB, **shape)).eval() for n in MODEL_NAMES}


def text_of(model: LanguageModel, prompt: str, **sampling: int) -> str:
    return "".join(
        chunk.text for chunk in taught(model, prompt, Sampling(**{"max_new_tokens": 5, **sampling}))
    )


def test_a_copy_learns_in_pieces_and_then_writes_as_a_model_that_has_learnt(
    models: dict[str, LanguageModel],
) -> None:
    prompt, lessons = "abcdefgh" * 16, Learning(2, 0.1)
    for model in models.values():
        chunks = list(taught(model, prompt, Sampling(max_new_tokens=10), None, lessons))
        pupil = learnt(model, CharVocab(VOCAB).encode(prompt), lessons)
        assert sum(not chunk.text for chunk in chunks) >= 2 * len(prompt) // SEGMENT
        assert 0 < chunks[0].learn_s < chunks[-1].learn_s
        assert "".join(chunk.text for chunk in chunks) == text_of(pupil, prompt, max_new_tokens=10)


def test_a_text_keeps_the_reason_for_its_end() -> None:
    done = Written("ab").after(Chunk("c", 3, 1.0, 0.5, 0, "length"))
    assert done.text == "abc" and done.ended("stopped") == done
    assert Written("ab", place=3).ended("stopped") == Written("ab", finish_reason="stopped")


def test_a_prompt_over_the_limit_is_refused_with_the_limit() -> None:
    with pytest.raises(ConfigError, match=f"{MAX_PROMPT_CHARS:,}"):
        check_prompt("a" * (MAX_PROMPT_CHARS + 1))


@pytest.mark.parametrize("prompt", [None, 5, ["a"], b"a"])
def test_a_prompt_that_is_no_text_is_refused(prompt: Any) -> None:
    with pytest.raises(ConfigError, match="it must be a text"):
        check_prompt(prompt)


@pytest.mark.parametrize("prompt", ["", "日本", "\ud800", "\0", "\ufeff"])
def test_a_prompt_without_a_known_character_starts_from_a_newline(
    prompt: str, models: dict[str, LanguageModel]
) -> None:
    model = next(iter(models.values()))
    folded = folded_for(model, prompt)
    assert folded.text == "" and folded.dropped == len(prompt)
    assert text_of(model, folded.text) == text_of(model, "\n")
