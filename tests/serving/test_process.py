"""What a worker is sent: its models within a bound of bytes, and none taken from a text that waits for its turn."""

import threading
from collections.abc import Iterator

import pytest
import torch

from minrnn import settings
from minrnn.config import ModelConfig, Sampling
from minrnn.generate import stream
from minrnn.models import LanguageModel
from minrnn.serving import channel, process, worker
from minrnn.serving.store import Store
from minrnn.serving.worker import Begin, Load, Wrote
from minrnn.serving.writers import Writers
from tests.serving.test_writers import alone, asked, small, texts

ONE = process.held_bytes(small("lstm"))


@pytest.fixture(params=[1, 0], ids=["a process", "a thread"])
def tight(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writers]:
    """Workers with room for two models that are sent."""
    monkeypatch.setattr(settings, "MAX_SENT_BYTES", 2 * ONE)
    with Writers([small("mingru")], request.param) as found:
        yield found


def test_a_worker_keeps_models_up_to_its_bytes_and_those_that_come_back_are_sent_again(
    tight: Writers,
) -> None:
    models = [small("lstm") for _ in range(5)]
    for model in [*models, *models]:
        one = asked({"lstm": model}, 1)
        assert texts(tight.begin(one)) == alone(one)
        held = [found for found in [*tight._workers, tight._within] if found is not None]
        assert all(sum(found._sent.values()) <= 2 * ONE for found in held)
        if tight._within is not None:
            assert len(tight._store._models) <= 3  # with the one from the start


def test_a_model_that_is_larger_than_all_room_is_kept_while_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "MAX_SENT_BYTES", 0)
    with Writers() as found:
        one = asked({"a": small("lstm"), "b": small("gru")}, 1)
        assert texts(found.begin(one)) == alone(one)
        assert found._within is not None and len(found._within._sent) == 1


def test_all_workers_share_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_SENT_BYTES", 100)
    with Writers([small("lstm")], 2) as found:
        assert [one._room for one in found._workers] == [50, 50]


def test_a_text_that_waits_for_its_first_turn_keeps_its_model_when_it_goes() -> None:
    ours, theirs = channel.pair()
    model, sampling = small("lstm"), Sampling(max_new_tokens=5)
    ours.send(Load(5, model))
    ours.send(Begin(1, ("a", "b"), (5,), "abc", sampling))
    ours.send(Load(6, small("gru"), forget=(5,)))
    threading.Thread(target=worker.work, args=(theirs, Store({})), daemon=True).start()
    found, ends = "", None
    while not ends:
        answer = ours.recv()
        assert isinstance(answer, Wrote)
        found, ends = found + answer.chunk.text, answer.chunk.finish_reason
    ours.send(None)
    assert found == "".join(chunk.text for chunk in stream(model, "abc", sampling))


def test_a_model_is_packed_by_another_thread_than_the_one_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    packing, may = list[threading.Thread](), threading.Event()
    dumps = process.pickle.dumps

    def slow(*args: object) -> bytes:
        packing.append(threading.current_thread())
        may.wait(20)
        return dumps(*args)  # type: ignore[arg-type]

    with Writers([small("mingru")], 1) as found:
        monkeypatch.setattr(process.pickle, "dumps", slow)
        ticket = found.begin(asked({"lstm": small("lstm")}, 1))
        assert found.visitors == 1  # the lock is free
        may.set()
        assert texts(ticket) and packing and threading.current_thread() not in packing


def test_a_model_that_cannot_be_sent_ends_its_text_with_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> bytes:
        raise MemoryError

    with Writers([small("mingru")], 1) as found, monkeypatch.context() as broken:
        broken.setattr(process.pickle, "dumps", fails)
        ticket = found.begin(one := asked({"lstm": small("lstm")}, 1))
        texts(ticket)
        assert "could not be loaded; try again" in ticket.problem and found.visitors == 0
        broken.undo()
        assert texts(found.begin(one)) == alone(one)


def test_the_bytes_of_a_model_are_its_weights_twice() -> None:
    model = LanguageModel(ModelConfig("lstm", "\nab", n_layer=1, n_embd=16))
    assert process.held_bytes(model) == 8 * sum(weight.numel() for weight in model.parameters())
    assert process.held_bytes(model.to(torch.float64)) == 16 * sum(w.numel() for w in model.parameters())
