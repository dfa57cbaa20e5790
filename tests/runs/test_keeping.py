"""What a shared machine keeps of its visitors' runs. The clock of these tests is the app's own, and does not jump."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from minrnn import settings
from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.models import LanguageModel
from minrnn.runs import keeping, limits, listing, making, process
from minrnn.runs.keeping import Keeping
from minrnn.runs.listing import Run
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import MAX_RUNS, TrainRequest
from tests.runs.helpers import SHEEP, copied, request, trained

ME = "m" * 20


class Clock:
    """Seconds that go on when a test says so."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(runs_dir: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> TrainingQueue:
    """A shared machine's queue that starts nothing."""
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")  # the queue starts no worker there
    queue = TrainingQueue()
    queue._keeping = Keeping(clock)
    return queue


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; it is only copied."""
    return trained(tmp_path_factory.mktemp("runs") / "done", max_iters=1)


@pytest.fixture
def ended(done: Path, runs_dir: Path) -> Callable[[str, str], Path]:
    """Makes a finished run of a visitor."""

    def make(name: str, token: str = ME) -> Path:
        out = copied(done, runs_dir / name)
        listing.write_about(out, name, time.time(), listing.owner_of(token) if token else "")
        return out

    return make


def ask(queue: TrainingQueue, token: str = ME, **changes: object) -> list[str]:
    """Start runs and stop them at once."""
    names = queue.start(request(**changes), token)
    for name in names:
        queue.stop(name, token)
    return names


def test_a_run_that_no_page_shows_is_stopped_and_one_that_is_shown_goes_on(
    queue: TrainingQueue, clock: Clock
) -> None:
    (name,) = queue.start(request(), ME)
    queue.step()
    for _ in range(3):
        clock.seconds += settings.UNFOLLOWED_S - 1
        limits.follow([queue.runs.find(name, ME)])
        queue.step()
    assert queue.runs.find(name, ME).status == "waiting"
    clock.seconds += settings.UNFOLLOWED_S + 1
    queue.step()
    assert queue.runs.find(name, ME).status == "stopped"


def test_a_run_is_deleted_so_long_after_its_end(
    queue: TrainingQueue, ended: Callable[..., Path], clock: Clock
) -> None:
    out = ended("old")
    queue.step()
    clock.seconds += settings.KEPT_S - 1
    queue.step()
    assert out.is_dir()
    clock.seconds += 2
    queue.step()
    assert not out.exists()


@pytest.mark.parametrize("years", [-20, 20])
def test_a_clock_that_jumps_neither_deletes_nor_stops_a_run(
    years: int,
    queue: TrainingQueue,
    ended: Callable[..., Path],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = ended("done")
    (name,) = queue.start(request(), "another" * 3)
    queue.step()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + years * 365 * 86_400)
    clock.seconds += 60
    limits.follow([queue.runs.find(name, "another" * 3)])
    queue.step()
    assert out.is_dir() and queue.runs.find(name, "another" * 3).status == "waiting"


def test_what_the_machines_owner_trained_by_hand_is_never_tidied_away(
    queue: TrainingQueue, ended: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAX_KEPT_RUNS", 1)
    ended("hand", "")
    queue.step()
    clock.seconds += 10 * settings.KEPT_S
    ask(queue), ask(queue, "another" * 3)
    queue.step()
    assert "hand" in [run.name for run in queue.runs.every()] and len(queue.runs.every()) == 2


def test_starts_and_stops_with_fresh_tokens_never_hold_more_than_their_share(
    queue: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAX_KEPT_RUNS", 6)
    names = [name for n in range(5) for name in ask(queue, f"{n:020}", models=["mingru", "lstm"])]
    kept = {run.name for run in queue.runs.every()}
    assert len(kept) == 6 and kept > set(names[-2:])
    assert not list(settings.runs_dir().glob(".new-*")) and not list(settings.runs_dir().glob(".deleted-*"))


def test_a_flood_of_starts_and_stops_with_fresh_tokens_deletes_nobodys_finished_run(
    queue: TrainingQueue, ended: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAX_KEPT_RUNS", 6)
    ended("first"), ended("second")
    queue.step()
    for n in range(6):
        clock.seconds += 1
        ask(queue, f"{n:020}", models=["mingru", "lstm", "gru"])
    assert {"first", "second"} < {run.name for run in queue.runs.every()} and len(queue.runs.every()) == 6


@pytest.mark.parametrize(("module", "act"), [(making, "delete"), (process, "stop")])
def test_a_folder_that_cannot_be_tidied_up_holds_up_nobody_and_is_told_once(
    module: ModuleType, act: str, queue: TrainingQueue, ended: Callable[..., Path], clock: Clock,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    ended("bad"), ended("good")
    (bad,) = queue.start(request(), "another" * 3) if act == "stop" else ["bad"]
    whole = getattr(module, act)

    def refusing(what: Run | Path) -> None:
        if (what if isinstance(what, Path) else what.path).name == bad:
            raise PermissionError(13, "Permission denied")
        whole(what)

    monkeypatch.setattr(module, act, refusing)
    queue.step()
    clock.seconds += settings.KEPT_S + 1
    queue.step(), queue.step()
    (name,) = queue.start(request(), ME)
    assert not queue.runs.every()[-1].path.with_name("good").exists() and queue.runs.find(name, ME).active
    assert len([line for line in caplog.messages if f"{bad} cannot be tidied up" in line]) == 1


def test_there_is_room_for_finished_runs_beside_the_longest_queue() -> None:
    going = (settings.MAX_QUEUED + 1) * MAX_RUNS
    assert settings.MAX_KEPT_RUNS - going >= 3 * settings.MAX_KEPT_RUNS_VISITOR


def test_of_finished_runs_those_of_whoever_holds_most_go_first(
    queue: TrainingQueue, ended: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAX_KEPT_RUNS", 4)
    for name in ("mine", "theirs 1", "theirs 2", "theirs 3"):
        ended(name, ME if name == "mine" else "another" * 3)
        queue.step()
        clock.seconds += 1
    (name,) = ask(queue, "third" * 4)
    assert {run.name for run in queue.runs.every()} == {"mine", "theirs 2", "theirs 3", name}


def test_the_size_of_a_run_is_foreseen_without_a_model_made_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = list[torch.device]()
    whole = keeping.LanguageModel.__init__

    def counted(self: LanguageModel, config: ModelConfig) -> None:
        whole(self, config)
        made.extend({weight.device for weight in self.parameters()})

    monkeypatch.setattr(keeping.LanguageModel, "__init__", counted)
    keeping._weights.cache_clear()
    spec = TrainRequest(models="mingru", preset="base").specs()[0]
    assert keeping.expected_bytes(spec) == keeping.expected_bytes(spec)
    assert made == [torch.device("meta")]


def test_each_folder_is_walked_once_a_tick(
    queue: TrainingQueue, ended: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    walked = list[str]()
    files = keeping._files
    monkeypatch.setattr(keeping, "_files", lambda run: (walked.append(run.name), files(run))[1])
    monkeypatch.setattr(settings, "MAX_KEPT_RUNS", 2)
    names = ["a", "b", "c", "d", "e"]
    for name in names:
        ended(name)
    queue.step()
    assert sorted(walked) == names and len(queue.runs.every()) == 2


def test_one_visitors_oldest_runs_go_first_and_nobody_elses(
    queue: TrainingQueue, ended: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MAX_KEPT_RUNS_VISITOR", 3)
    ended("theirs", "another" * 3)
    for name in ("first", "second", "third"):
        ended(name)
        queue.step()
        clock.seconds += 1
    names = ask(queue, models=["mingru", "lstm"])
    assert {run.name for run in queue.runs.every()} == {"theirs", "third", *names}


def test_a_job_for_which_there_is_no_room_is_refused_and_deletes_nothing(
    queue: TrainingQueue, ended: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended("done")
    queue.start(request(), "another" * 3)
    monkeypatch.setenv("MINRNN_RUNS_MB", "100")
    with pytest.raises(
        ConfigError, match=r"all runs here would be \d+ with \d+ MB, .* 128 with 100 MB; try again when"
    ):
        queue.start(request(["mingru", "lstm", "gru"], preset="base"), ME)
    assert len(queue.runs.every()) == 2


def test_a_run_that_another_one_waits_to_start_from_is_kept(
    queue: TrainingQueue, ended: Callable[..., Path], clock: Clock
) -> None:
    out = ended("start")
    queue.step()
    queue.start(request([], inits=[str(out / "model")]), ME)
    clock.seconds += 100 + settings.KEPT_S
    queue.step()
    assert out.is_dir()


@pytest.mark.parametrize("value", ["-1", "1.5", "much", "99", "\u00b2"])
def test_a_share_of_the_disk_that_is_none_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_RUNS_MB", value)
    with pytest.raises(ConfigError, match="MINRNN_RUNS_MB is .*whole number of megabytes"):
        settings.max_kept_bytes()


def test_a_file_of_two_names_counts_once(queue: TrainingQueue, runs_dir: Path) -> None:
    one = queue.start(request(text=SHEEP * 100), ME)
    two = queue.start(request(["mingru", "lstm"], text=SHEEP * 100), "another" * 3)
    runs = {run.name: run for run in queue.runs.every()}
    single, double = (keeping.held_bytes([runs[name] for name in names]) for names in (one, two))
    assert single < double < 1.1 * single


def test_the_size_of_a_run_is_foreseen(done: Path, queue: TrainingQueue, ended: Callable[..., Path]) -> None:
    out = ended("done")
    (run,) = queue.runs.every()
    assert run.begun and keeping.held_bytes([run]) < keeping.expected_bytes(run.spec)
    preset = TrainRequest(models="mingru", preset="base").specs()[0]
    assert 44e6 < keeping.expected_bytes(preset) < 52e6
    assert out.is_dir() and os.path.exists(out / process.QUEUED) is False
