import dataclasses
import itertools
import os
import random
import stat
import threading
import time
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint, events, files, train
from minrnn.errors import CheckpointError, ConfigError, CorpusError, TrainingError
from minrnn.runs import folder
from minrnn.runs.events import METRICS, last_event, read_events
from minrnn.runs.lock import held, is_held
from minrnn.runs.spec import RunSpec
from tests.runs.helpers import (
    MICRO,
    SHEEP,
    copied,
    halved,
    longer,
    losses,
    made,
    micro,
    start,
    trained,
    wait_for_iter,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that went from its beginning to its end; it is only read."""
    return trained(tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run stopped after five iters; it is only copied."""
    return halved(tmp_path_factory.mktemp("runs") / "stopped")


def test_a_run_leaves_a_checkpoint_with_its_scores_and_history(tmp_path: Path) -> None:
    out = made(tmp_path / "run")
    events = list(folder.execute(out))
    assert events[-1] == train.Done(12, "max_iters")
    assert read_events(out / METRICS) == events
    loaded = checkpoint.load(out / "model")
    assert loaded.metrics["iters"] == 12
    assert loaded.metrics["val_loss"] > 0
    assert read_events(out / "model" / checkpoint.HISTORY) == events[:-1]
    assert folder.read_spec(out).train == micro().train


def test_config_json_holds_the_whole_spec_once_a_run_has_begun(whole: Path) -> None:
    spec = folder.read_spec(whole)
    assert spec.model.vocab == "".join(sorted(set(SHEEP)))
    assert len(spec.corpus_sha256) == 64
    assert dataclasses.replace(spec.model, vocab="", options=None) == MICRO


def test_a_stopped_run_goes_on_to_the_same_weights(whole: Path, stopped: Path, tmp_path: Path) -> None:
    halves = copied(stopped, tmp_path / "halves")
    list(folder.execute(halves))
    assert losses(halves) == losses(whole)
    there, here = (torch.load(out / "resume.pt") for out in (whole, halves))
    for name, weight in there["state"]["average"].items():
        assert torch.equal(weight, here["state"]["average"][name])


def test_a_file_named_stop_ends_the_run_and_is_used_up(tmp_path: Path) -> None:
    events = folder.execute(made(tmp_path / "run"))
    next(events)
    (tmp_path / "run" / "stop").touch()
    assert list(events)[-1].reason == "stopped"  # type: ignore[union-attr]
    assert not (tmp_path / "run" / "stop").exists()


def test_a_run_is_not_overwritten(stopped: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds a run already.*--resume"):
        made(stopped)
    new = made(tmp_path / "new")
    with pytest.raises(CheckpointError, match=f"holds a run that has not begun; train it by --run {new}, or"):
        made(new)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"mixer": "mingru"}')
    with pytest.raises(CheckpointError, match="holds files of something else than a run"):
        made(tmp_path / "model")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["config.json"]


def test_only_a_run_is_trained(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is no folder with a run"):
        next(folder.execute(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="holds no run"):
        next(folder.execute(tmp_path))


@pytest.mark.parametrize("name", ["own.txt", "metrics.jsonl", "model/config.json"])
def test_files_of_something_else_are_not_overwritten(name: str, tmp_path: Path) -> None:
    (path := tmp_path / name).parent.mkdir(exist_ok=True)
    path.write_text("of somebody")
    with pytest.raises(
        CheckpointError, match=f"something else than a run .{name.split('/')[0]}.; choose another"
    ):
        made(tmp_path)
    assert path.read_text() == "of somebody" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_text_may_be_in_the_folder_of_its_run_beforehand(newline: str, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(SHEEP, encoding="utf-8", newline=newline)
    assert folder.is_unbegun(made(tmp_path))


def test_a_stop_that_was_left_in_a_folder_does_not_stop_a_new_run(tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    assert list(folder.execute(made(tmp_path, max_iters=1)))[-1] == train.Done(1, "max_iters")


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300])
def test_a_place_where_no_folder_can_be_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"cannot be made \(.*choose another place"):
        made(tmp_path / name)
    with pytest.raises(CheckpointError):
        next(folder.execute(tmp_path / name))


def test_of_eight_who_make_a_run_in_one_folder_one_succeeds(tmp_path: Path) -> None:
    ready, refused = threading.Barrier(8), []

    def make(seed: int) -> None:
        ready.wait()
        try:
            made(tmp_path / "run", seed=seed)
        except CheckpointError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=make, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7 and all("holds a run that has not begun" in message for message in refused)


def test_two_workers_never_share_a_folder(tmp_path: Path) -> None:
    out = made(tmp_path / "run")
    with held(out):
        assert is_held(out)
        with pytest.raises(CheckpointError, match="another process is training"):
            next(folder.execute(out))
    assert not is_held(out)
    assert not (out / "error.txt").exists()


def test_a_failure_leaves_its_reason_and_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = made(tmp_path / "run", save_seconds=100)
    with monkeypatch.context() as patch:
        patch.setattr(train, "learning_rate", lambda config, iter, *_: 1e38 if iter == 6 else 1e-3)
        with pytest.raises(TrainingError, match="no longer a finite number.*half the learning_rate"):
            list(folder.execute(out))
    assert "learning_rate 0.003" in (out / "error.txt").read_text()
    checkpoint.load(out / "model")
    list(folder.execute(out))
    assert [n for n, _ in losses(out)] == list(range(1, 13))
    assert not (out / "error.txt").exists()


@pytest.mark.parametrize("error", [ZeroDivisionError("by nought"), RuntimeError("no memory of that name")])
def test_an_unexpected_exception_is_told_as_what_it_is(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> float:
        raise error

    monkeypatch.setattr(train, "learning_rate", fail)
    with pytest.raises(type(error)):
        list(folder.execute(made(tmp_path / "run")))
    told = (tmp_path / "run" / "error.txt").read_text()
    assert told == f"unexpected: {type(error).__name__}: {error}\n"


def test_a_full_disk_keeps_the_last_checkpoint_and_says_so(whole: Path, tmp_path: Path) -> None:
    process = start(out := made(tmp_path / "run"), 2_000)
    process.join(60)
    assert process.exitcode == 1
    assert "free some space" in (out / "error.txt").read_text()
    assert not list(out.rglob(".*"))
    list(folder.execute(out))
    assert losses(out) == losses(whole)


@pytest.mark.slow
def test_a_run_killed_ten_times_ends_like_one_never_killed(tmp_path: Path) -> None:
    changes = {"max_iters": 110, "eval_interval": 5}
    wanted = trained(tmp_path / "whole", **changes)
    out, moment = made(tmp_path / "killed", **changes), random.Random(4)
    for kill in range(10):
        process = start(out)
        wait_for_iter(out, 10 * kill + moment.randrange(2, 10), process)
        time.sleep(moment.random() * 0.02)
        process.kill()
        process.join()
    list(folder.execute(out))
    assert [n for n, _ in losses(out)] == list(range(1, 111))
    assert [loss for _, loss in losses(out)] == pytest.approx([x for _, x in losses(wanted)], abs=1e-6)
    assert not list(out.rglob(".*"))


def test_a_run_killed_while_iters_are_told_of_that_were_read_together_goes_on_the_same(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = torch.device("cuda")
    monkeypatch.setattr(train, "PendingIters", lambda device: events.PendingIters(gpu))  # of any device
    out = made(tmp_path / "run")
    engine = folder.execute(out)
    told = [event.iter for event in itertools.islice(engine, 4) if isinstance(event, train.Iter)]
    engine.close()
    assert told == [1, 2, 3]  # four are read together, before the evaluation
    list(folder.execute(out))
    assert losses(out) == losses(whole)


def test_an_extended_run_that_is_killed_goes_on_to_the_new_budget(whole: Path, tmp_path: Path) -> None:
    out = copied(whole, tmp_path / "run")
    folder.change(out, longer(out, max_iters=200_000))
    assert folder.read_spec(out).train.max_iters == 200_000
    process = start(out)
    wait_for_iter(out, 20, process)
    process.kill()
    process.join()
    folder.change(out, longer(out, max_iters=30 + len(losses(out))))
    assert list(folder.execute(out))[-1].iter > 30


def test_a_finished_run_with_a_larger_budget_is_no_longer_finished(whole: Path, tmp_path: Path) -> None:
    out = copied(whole, tmp_path / "run")
    folder.change(out, longer(out, max_iters=20))
    assert last_event(out / METRICS) == train.Done(12, "stopped")
    assert list(folder.execute(out))[-1] == train.Done(20, "max_iters")
    assert [n for n, _ in losses(out)] == list(range(1, 21))
    assert {"params", "compute", "began"} <= set(folder.read_config(out))


def test_a_run_that_has_reached_its_target_trains_no_further_when_it_is_resumed(tmp_path: Path) -> None:
    out = trained(tmp_path / "run", max_iters=0, target_val_loss=50.0)
    assert list(folder.execute(out)) == [train.Done(0, "target_val_loss")]
    folder.change(out, longer(out, target_val_loss=1e-9, max_iters=2))
    assert list(folder.execute(out))[-1] == train.Done(2, "max_iters")


@pytest.mark.parametrize("more", ["sheep\n", "häuser, straßen\n"])
def test_a_run_is_not_continued_with_another_text(more: str, stopped: Path, tmp_path: Path) -> None:
    out = copied(stopped, tmp_path / "run")
    (out / "own.txt").write_text(SHEEP + more, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"no longer the one that this run began with.*--init .*run/model"):
        list(folder.execute(out))
    assert "no longer the one" in (out / "error.txt").read_text()
    (out / "own.txt").write_text(SHEEP, encoding="utf-8")
    assert list(folder.execute(out))[-1] == train.Done(12, "max_iters")


def test_a_runs_folder_that_was_moved_goes_on(stopped: Path, tmp_path: Path) -> None:
    out = copied(stopped, tmp_path / "elsewhere" / "my run ä")
    assert list(folder.execute(out))[-1] == train.Done(12, "max_iters")


def test_a_named_text_that_changed_is_refused(tmp_path: Path) -> None:
    spec = dataclasses.replace(micro(), corpus="python", corpus_sha256="0" * 64)
    with pytest.raises(CorpusError, match="'python' is no longer the one"):
        folder.read_corpus(spec, tmp_path)


def test_a_run_that_is_stopped_is_not_scored(stopped: Path, whole: Path) -> None:
    assert "val_loss" not in checkpoint.read_metrics(stopped / "model" / "metrics.json")
    assert "val_loss_streaming" in checkpoint.read_metrics(whole / "model" / "metrics.json")


def test_a_recipe_may_ask_for_a_sample_of_the_split_to_be_scored(tmp_path: Path) -> None:
    out = trained(tmp_path / "run", max_iters=1, score_chars=100)
    metrics = checkpoint.read_metrics(out / "model" / "metrics.json")
    assert 80 <= metrics["tokens"] <= 150
    assert "val_loss_streaming" not in metrics


def test_figures_do_not_outlive_their_weights(whole: Path, tmp_path: Path) -> None:
    out = copied(whole, tmp_path / "run")
    folder.change(out, longer(out, max_iters=30))
    for event in folder.execute(out):
        if isinstance(event, train.Eval) and event.iter > 12:
            assert checkpoint.load(out / "model").metrics == {}
    assert checkpoint.load(out / "model").metrics["iters"] == 30


def test_a_checkpoint_can_be_read_by_whoever_the_umask_lets(whole: Path) -> None:
    os.umask(mask := os.umask(0))
    for path in (whole / "model").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask, path.name


def test_a_run_ends_well_though_its_preset_is_no_more(stopped: Path, tmp_path: Path) -> None:
    out = copied(stopped, tmp_path / "run")
    files.write_json(out / "config.json", folder.read_config(out) | {"preset": "no_such_preset"})
    assert list(folder.execute(out))[-1] == train.Done(12, "max_iters")
    assert "--preset tiny" in checkpoint.load(out / "model").metrics["command"]


def test_the_text_of_a_run_must_fill_a_window(tmp_path: Path) -> None:
    spec = dataclasses.replace(micro(), model=dataclasses.replace(MICRO, block_size=60_000))
    folder.create(tmp_path / "run", spec, SHEEP)
    with pytest.raises(CorpusError, match="smaller block_size"):
        list(folder.execute(tmp_path / "run"))
    assert "smaller block_size" in (tmp_path / "run" / "error.txt").read_text()


def test_weights_that_were_just_loaded_are_not_drawn_anew(whole: Path) -> None:
    spec = micro(init_std=1.0)
    with pytest.raises(ConfigError, match="init_std is 1, which would draw the weights"):
        RunSpec(spec.corpus, spec.model, spec.train, "tiny", str(whole / "model"))


def test_a_stop_from_a_worker_that_was_killed_does_not_stop_the_next(tmp_path: Path) -> None:
    out = made(tmp_path / "run")
    (out / "stop").touch()
    folder.forget_stop(out)
    asked = itertools.count()
    assert list(folder.execute(out, should_stop=lambda: next(asked) > 99))[-1] == train.Done(12, "max_iters")
