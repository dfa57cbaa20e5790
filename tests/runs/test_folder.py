import dataclasses
import itertools
import json
import multiprocessing
import os
import random
import resource
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from minrnn import checkpoint, corpora, runlog, runs, train
from minrnn.config import ModelConfig, TrainConfig
from minrnn.errors import CheckpointError, TrainingError
from minrnn.runs import RunSpec
from minrnn.runs.lock import held, is_held

MICRO = ModelConfig("mingru", n_layer=1, n_embd=16, block_size=16, mlp_ratio=1, conv_kernel=2, dropout=0.1)
RECIPE = TrainConfig(
    max_iters=12, batch_size=4, warmup_iters=2, eval_interval=4, eval_chars=500, sample_interval=0, sample_chars=8,
    save_seconds=0, device="cpu", dtype="float32",
)  # fmt: skip


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    """A model of a thousand weights on a text of the test's own."""
    text = tmp_path / "text.txt"
    text.write_text("".join(f"{n} sheep, {n * n} legs.\n" for n in range(200)))
    return RunSpec(str(text), MICRO, RECIPE, "tiny")


def budget(spec: RunSpec, **changes: Any) -> RunSpec:
    return dataclasses.replace(spec, train=dataclasses.replace(spec.train, **changes))


def losses(out: Path) -> list[tuple[int, float]]:
    return [(e.iter, e.loss) for e in runlog.read_events(out)[0] if isinstance(e, train.Iter)]


def test_a_run_leaves_a_checkpoint_with_its_scores_and_history(spec: RunSpec, tmp_path: Path) -> None:
    events = list(runs.execute(spec, tmp_path / "run"))
    assert events[-1] == train.Done(12, "max_iters")
    assert runlog.read_events(tmp_path / "run")[0] == events
    loaded = checkpoint.load(tmp_path / "run" / "model")
    assert loaded.metrics["iters"] == 12
    assert loaded.metrics["val_loss"] > 0
    assert runs.read_spec(tmp_path / "run").train == spec.train


def test_a_stopped_run_goes_on_to_the_same_weights(spec: RunSpec, tmp_path: Path) -> None:
    list(runs.execute(spec, tmp_path / "whole"))
    asked = itertools.count()
    list(runs.execute(spec, tmp_path / "halves", should_stop=lambda: next(asked) == 7))
    list(runs.execute(runs.read_spec(tmp_path / "halves"), tmp_path / "halves", resume=True))
    assert losses(tmp_path / "halves") == losses(tmp_path / "whole")
    whole, halves = (torch.load(tmp_path / name / "resume.pt") for name in ("whole", "halves"))
    for name, weight in whole["state"]["average"].items():
        assert torch.equal(weight, halves["state"]["average"][name])


def test_a_file_named_stop_ends_the_run_and_is_used_up(spec: RunSpec, tmp_path: Path) -> None:
    events = runs.execute(spec, tmp_path / "run")
    next(events)
    (tmp_path / "run" / "stop").touch()
    assert list(events)[-1].reason == "stopped"  # type: ignore[union-attr]
    assert not (tmp_path / "run" / "stop").exists()


def test_a_run_is_not_overwritten_and_only_a_run_is_resumed(spec: RunSpec, tmp_path: Path) -> None:
    list(runs.execute(budget(spec, max_iters=1), tmp_path / "run"))
    with pytest.raises(CheckpointError, match="holds a run already.*--resume"):
        next(runs.execute(spec, tmp_path / "run"))
    with pytest.raises(CheckpointError, match="holds no run"):
        next(runs.execute(spec, tmp_path / "other", resume=True))


def test_two_workers_never_share_a_folder(spec: RunSpec, tmp_path: Path) -> None:
    with held(tmp_path / "run"):
        assert is_held(tmp_path / "run")
        with pytest.raises(CheckpointError, match="another process is training"):
            next(runs.execute(spec, tmp_path / "run"))
    assert not is_held(tmp_path / "run")


