"""Several models continue one prompt: the snapshots."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import pytest
import torch

from minrnn import side_by_side, text
from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig, Sampling
from minrnn.errors import ConfigError
from minrnn.generate import stream
from minrnn.library import Entry, Library
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.settings import MAX_NEW_TOKENS, MAX_PROMPT_CHARS
from minrnn.side_by_side import Snapshot, check_prompt, folded_for, write
from minrnn.ui.compare import api, writing

VOCAB = "\nabcdefgh"


@pytest.fixture(scope="module")
def models() -> dict[str, LanguageModel]:
    torch.manual_seed(0)
    shape = {"n_layer": 1, "n_embd": 16, "block_size": 8}
    return {n: LanguageModel(ModelConfig(n, VOCAB, **shape)).eval() for n in MODEL_NAMES}


def snapshots(
    models: dict[str, LanguageModel], prompt: str = "", count: int = MAX_NEW_TOKENS, **more: Any
) -> list[Snapshot]:
    return list(write(models, dict.fromkeys(models, prompt), Sampling(max_new_tokens=count, seed=7), **more))


def reasons(snapshot: Snapshot) -> set[str | None]:
    return {written.finish_reason for written in snapshot.values()}


def test_the_first_snapshot_comes_at_once_and_the_last_says_why_each_ended(
    models: dict[str, LanguageModel],
) -> None:
    first, *_, last = snapshots(models, "ab", 20)
    assert {written.text for written in first.values()} == {""}
    assert reasons(first) == {None} and reasons(last) == {"length"}
    assert {len(written.text) for written in last.values()} == {20}


def test_writing_together_changes_no_models_text(models: dict[str, LanguageModel]) -> None:
    last = snapshots(models, "ab", 30)[-1]
    for key, model in models.items():
        alone = stream(model, "ab", Sampling(max_new_tokens=30, seed=7))
        assert last[key].text == "".join(chunk.text for chunk in alone)


def test_a_snapshot_has_the_figures_of_every_model(models: dict[str, LanguageModel]) -> None:
    for key, written in snapshots(models, "ab", 20)[-1].items():
        assert written.n_params == models[key].n_params
        assert written.tokens_per_s > 0 and written.ttft_s > 0 and written.state_bytes > 0


def test_the_deadline_ends_every_text(models: dict[str, LanguageModel]) -> None:
    started = time.monotonic()
    last = snapshots(models, deadline_s=0.3)[-1]
    assert time.monotonic() - started < 3
    assert reasons(last) == {"deadline"}


def test_snapshots_come_no_faster_than_a_browser_can_show_them(models: dict[str, LanguageModel]) -> None:
    started = time.monotonic()
    count = len(snapshots(models, count=300))
    assert count <= (time.monotonic() - started) / side_by_side.YIELD_S + 3


def test_stop_ends_every_text_that_is_not_finished(models: dict[str, LanguageModel]) -> None:
    asked = iter([False] * 8 + [True])
    last = snapshots(models, should_stop=lambda: next(asked))[-1]
    assert reasons(last) == {"stopped"}
    assert all(0 < len(written.text) < MAX_NEW_TOKENS for written in last.values())


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
    empty, newline = (snapshots({"only": model}, start, 5)[-1] for start in (folded.text, "\n"))
    assert empty["only"].text == newline["only"].text


# A long prompt of foreign characters is folded once for each model, not for each snapshot.

FOREIGN = "日本" * (MAX_PROMPT_CHARS // 2)


@pytest.fixture
def library(models: dict[str, LanguageModel]) -> Library:
    entries = {
        key: Entry(key, key, Checkpoint(model, {}, "a test"), "a test") for key, model in models.items()
    }
    return Library({"base": entries})


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are folded, whoever asks for it; snapshots come after every slice meanwhile."""
    texts: list[str] = []
    inside = text._composed
    monkeypatch.setattr(
        text, "_composed", lambda folded, known: texts.append(folded) or inside(folded, known)
    )
    monkeypatch.setattr(side_by_side, "YIELD_S", 0.0)
    return texts


def by_a_script(library: Library) -> Iterator[Any]:
    with gr.Blocks() as blocks:
        api.endpoints(library)
    generate = next(fn.fn for fn in blocks.fns.values() if fn.api_name == "generate")
    return generate(FOREIGN, preset="base", max_new_tokens=1000)


def by_the_page(library: Library) -> Iterator[Any]:
    asked = writing.request({"prompt": FOREIGN, "preset": "base", "max_new_tokens": 1000})
    return writing.begin(asked, library).snapshots


@pytest.mark.parametrize("way", [by_a_script, by_the_page])
def test_a_prompt_is_folded_once_a_model_however_many_snapshots(
    way: Callable[[Library], Iterator[Any]], library: Library, folds: list[str]
) -> None:
    assert len(list(way(library))) > 3 * len(MODEL_NAMES)
    assert folds == [FOREIGN] * len(MODEL_NAMES)
