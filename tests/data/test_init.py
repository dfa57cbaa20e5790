"""One namespace of names: a text's or a task's."""

import dataclasses

import pytest

from minrnn import data
from minrnn.config import ModelConfig
from minrnn.corpora import CORPORA, OWN, own
from minrnn.errors import ConfigError, CorpusError
from minrnn.models import MIXERS
from minrnn.tasks import TASKS


def test_no_task_has_the_name_of_a_text() -> None:
    assert not TASKS.keys() & {*CORPORA, OWN}


def test_a_task_is_loaded_by_its_name_as_a_text_is() -> None:
    assert all(data.load(name) is TASKS[name] and data.is_named(name) for name in TASKS)
    assert set(TASKS) < set(data.names())
    with pytest.raises(
        CorpusError, match="'no_such_text' is neither a text nor a task; choose one of: .*parity"
    ):
        data.load("no_such_text")


@pytest.mark.parametrize("name", TASKS)
def test_the_hash_of_a_task_tells_its_name_its_sizes_and_its_rule(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TASKS[name]
    assert task.sha256 == type(task)().sha256 and len(task.sha256) == 64
    assert task.sha256 != dataclasses.replace(task, trained_length=task.trained_length + 1).sha256
    assert len({other.sha256 for other in TASKS.values()}) == len(TASKS)
    before, draw = task.sha256, type(task)._draw
    monkeypatch.setattr(type(task), "_draw", lambda *given: tuple(part.flip(1) for part in draw(*given)))
    assert task.sha256 != before


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("mixer", MIXERS)
def test_only_learned_positions_must_reach_over_a_tasks_text(mixer: str, name: str) -> None:
    task = TASKS[name]
    data.check(task, ModelConfig(mixer, task.vocab, block_size=task.trained_length))
    short = ModelConfig(mixer, task.vocab, block_size=task.trained_length - 1)
    if not MIXERS[mixer].learned_positions:
        return data.check(task, short)
    with pytest.raises(
        ConfigError, match=f"{task.trained_length - 1} and the texts of the task '{name}'.*at least"
    ):
        data.check(task, short)


def test_a_text_shorter_than_a_window_is_refused_before_training() -> None:
    text = own.from_text("abc" * 400)
    with pytest.raises(CorpusError, match="longer text or a smaller window"):
        data.check(text, ModelConfig("mingru", text.vocab, block_size=1_200))


def test_a_training_window_is_the_tasks_length_or_the_models_block() -> None:
    shape = ModelConfig("mingru", block_size=77)
    assert data.window("tinyshakespeare", shape) == 77
    assert all(data.window(name, shape) == TASKS[name].trained_length for name in TASKS)