def test_a_failure_leaves_its_reason_and_the_last_good_checkpoint(
    spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, spec = tmp_path / "run", budget(spec, save_seconds=100)
    with monkeypatch.context() as patch:
        patch.setattr(train, "learning_rate", lambda config, iter, seconds: 1e38 if iter == 6 else 1e-3)
        with pytest.raises(TrainingError, match="no longer a finite number.*half the learning_rate"):
            list(runs.execute(spec, out))
    assert "learning_rate 0.003" in (out / "error.txt").read_text()
    checkpoint.load(out / "model")
    list(runs.execute(runs.read_spec(out), out, resume=True))
    assert [n for n, _ in losses(out)] == list(range(1, 13))
    assert not (out / "error.txt").exists()


def _in_a_process(spec: RunSpec, out: Path, resume: bool, file_bytes: int = 0) -> None:
    """Train; from the first event on no file may grow beyond `file_bytes`, as on a disk that is full."""
    torch.set_num_threads(1)
    for _ in runs.execute(spec, out, resume=resume):
        if file_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def start(*args: Any) -> Any:
    """A process that has torch at once and never shared a thread with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "minrnn.runs"])
    process = context.Process(target=_in_a_process, args=args)
    process.start()
    return process


def test_a_full_disk_keeps_the_last_checkpoint_and_says_so(spec: RunSpec, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(spec, out, False, 2_000)
    process.join(60)
    assert process.exitcode == 1
    assert "free some space" in (out / "error.txt").read_text()
    assert not list(out.rglob(".*"))
    list(runs.execute(runs.read_spec(out), out, resume=True))
    list(runs.execute(spec, tmp_path / "whole"))
    assert losses(out) == losses(tmp_path / "whole")


def wait_for_iter(out: Path, iter: int, process: Any) -> None:
    while process.is_alive() and not any(n >= iter for n, _ in losses(out)):
        time.sleep(0.002)


@pytest.mark.slow
def test_a_run_killed_ten_times_ends_like_one_never_killed(spec: RunSpec, tmp_path: Path) -> None:
    spec = budget(spec, max_iters=110, eval_interval=5)
    list(runs.execute(spec, tmp_path / "whole"))
    out, moment = tmp_path / "killed", random.Random(4)
    for kill in range(10):
        process = start(runs.read_spec(out) if kill else spec, out, bool(kill))
        wait_for_iter(out, 10 * kill + moment.randrange(2, 10), process)
        time.sleep(moment.random() * 0.02)
        process.kill()
        process.join()
    list(runs.execute(runs.read_spec(out), out, resume=True))
    whole, killed = losses(tmp_path / "whole"), losses(out)
    assert [n for n, _ in killed] == list(range(1, 111))
    assert [loss for _, loss in killed] == pytest.approx([loss for _, loss in whole], abs=1e-6)


def test_a_follower_reads_only_what_is_new_and_starts_over_when_the_file_was_cut(tmp_path: Path) -> None:
    lines = [runlog.to_line(train.Iter(n, 3.0 - n / 10, 0.1, 1.0, 64 * n, n / 5, 0.2)) for n in range(1, 9)]
    path, follower = tmp_path / "metrics.jsonl", runlog.Follower(tmp_path)
    path.write_text("\n".join(lines[:6]) + "\n" + lines[6][:20])
    assert [e.iter for e in follower.poll().iters] == [1, 2, 3, 4, 5, 6]
    path.write_text("\n".join([*lines[:3], lines[7], *lines[3:], *lines]) + "\n")
    assert [e.iter for e in follower.poll().iters][:5] == [1, 2, 3, 8, 4]


@pytest.mark.parametrize("count", [0, 1, 1_999, 2_000, 2_001, 123_456])
def test_thinning_keeps_both_ends_and_no_more_than_the_limit(count: int) -> None:
    places = runlog.thinned(count)
    assert len(places) <= runlog.MAX_POINTS
    assert places == sorted(set(places))
    assert not count or (places[0] == 0 and places[-1] == count - 1)


def test_a_line_that_is_no_event_is_named() -> None:
    with pytest.raises(ValueError, match="not an event"):
        runlog.from_line(json.dumps({"event": "dream"}))


def test_the_text_of_a_run_must_fill_a_window(spec: RunSpec, tmp_path: Path) -> None:
    long = dataclasses.replace(spec, model=dataclasses.replace(MICRO, block_size=60_000))
    with pytest.raises(corpora.CorpusError, match="smaller block_size"):
        list(runs.execute(long, tmp_path / "run"))
    assert os.listdir(tmp_path / "run")
