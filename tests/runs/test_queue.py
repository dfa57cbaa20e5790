import dataclasses
import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, jobs, presets, runlist, runs, settings, sharing, trainflags, worker
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError, CorpusError, MinrnnError
from minrnn.runs import RunSpec
from minrnn.runs.listing import Run

SHEEP = "".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200))
ME, OTHER = "m" * 20, "o" * 20


def tiny(model: str = "mingru", corpus: str = "python", **changes: Any) -> RunSpec:
    preset = presets.get("tiny", model)
    shape = dataclasses.replace(preset.model, n_layer=1, n_embd=16, block_size=16)
    recipe = {"max_iters": 4, "eval_interval": 2, "sample_interval": 0, "device": "cpu", "dtype": "float32"}
    return RunSpec(corpus, shape, dataclasses.replace(preset.train, **recipe | changes), "tiny")


def until(what: Callable[[], object], seconds: float = 90) -> None:
    """Look after the queue until something is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it took too long"
        jobs.step()
        time.sleep(0.05)


def see(name: str, token: str = "") -> Run:
    return runlist.find(name, token)


@pytest.fixture(autouse=True)
def leave_nothing(runs_dir: Path) -> Iterator[None]:
    """Each test has a runs folder of its own, and no worker outlives it."""
    yield
    for child in jobs._children:
        child.kill()
        child.wait()
    jobs._children.clear()


@pytest.mark.slow
def test_runs_that_are_asked_for_train_one_after_another() -> None:
    first, second = jobs.start([tiny(), tiny("lstm")], text=SHEEP)
    assert [see(first).status, see(second).status] == ["waiting", "waiting"]
    jobs.step()
    assert [see(first).status, see(second).status] == ["running", "waiting"]
    until(lambda: see(second).status == "finished")
    assert see(first).status == "finished"
    assert see(second).history.done == see(first).history.done
    assert see(first).scores["corpus"] == "own"
    assert see(first).asked == see(second).asked


@pytest.mark.slow
def test_a_run_stops_when_asked_and_goes_on_to_its_end() -> None:
    (name,) = jobs.start([tiny(max_iters=0, max_seconds=600)], text=SHEEP)
    until(lambda: see(name).history.iters)
    jobs.stop(name)
    until(lambda: see(name).status == "stopped")
    stopped_at = see(name).history.iters[-1].iter
    jobs.resume(name, more_iters=3)
    until(lambda: see(name).status == "finished")
    assert see(name).history.iters[-1].iter == stopped_at + 3
    with pytest.raises(CheckpointError, match="spent its budget.*how many more"):
        jobs.resume(name)


@pytest.mark.slow
def test_a_killed_worker_is_seen_and_its_run_can_be_resumed() -> None:
    (name,) = jobs.start([tiny(max_iters=300_000)], text=SHEEP)
    until(lambda: see(name).history.iters)
    assert os.getpriority(os.PRIO_PROCESS, jobs._children[0].pid) == worker.NICENESS + os.nice(0)
    os.kill(jobs._children[0].pid, signal.SIGKILL)
    until(lambda: see(name).status == "killed")
    assert "Resume it" in see(name).problem
    jobs.resume(name)
    until(lambda: see(name).status == "running")
    jobs.stop(name)
    until(lambda: see(name).status == "stopped")


@pytest.mark.slow
def test_a_worker_that_fails_says_why_and_the_next_one_starts(runs_dir: Path) -> None:
    names = jobs.start([tiny(), tiny()], text=SHEEP)
    (runs_dir / names[0] / jobs.OWN_TEXT).write_bytes(b"\xff" * 2_000)
    until(lambda: see(names[1]).status == "finished")
    assert see(names[0]).status == "failed"
    assert "not UTF-8" in see(names[0]).problem


def test_what_cannot_be_trained_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is empty"):
        jobs.start([tiny()], text="  ")
    with pytest.raises(CorpusError, match="500 characters and at least 1,000"):
        jobs.start([tiny()], text="a" * 500)
    with pytest.raises(CorpusError, match="use a longer text or a smaller window"):
        wide = dataclasses.replace(tiny(), model=ModelConfig("mingru", block_size=60_000))
        jobs.start([wide], text=SHEEP)
    with pytest.raises(ConfigError, match="5,000 characters and the limit is 4,096"):
        jobs.start([tiny()], text="".join(map(chr, range(20_000, 25_000))))
    with pytest.raises(CorpusError, match="'/etc/passwd' is not known"):
        jobs.start([tiny(corpus="/etc/passwd")])
    with pytest.raises(ConfigError, match="choose at least one"):
        jobs.start([])
    assert runlist.listed("") == []


def test_a_text_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_CORPUS_CHARS", 3_000)
    with pytest.raises(CorpusError, match="characters and the limit here is 3,000"):
        jobs.start([tiny()], text=SHEEP)


@pytest.mark.parametrize(
    ("preset", "model"), [(p, model) for p in presets.PRESETS for model in presets.PRESETS[p]]
)
def test_a_command_says_what_the_spec_says(preset: str, model: str, tmp_path: Path) -> None:
    source = presets.get(preset, model)
    spec = RunSpec("python", source.model, source.train, preset)
    changed = dataclasses.replace(
        spec,
        model=dataclasses.replace(spec.model, n_layer=7, dropout=0.3, bias=not spec.model.bias),
        train=dataclasses.replace(spec.train, learning_rate=0.02, score_train=not spec.train.score_train),
    )
    for wanted in (spec, changed):
        words = worker.command(wanted, tmp_path / "run")
        parsed, out, resume = trainflags.parse(words[1:])
        shape = dataclasses.replace(parsed.model, options=wanted.model.options)
        assert (dataclasses.replace(parsed, model=shape), out, resume) == (wanted, tmp_path / "run", False)


def finished_run(root: Path, name: str, token: str = "", **changes: Any) -> Path:
    """A run that was trained by this process."""
    text = root / "sheep.txt"
    root.mkdir(exist_ok=True)
    text.write_text(SHEEP)
    list(runs.execute(tiny(corpus=str(text), **changes), root / name))
    runlist.write_about(root / name, f"Title of {name}", time.time(), runlist.owner_of(token))
    return root / name


def test_a_command_from_a_checkpoint_says_what_the_spec_says(runs_dir: Path) -> None:
    init = str(finished_run(runs_dir, "first") / "model")
    shape = dataclasses.replace(checkpoint.load(init).model.config, vocab="", dropout=0.2)
    recipe = dataclasses.replace(presets.get("tiny", "mingru").train, learning_rate=1e-4, max_iters=7)
    spec = RunSpec("python", shape, recipe, "tiny", init)
    assert trainflags.parse(worker.command(spec, runs_dir / "second")[1:])[0] == spec


def test_a_run_can_be_renamed_taken_away_and_deleted(runs_dir: Path) -> None:
    finished_run(runs_dir, "a")
    jobs.rename("a", " Sheep\n<b>and legs</b> ")
    assert see("a").title == "Sheep <b>and legs</b>"
    with pytest.raises(ConfigError, match="1 to 60"):
        jobs.rename("a", "x" * 61)
    with zipfile.ZipFile(io.BytesIO(runlist.zipped_model(see("a")))) as archive:
        assert {"a/config.json", "a/model.safetensors", "a/metrics.json"} <= set(archive.namelist())
    lines = runlist.history_csv(see("a")).splitlines()
    assert lines[0].startswith("iter,tokens,seconds,train_loss")
    assert len(lines) == 1 + 4 + 3
    jobs.delete("a")
    assert runlist.listed("") == []


def test_a_run_that_waits_can_be_stopped_resumed_and_deleted() -> None:
    (name,) = jobs.start([tiny()], text=SHEEP)
    jobs.stop(name)
    assert see(name).status == "stopped"
    with pytest.raises(CheckpointError, match="not running"):
        jobs.stop(name)
    jobs.resume(name)
    assert see(name).status == "waiting"
    with pytest.raises(CheckpointError, match="waiting already"):
        jobs.resume(name)
    jobs.delete(name)
    assert runlist.listed("") == []


@pytest.mark.parametrize(
    "name", ["../a", "/etc", "a/../../b", "", ".", "nobody", "a\0b", "x" * 300, ".hidden"]
)
def test_no_name_leads_out_of_the_runs_folder(name: str, runs_dir: Path) -> None:
    finished_run(runs_dir.parent, "a")
    (runs_dir / ".hidden").mkdir(parents=True)
    for act in (see, jobs.stop, jobs.delete, jobs.resume):
        with pytest.raises(CheckpointError, match="no run"):
            act(name)


def test_a_run_started_by_hand_is_listed(runs_dir: Path) -> None:
    finished_run(runs_dir, "hand")
    (runs_dir / "hand" / "about.json").unlink()
    (run,) = runlist.listed("")
    assert (run.title, run.status, run.name) == ("hand", "finished", "hand")


def test_two_apps_do_not_start_the_same_run_twice(runs_dir: Path) -> None:
    (name,) = jobs.start([tiny()], text=SHEEP)
    assert worker.claim(runs_dir / name)
    assert not worker.claim(runs_dir / name)
    assert worker.spawn(runs_dir / name) is None


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "limited")


@pytest.mark.usefixtures("limited")
def test_a_visitor_has_only_the_runs_of_that_browser(runs_dir: Path) -> None:
    finished_run(runs_dir, "mine", ME)
    finished_run(runs_dir, "theirs", OTHER)
    assert [run.name for run in runlist.listed(ME)] == ["mine"]
    assert runlist.listed("") == []
    assert ME not in (runs_dir / "mine" / "about.json").read_text()
    acts: list[Any] = [jobs.stop, jobs.delete, jobs.resume, see, lambda n, t: jobs.rename(n, "new", t)]
    for act in acts:
        with pytest.raises(CheckpointError, match="no run 'theirs' of yours"):
            act("theirs", ME)


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_iters": 1_001}, "iters is 1,001 and the limit here is 1,000"),
        ({"max_seconds": 181}, "seconds is 181 .* limit here is 180"),
        ({"batch_size": 2_000}, "batch times window is 32,000 and the limit here is 16,384"),
    ],
)
def test_a_shared_machine_caps_the_budget(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        jobs.start([tiny(**changes)], ME, SHEEP)


@pytest.mark.usefixtures("limited")
def test_a_budget_left_open_is_set_to_its_share() -> None:
    names = jobs.start([tiny(), tiny("lstm")], ME, SHEEP)
    words = worker.queued_words(see(names[0], ME).path / worker.QUEUED)[1]
    assert words[words.index("--max-seconds") + 1] == "90.0"
    with pytest.raises(ConfigError, match="limit here is 90"):
        sharing.limited([tiny(max_seconds=100), tiny()], OTHER)


@pytest.mark.usefixtures("limited")
def test_a_shared_machine_takes_one_job_a_visitor_and_a_short_queue() -> None:
    names = jobs.start([tiny()] * 4, ME, SHEEP)
    assert all(len(name.rsplit("-", 1)[1]) == 16 for name in names)
    with pytest.raises(ConfigError, match="a run of yours is still going"):
        jobs.start([tiny()], ME, SHEEP)
    jobs.start([tiny()] * 4, OTHER, SHEEP)
    with pytest.raises(ConfigError, match="8 runs are waiting here and the limit is 8"):
        jobs.start([tiny()], "third" * 5, SHEEP)
    with pytest.raises(ConfigError, match="token has 0 characters"):
        jobs.start([tiny()], "", SHEEP)


@pytest.mark.usefixtures("limited")
def test_a_visitor_starts_from_bundled_models_and_own_runs_alone(runs_dir: Path) -> None:
    theirs = str(finished_run(runs_dir, "theirs", OTHER) / "model")
    for init in (theirs, "someone/repo", "/etc"):
        with pytest.raises(CheckpointError, match="not offered here"):
            jobs.start([dataclasses.replace(tiny(), init=init)], ME, SHEEP)
    assert sharing.limited([dataclasses.replace(tiny(), init=theirs)], OTHER)
    assert sharing.limited([dataclasses.replace(tiny(), init=str(checkpoint.BUNDLED / "base/lstm"))], ME)


@pytest.mark.usefixtures("limited")
def test_a_job_that_nobody_follows_is_stopped_and_an_old_one_deleted(runs_dir: Path) -> None:
    (name,) = jobs.start([tiny()], ME, SHEEP)
    long_ago = time.time() - sharing.UNFOLLOWED_S - 1
    os.utime(runs_dir / name / worker.QUEUED, (long_ago, long_ago))
    sharing.follow([see(name, ME)])
    assert sharing.forgotten(runlist.every()) == []
    os.utime(runs_dir / name / runlist.FOLLOWED, (long_ago, long_ago))
    jobs.step()
    assert see(name, ME).status == "stopped"
    runlist.write_about(runs_dir / name, "old", time.time() - sharing.KEPT_S - 1, runlist.owner_of(ME))
    jobs.step()
    assert not (runs_dir / name).exists()


@pytest.mark.usefixtures("limited")
def test_what_the_machines_owner_trained_by_hand_is_never_tidied_away(runs_dir: Path) -> None:
    runlist.write_about(finished_run(runs_dir, "hand"), "by hand", time.time() - 10 * sharing.KEPT_S, "")
    jobs.step()
    assert [run.name for run in runlist.every()] == ["hand"]


def test_nothing_can_be_done_where_training_is_off(monkeypatch: pytest.MonkeyPatch, runs_dir: Path) -> None:
    finished_run(runs_dir, "a")
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    assert runlist.listed("") == []
    acts: list[Callable[[], object]] = [
        lambda: jobs.start([tiny()], "", SHEEP), lambda: jobs.stop("a"), lambda: jobs.delete("a"),
        lambda: jobs.resume("a"), lambda: see("a"), lambda: jobs.rename("a", "b"),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(MinrnnError, match="switched off here"):
            act()


def test_damaged_files_do_not_hide_the_other_runs(runs_dir: Path) -> None:
    finished_run(runs_dir, "good")
    for name, content in {
        "about.json": "{",
        "metrics.jsonl": '{"event": "iter"',
        "config.json": "[]",
    }.items():
        folder = runs_dir / f"bad-{name}"
        folder.mkdir()
        (folder / "about.json").write_text(json.dumps({"title": name}))
        (folder / name).write_text(content)
    seen = {run.name: run.status for run in runlist.listed("")}
    assert seen["good"] == "finished"
    assert seen["bad-metrics.jsonl"] == "killed"
