import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.runs import limits, listing, process
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest
from tests.runs.helpers import micro, request, trained

ME, OTHER = "m" * 20, "o" * 20


@pytest.fixture(autouse=True)
def limited(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "limited")


@pytest.fixture
def queue() -> Iterator[TrainingQueue]:
    """A queue that starts nothing, as on a machine whose worker is busy."""
    yield TrainingQueue()


def owned(runs_dir: Path, name: str, token: str) -> Path:
    """A finished run of a visitor."""
    out = trained(runs_dir / name, max_iters=1)
    listing.write_about(out, name, time.time(), listing.owner_of(token) if token else "")
    return out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_iters": 1_001}, "iters is 1,001 and the limit here is 1,000"),
        ({"max_seconds": 181}, "seconds is 181 .* limit here is 180"),
        ({"batch_size": 2_000}, "batch times window is 32,000 and the limit here is 16,384"),
        ({"block_size": 513}, "window .* is 513 and the limit here is 512"),
    ],
)
def test_a_shared_machine_caps_what_is_asked(
    changes: dict[str, Any], message: str, queue: TrainingQueue
) -> None:
    with pytest.raises(ConfigError, match=message):
        queue.start(request(**changes), ME)
    assert queue.runs.every() == []


def test_a_budget_left_open_is_set_to_its_share(queue: TrainingQueue) -> None:
    names = queue.start(request(["mingru", "lstm"], max_iters=0, max_seconds=0, target_val_loss=1.0), ME)
    recipe = queue.runs.find(names[0], ME).spec.train
    assert (recipe.max_seconds, recipe.max_iters) == (90, 1_000)
    with pytest.raises(ConfigError, match="limit here is 90"):
        limits.limited([micro(max_seconds=100), micro()])


def test_a_shared_machine_takes_one_job_a_visitor_and_a_short_queue(queue: TrainingQueue) -> None:
    four = ["mingru", "minlstm", "lstm", "nanogpt"]
    names = queue.start(request(four), ME)
    assert all(len(name.rsplit("-", 1)[1]) == 16 for name in names)
    with pytest.raises(ConfigError, match="a run of yours is still going"):
        queue.start(request(), ME)
    queue.start(request(four), OTHER)
    with pytest.raises(ConfigError, match="8 runs are waiting here and the limit is 8"):
        queue.start(request(), "third" * 5)
    with pytest.raises(ConfigError, match="token has 0 characters"):
        queue.start(request(), "")


def test_of_eight_requests_at_one_moment_with_one_token_one_is_taken(queue: TrainingQueue) -> None:
    ready, taken, refused = threading.Barrier(8), [], []

    def ask(seed: int) -> None:
        asked = request(seed=seed)
        ready.wait()
        try:
            taken.extend(queue.start(asked, ME))
        except ConfigError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1 and [run.name for run in queue.runs.every()] == taken
    assert len(refused) == 7 and all("still going" in message for message in refused)


def test_of_eight_who_resume_one_run_at_one_moment_one_succeeds(queue: TrainingQueue) -> None:
    (name,) = queue.start(request(), ME)
    queue.stop(name, ME)
    ready, refused = threading.Barrier(8), []

    def resume() -> None:
        ready.wait()
        try:
            queue.resume(name, ME)
        except CheckpointError:
            refused.append(1)

    threads = [threading.Thread(target=resume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7


def test_a_visitor_starts_from_bundled_models_and_own_runs_alone(
    queue: TrainingQueue, runs_dir: Path
) -> None:
    theirs = str(owned(runs_dir, "theirs", OTHER) / "model")
    for init in (theirs, "someone/repo", "/etc", "a\0b", "x" * 5_000, "~", "", "\ud800"):
        with pytest.raises(CheckpointError, match="not offered here"):
            queue.start(request([], inits=[init]), ME)
    limits.check_may_start(queue.runs, OTHER, 1, [theirs])
    limits.check_may_start(queue.runs, ME, 1, [str(checkpoint.BUNDLED / "base/lstm")])


@pytest.mark.parametrize("mode", ["limited", "off"])
def test_rights_come_before_anything_is_read(
    mode: str, queue: TrainingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touched(*_: object, **__: object) -> None:
        raise AssertionError("something was read before the rights were checked")

    monkeypatch.setenv("MINRNN_TRAINING", mode)
    for name in ("load", "load_repo", "read_config", "read_metrics"):
        monkeypatch.setattr(checkpoint, name, touched)
    for name in ("specs", "own_text"):
        monkeypatch.setattr(TrainRequest, name, touched)
    with pytest.raises(MinrnnError, match="not offered here|switched off here"):
        queue.start(request([], inits=["someone/repo"]), ME)
    with pytest.raises(MinrnnError, match="token has 5 characters|switched off here"):
        queue.start(request(), "short")


def test_a_budget_is_not_extended_on_a_shared_machine(queue: TrainingQueue, runs_dir: Path) -> None:
    owned(runs_dir, "mine", ME)
    with pytest.raises(ConfigError, match="cannot be extended here"):
        queue.resume("mine", ME, more_iters=5)


def test_a_job_that_nobody_follows_is_stopped_and_an_old_one_deleted(
    queue: TrainingQueue, runs_dir: Path
) -> None:
    (name,) = queue.start(request(), ME)
    long_ago = time.time() - limits.UNFOLLOWED_S - 1
    for mark in (process.QUEUED, listing.ABOUT):
        os.utime(runs_dir / name / mark, (long_ago, long_ago))
    listing.write_about(runs_dir / name, "old", long_ago, listing.owner_of(ME))
    os.utime(runs_dir / name / listing.ABOUT, (long_ago, long_ago))
    limits.follow([queue.runs.find(name, ME)])
    assert limits.forgotten(queue.runs.every()) == []
    os.utime(runs_dir / name / listing.FOLLOWED, (long_ago, long_ago))
    queue.step()
    assert queue.runs.find(name, ME).status == "stopped"
    listing.write_about(runs_dir / name, "old", time.time() - limits.KEPT_S - 1, listing.owner_of(ME))
    queue.step()
    assert not (runs_dir / name).exists()


def test_what_the_machines_owner_trained_by_hand_is_never_tidied_away(
    queue: TrainingQueue, runs_dir: Path
) -> None:
    out = owned(runs_dir, "hand", "")
    listing.write_about(out, "by hand", time.time() - 10 * limits.KEPT_S, "")
    queue.step()
    assert [run.name for run in queue.runs.every()] == ["hand"]
