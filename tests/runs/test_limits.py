import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, corpora, settings
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.runs import limits, listing
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest
from minrnn.runs.spec import from_preset
from tests.runs.helpers import SHEEP, knowing, micro, request, trained

ME, OTHER = "m" * 20, "o" * 20
WIDE = "".join(map(chr, range(0x4E00, 0x4E00 + 1_062))) + "\n" * 100


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
    names = queue.start(request(["mingru", "minlstm", "lstm", "nanogpt"]), ME)
    assert all(len(name.rsplit("-", 1)[1]) == 16 for name in names)
    with pytest.raises(ConfigError, match="a run of yours is still going"):
        queue.start(request(), ME)
    for number in range(1, settings.MAX_QUEUED):
        queue.start(request(), f"{number}" * settings.MIN_TOKEN_CHARS)
    with pytest.raises(ConfigError, match="8 visitors are waiting here and the limit is 8"):
        queue.start(request(), OTHER)
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
    limits.check_may_start(queue.runs, OTHER, [theirs])
    limits.check_may_start(queue.runs, ME, [str(checkpoint.BUNDLED / "base/lstm")])


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"batch_size": 17, "block_size": 512},
            "window times window is 4,456,448 and the limit here is 4,194,304",
        ),
        (
            {"batch_size": 256, "block_size": 64, "text": WIDE},
            "different characters is 17,416,192 .* 16,777,216; lower it",
        ),
    ],
)
def test_what_would_take_much_memory_is_refused_before_there_is_a_folder(
    changes: dict[str, Any], message: str, queue: TrainingQueue, runs_dir: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        queue.start(request(**changes), ME)
    assert not list(runs_dir.glob("*"))


def test_the_characters_that_a_checkpoint_brings_count_for_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = dataclasses.replace(micro(batch_size=256), init=knowing(4_000, tmp_path / "model"))
    text = corpora.own.from_text(SHEEP)
    with pytest.raises(ConfigError, match=r"different characters is 16,465,920 and .* 16,000,000"):
        monkeypatch.setattr(settings, "MAX_LOGITS_AN_ITER", 16_000_000)
        limits.check_vocab(spec, text)
    limits.check_vocab(dataclasses.replace(spec, init=None), text)


def test_scoring_after_a_visitors_training_has_a_bound_of_its_own() -> None:
    spec = from_preset("replica", "mingru")
    assert spec.train.score_train and not spec.train.score_chars
    (found,) = limits.limited(
        [dataclasses.replace(spec, train=dataclasses.replace(spec.train, max_iters=0, max_seconds=9))]
    )
    recipe = found.train
    assert (recipe.score_train, recipe.score_chars, recipe.score_seconds) == (False, 32_768, 20)


@pytest.mark.parametrize(("preset", "corpus"), [("task", "own"), ("task", "python"), ("ladder", "parity")])
def test_a_preset_that_the_page_does_not_offer_is_refused(preset: str, corpus: str) -> None:
    spec = dataclasses.replace(from_preset(preset, "mingru"), corpus=corpus)
    with pytest.raises(
        ConfigError, match=f"preset '{preset}' is not offered here for {corpus}; choose one of: tiny"
    ):
        limits.limited([spec])
