"""Run folders as the version before this one left them are listed, resumed and trained on."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, train
from minrnn.cli.train import parse
from minrnn.runs import folder, process
from minrnn.runs.listing import Listing
from minrnn.runs.queue import TrainingQueue, train_in_process
from tests.runs.helpers import SHEEP, halved, losses, micro

MODEL = dataclasses.asdict(micro().model)
TRAIN = {name: value for name, value in dataclasses.asdict(micro().train).items() if name != "score_chars"}


def old_event(kind: str, **values: Any) -> str:
    return json.dumps({"event": kind, **values}, ensure_ascii=False)


@pytest.fixture
def waiting(runs_dir: Path) -> Path:
    """A run that waited for its turn: spec.json, the words in `queued`, and its text by an absolute path."""
    out = runs_dir / "tiny-mingru-own-abc123"
    out.mkdir(parents=True)
    (out / "own.txt").write_text(SHEEP, encoding="utf-8")
    corpus = "/home/of/somebody/runs/tiny-mingru-own-abc123/own.txt"
    old = {"corpus": corpus, "model": MODEL, "train": TRAIN, "preset": "tiny", "init": None}
    (out / "spec.json").write_text(json.dumps(old, ensure_ascii=False))
    words = ["train", "--preset", "tiny", "--model", "mingru", "--corpus", corpus, "--out", str(out)]
    (out / "queued").write_text(json.dumps([time.time_ns(), words]))
    about = {"title": "minGRU tiny, own", "asked": time.time(), "place": 1, "owner": ""}
    (out / "about.json").write_text(json.dumps(about))
    return out


@pytest.fixture
def stopped(runs_dir: Path) -> Path:
    """A run that was stopped: `command` and `log.txt` beside config.json with its further keys."""
    out = halved(runs_dir / "old run")
    config = folder.read_config(out)
    config["train"].pop("score_chars")
    config["corpus"] = "/home/of/somebody/old run/own.txt"
    config["command"] = "python -m minrnn train --preset tiny --out 'old run'"
    (out / "config.json").write_text(json.dumps(config, ensure_ascii=False))
    (out / "command").write_text(json.dumps([1, ["train", "--out", "old run"]]))
    (out / "log.txt").write_text("done at iter 5: stopped. The model is in old run/model\n")
    (out / "lock").unlink()
    return out


def test_an_old_run_that_waits_is_listed_and_trained(waiting: Path) -> None:
    (run,) = Listing().listed("")
    assert (run.title, run.status, run.order, run.begun) == ("minGRU tiny, own", "waiting", 1, False)
    assert (run.spec.corpus, run.spec.train) == ("own", micro().train)
    taken = TrainingQueue().claim_next("")
    assert taken is not None
    assert list(train_in_process(str(taken.path)))[-1] == train.Done(12, "max_iters")
    assert Listing().listed("")[0].status == "finished"


def test_an_old_run_that_waits_keeps_its_turn_and_can_be_extended(waiting: Path) -> None:
    queue = TrainingQueue()
    assert [run.path for run in queue.waiting()] == [waiting]
    queue.stop(waiting.name)
    queue.resume(waiting.name, more_iters=3)
    assert queue.runs.find(waiting.name, "").spec.train.max_iters == 3


def test_an_old_run_that_was_stopped_is_listed_and_goes_on(stopped: Path) -> None:
    (run,) = Listing().listed("")
    assert (run.title, run.status, run.problem) == ("old run", "stopped", "")
    assert list(folder.execute(stopped))[-1] == train.Done(12, "max_iters")
    assert [n for n, _ in losses(stopped)] == list(range(1, 13))


def test_an_old_run_goes_on_by_the_command_line_with_a_larger_budget(stopped: Path) -> None:
    spec, out, _ = parse(["--out", str(stopped), "--resume", "--max-iters", "15"])
    assert (spec.corpus, spec.train.max_iters, out) == ("own", 15, stopped)
    folder.change(out, spec)
    assert folder.read_config(out)["command"].startswith("python -m minrnn train")
    assert list(folder.execute(out))[-1] == train.Done(15, "max_iters")


def test_an_old_run_whose_text_lies_elsewhere_goes_on(stopped: Path, tmp_path: Path) -> None:
    """As the command line began it: with the path of a file that was not copied."""
    text = (stopped / "own.txt").rename(tmp_path / "text.txt")
    config = folder.read_config(stopped) | {"corpus": str(text)}
    (stopped / "config.json").write_text(json.dumps(config))
    assert list(folder.execute(stopped))[-1] == train.Done(12, "max_iters")


def test_an_old_runs_model_can_be_trained_on(stopped: Path) -> None:
    spec, _, _ = parse(["--init", str(stopped / "model"), "--out", "new", "--corpus", "python"])
    assert (spec.preset, spec.model.n_embd) == ("tiny", 16)
    assert checkpoint.load(stopped / "model").model.n_params > 0


def test_an_old_run_that_was_killed_before_its_config_was_written_begins_anew(waiting: Path) -> None:
    """That version wrote the first save before config.json."""
    other = halved(waiting.parent.parent / "other")
    (waiting / "resume.pt").write_bytes((other / "resume.pt").read_bytes())
    (waiting / "metrics.jsonl").write_bytes(b"")
    process.unqueue(waiting)
    assert not folder.has_begun(waiting)
    assert list(folder.execute(waiting))[-1] == train.Done(12, "max_iters")


def test_old_events_are_read(stopped: Path) -> None:
    path = stopped / "metrics.jsonl"
    lines = [
        old_event("eval", iter=0, val_loss=3.0, tokens=0, seconds=0.1, peak_bytes=0),
        old_event("sample", iter=0, text="Ä\n"),
        old_event("iter", iter=1, loss=2.9, lr=1e-3, grad_norm=1.0, tokens=64, seconds=0.2, iter_seconds=0.1),
        old_event("done", iter=1, reason="stopped"),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (run,) = Listing().listed("")
    history = Listing().history(run)
    assert len(history.evals) == len(history.samples) == len(history.iters) == 1
    assert history.done == train.Done(1, "stopped")
