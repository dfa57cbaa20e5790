"""The workers: every text is the one that its seed gives alone, whatever else happens."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from minrnn.config import ModelConfig, Sampling
from minrnn.errors import BusyError
from minrnn.generate import stream
from minrnn.learn import Learning
from minrnn.models import MODEL_NAMES, CharModel, Committee, LanguageModel
from minrnn.serving import process, writers
from minrnn.serving.line import Visitor
from minrnn.serving.ticket import Asked, Ticket
from minrnn.serving.writers import Writers

VOCAB = "\nabcdefgh"
LONG = Sampling(max_new_tokens=5_000)


def small(name: str) -> LanguageModel:
    return LanguageModel(ModelConfig(name, VOCAB, n_layer=2, n_embd=32, block_size=16)).eval()


@pytest.fixture(scope="module")
def models() -> dict[str, CharModel]:
    torch.manual_seed(0)
    members = {name: small(name) for name in MODEL_NAMES}
    return {**members, "committee": Committee(list(members.values()))}


@pytest.fixture(scope="module", params=[2, 0], ids=["two processes", "a thread"])
def some(request: pytest.FixtureRequest, models: dict[str, CharModel]) -> Iterator[Writers]:
    own = [model for name, model in models.items() if name != "committee"]
    with Writers(own, request.param) as found:
        yield found


def asked(models: dict[str, CharModel], number: int = 0, sampling: Sampling | None = None) -> Asked:
    chosen = sampling or Sampling(max_new_tokens=60, seed=number)
    return Asked(Visitor(f"address {number}", "page"), models, dict.fromkeys(models, "abc"), chosen)


def until(ready: Callable[[], Any], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < ends
        time.sleep(0.005)


def texts(ticket: Ticket) -> dict[str, str]:
    until(lambda: ticket.done)
    return {key: written.text for key, written in ticket.snapshot().items()}


def alone(asked: Asked) -> dict[str, str]:
    return {
        key: "".join(chunk.text for chunk in stream(model, asked.prompts[key], asked.sampling))
        for key, model in asked.models.items()
    }


def test_the_texts_of_many_visitors_at_once_are_those_that_their_seeds_give_alone(
    some: Writers, models: dict[str, CharModel]
) -> None:
    wanted = [asked(models, number) for number in range(6)]
    tickets = [some.begin(one) for one in wanted]
    assert [texts(ticket) for ticket in tickets] == [alone(one) for one in wanted]
    assert some.visitors == 0


def test_a_limited_context_and_a_long_prompt_give_the_same_text_too(
    some: Writers, models: dict[str, CharModel]
) -> None:
    for sampling in (Sampling(max_new_tokens=20, context=3), Sampling(max_new_tokens=20)):
        one = replace(asked(models, 1, sampling), prompts=dict.fromkeys(models, "abcdefgh" * 80))
        assert texts(some.begin(one)) == alone(one)


def test_a_copy_learns_the_prompt_and_the_model_stays_as_it_was(
    some: Writers, models: dict[str, CharModel]
) -> None:
    one = asked({"lstm": models["lstm"]}, 1, Sampling(max_new_tokens=40, temperature=0))
    one = replace(one, prompts={"lstm": "abcdefgh" * 20})
    taught = some.begin(replace(one, learning=Learning(3, 0.2)))
    assert texts(taught) != alone(one)
    assert taught.snapshot()["lstm"].learn_s > 0
    assert texts(some.begin(one)) == alone(one)


def test_a_model_that_was_not_there_at_the_start_is_sent(some: Writers) -> None:
    torch.manual_seed(1)
    one = asked({"new": small("mingru"), "other": small("gru")}, 1)
    assert texts(some.begin(one)) == alone(one)


def test_stop_ends_a_request_and_frees_its_place(some: Writers, models: dict[str, CharModel]) -> None:
    ticket = some.begin(asked(models, 1, LONG))
    until(lambda: all(written.text for written in ticket.snapshot().values()))
    ticket.end("stopped")
    assert ticket.done and some.visitors == 0
    before = ticket.snapshot()
    assert {written.finish_reason for written in before.values()} == {"stopped"}
    assert texts(some.begin(asked(models, 2))) and ticket.snapshot() == before


def test_a_request_without_texts_takes_no_place_in_line(some: Writers) -> None:
    ticket = some.begin(asked({}, 1))
    assert ticket.done and some.visitors == 0
    ticket.end("stopped")
    assert some.visitors == 0 and ticket.snapshot() == {}


def test_a_visitor_is_not_kept_waiting_by_one_who_asks_for_very_much(
    some: Writers, models: dict[str, CharModel]
) -> None:
    greedy = [some.begin(asked(models, 1, LONG)) for _ in range(4)]
    until(lambda: all(ticket.snapshot()["lstm"].text for ticket in greedy))
    modest = some.begin(asked(models, 2))
    until(lambda: modest.done)
    written = sum(len(text.text) for ticket in greedy for text in ticket.snapshot().values())
    for ticket in greedy:
        ticket.end("stopped")
    assert written < 4 * len(models) * LONG.max_new_tokens / 2


def test_a_request_too_many_is_refused_and_a_text_that_cannot_be_written_says_why(
    some: Writers, models: dict[str, CharModel]
) -> None:
    tickets = [some.begin(asked(models, 1, LONG)) for _ in range(4)]
    with pytest.raises(BusyError, match="4 is the limit"):
        some.begin(asked(models, 1))
    for ticket in tickets:
        ticket.end("stopped")
    strange = some.begin(replace(asked(models, 1), prompts=dict.fromkeys(models, "é")))
    until(lambda: strange.done)
    assert "vocabulary" in strange.problem and some.visitors == 0


def test_who_waits_in_line_begins_when_a_place_is_free(models: dict[str, CharModel]) -> None:
    with Writers(places=2) as few:
        first, second = (few.begin(asked(models, number, LONG)) for number in (1, 2))
        third, fourth = (few.begin(asked(models, number)) for number in (3, 4))
        assert [t.snapshot()["lstm"].place for t in (first, second, third, fourth)] == [0, 0, 1, 2]
        assert third.began is None
        first.end("stopped")
        assert [t.snapshot()["lstm"].place for t in (third, fourth)] == [0, 1]
        assert texts(third) == alone(third.asked)
        second.end("stopped")
        assert texts(fourth) == alone(fourth.asked)


# Workers that die


@pytest.fixture
def two(models: dict[str, CharModel]) -> Iterator[Writers]:
    with Writers([models["lstm"], models["mingru"]], 2) as found:
        yield found


def test_a_dead_worker_is_replaced_and_its_texts_are_written_all_the_same(
    two: Writers, models: dict[str, CharModel]
) -> None:
    chosen = {name: models[name] for name in ("lstm", "mingru")}
    one = asked(chosen, 1, replace(LONG, max_new_tokens=2_000))
    ticket, before = two.begin(one), two.pids
    until(lambda: all(written.text for written in ticket.snapshot().values()))
    os.kill(before[0], signal.SIGKILL)
    assert texts(ticket) == alone(one) and not ticket.problem
    until(lambda: len(two.pids) == 2 and before[0] not in two.pids)


def test_a_text_that_kills_its_worker_twice_ends_with_one_clear_error(
    two: Writers, models: dict[str, CharModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "MAX_TRIES", 1)
    ticket = two.begin(asked({"lstm": models["lstm"]}, 1, LONG))
    until(lambda: ticket.snapshot()["lstm"].text)
    for pid in two.pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: ticket.done)
    assert "broke down twice" in ticket.problem and two.visitors == 0


def test_where_workers_keep_dying_this_process_writes(
    two: Writers, models: dict[str, CharModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "MAX_DEATHS", 0)
    for pid in two.pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not two.pids)
    one = asked({"lstm": models["lstm"]}, 1)
    assert texts(two.begin(one)) == alone(one)


APP = """
import sys, time
from minrnn.config import ModelConfig
from minrnn.models import LanguageModel
from minrnn.serving.writers import Writers
if __name__ == "__main__":
    writers = Writers([LanguageModel(ModelConfig("lstm", "\\nab", n_layer=1, n_embd=16)).eval()], 2, fork=FORK)
    print(*writers.pids, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
@pytest.mark.parametrize("fork", [True, False], ids=["forked", "spawned"])
def test_no_worker_outlives_the_app(fork: bool, tmp_path: Any) -> None:
    how = signal.SIGKILL if fork else signal.SIGTERM
    (tmp_path / "app.py").write_text(APP.replace("FORK", str(fork)))
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen([sys.executable, tmp_path / "app.py"], env=env, stdout=subprocess.PIPE) as app:
        assert app.stdout is not None
        pids = app.stdout.readline().split()
        assert len(pids) == 2
        app.send_signal(how)
    until(lambda: not any(_runs(int(pid)) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_closing_ends_the_workers_and_the_texts(models: dict[str, CharModel]) -> None:
    with Writers([models["lstm"]], 1) as one:
        ticket, pids = one.begin(asked({"lstm": models["lstm"]}, 1, LONG)), one.pids
    assert ticket.done and not any(_runs(pid) for pid in pids)


def test_a_process_with_other_threads_is_not_forked() -> None:
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    assert not process.may_fork()
    over.set()
    other.join()


def test_copies_that_learn_prompts_have_a_bound_and_free_it_when_their_texts_end(
    models: dict[str, CharModel], some: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learner(number: int) -> Asked:
        return replace(asked({"committee": models["committee"]}, number, LONG), learning=Learning(1))

    bytes_each = 8 * sum(weight.numel() for weight in models["committee"].parameters())
    monkeypatch.setattr(writers.settings, "MAX_LEARNING_BYTES", 2 * bytes_each)
    held = [some.begin(learner(number)) for number in range(2)]
    with pytest.raises(BusyError, match="is the limit; try again in a minute, or without learning"):
        some.begin(learner(2))
    plain = some.begin(replace(learner(3), learning=None))  # takes no copy
    held[0].end("stopped")
    held.append(some.begin(learner(4)))
    for ticket in (*held, plain):
        ticket.end("stopped")
    monkeypatch.setattr(writers.settings, "MAX_LEARNING_BYTES", 1)
    some.begin(learner(5)).end("stopped")  # nobody else learns
