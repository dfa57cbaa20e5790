"""Several models continue one prompt: the snapshots."""

import time

import pytest
import torch

from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig, Sampling
from minrnn.errors import ConfigError
from minrnn.generate import stream
from minrnn.library import Entry
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.settings import MAX_NEW_TOKENS, MAX_PROMPT_CHARS
from minrnn.side_by_side import check_prompt, race
from minrnn.ui import panels

VOCAB = "\nabcdefgh"


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    torch.manual_seed(0)
    models = [
        LanguageModel(ModelConfig(n, VOCAB, n_layer=1, n_embd=16, block_size=8)).eval() for n in MODEL_NAMES
    ]
    return [Entry(m.config.mixer, m.config.mixer, Checkpoint(m, {}, "here"), "bundled") for m in models]


def test_the_first_snapshot_comes_at_once_and_the_last_says_why_each_ended(entries: list[Entry]) -> None:
    snapshots = list(race(entries, "ab", Sampling(max_new_tokens=20)))
    assert {lane.text for lane in snapshots[0].values()} == {""}
    assert {lane.finish_reason for lane in snapshots[-1].values()} == {"length"}
    assert {len(lane.text) for lane in snapshots[-1].values()} == {20}


def test_racing_changes_no_models_text(entries: list[Entry]) -> None:
    sampling = Sampling(max_new_tokens=30, seed=7)
    last = list(race(entries, "ab", sampling))[-1]
    for entry in entries:
        assert last[entry.key].text == "".join(chunk.text for chunk in stream(entry.model, "ab", sampling))


def test_the_deadline_ends_everybody(entries: list[Entry]) -> None:
    started = time.monotonic()
    last = list(race(entries, "", Sampling(max_new_tokens=MAX_NEW_TOKENS), deadline_s=0.3))[-1]
    assert time.monotonic() - started < 3
    assert {lane.finish_reason for lane in last.values()} == {"deadline"}


def test_snapshots_come_no_faster_than_a_browser_can_show_them(entries: list[Entry]) -> None:
    started = time.monotonic()
    count = len(list(race(entries, "", Sampling(max_new_tokens=300))))
    assert count <= (time.monotonic() - started) / 0.05 + 3


def test_a_prompt_over_the_limit_is_refused_with_the_limit() -> None:
    with pytest.raises(ConfigError, match=f"{MAX_PROMPT_CHARS:,}"):
        check_prompt("a" * (MAX_PROMPT_CHARS + 1))


def test_stop_ends_everybody_who_still_writes(entries: list[Entry]) -> None:
    asked = iter([False] * 8 + [True])
    sampling = Sampling(max_new_tokens=MAX_NEW_TOKENS)
    last = list(race(entries, "", sampling, should_stop=lambda: next(asked)))[-1]
    assert {lane.finish_reason for lane in last.values()} == {"stopped"}
    assert all(0 < len(lane.text) < MAX_NEW_TOKENS for lane in last.values())


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (512, "512 B"), (24_576, "24.6 kB"), (2_889_728, "2.9 MB")]
)
def test_sizes_read_as_people_write_them(count: int, text: str) -> None:
    assert panels.bytes_text(count) == text
