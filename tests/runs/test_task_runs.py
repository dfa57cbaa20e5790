"""Training on a task is a run like any other: over the tasks with one model, and over the models with one task."""

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, data, files, presets, settings, train
from minrnn.cli.train import parse
from minrnn.errors import ConfigError, CorpusError
from minrnn.models import MODEL_NAMES
from minrnn.runs import folder, limits
from minrnn.runs.events import METRICS, Follower, read_events, to_csv
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest, command_lines
from minrnn.runs.spec import RunSpec, command, from_preset
from minrnn.tasks import TASKS, find_task
from tests.runs.helpers import copied, losses

SMALL = {"n_layer": 1, "n_embd": 16, "mlp_ratio": 1}
RECIPE: dict[str, Any] = {
    "max_iters": 6, "max_seconds": 0, "batch_size": 4, "eval_interval": 3, "eval_chars": 300, "sample_interval": 3,
    "save_seconds": 0, "device": "cpu", "dtype": "float32",
}  # fmt: skip
every_task = pytest.mark.parametrize("task", TASKS)
every_model = pytest.mark.parametrize("model", MODEL_NAMES)


def spec_of(task: str = "parity", model: str = "mingru", **recipe: Any) -> RunSpec:
    preset = from_preset("task", model)
    shape = dataclasses.replace(preset.model, **SMALL)
    return dataclasses.replace(
        preset, corpus=task, model=shape, train=dataclasses.replace(preset.train, **RECIPE | recipe)
    )


def run(out: Path, spec: RunSpec, iters: int = 10**9) -> Path:
    """Train a spec to its end, or until so many iters are made."""
    folder.create(out, spec)
    seen: list[int] = []
    for event in folder.execute(out, should_stop=lambda: len(seen) >= iters):
        if isinstance(event, train.Iter):
            seen.append(event.iter)
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a task that went to its end; it is only read."""
    return run(tmp_path_factory.mktemp("runs") / "whole", spec_of())


def test_a_run_on_a_task_takes_no_text_that_lies_in_its_folder(stopped: Path, tmp_path: Path) -> None:
    out = copied(stopped, tmp_path / "run")
    (out / "own.txt").write_text("once upon a time there was a text\n" * 60)
    assert folder.read_spec(out).corpus == "parity"
    assert list(folder.execute(out))[-1] == train.Done(6, "max_iters")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run stopped after four iters; it is only copied."""
    return run(tmp_path_factory.mktemp("runs") / "stopped", spec_of(), 4)


def metrics(out: Path) -> dict[str, Any]:
    return checkpoint.read_metrics(out / "model" / checkpoint.METRICS)


@every_task
def test_every_task_trains_stops_and_goes_on_to_the_same_losses(task: str, tmp_path: Path) -> None:
    one = run(tmp_path / "one", spec_of(task))
    two = run(tmp_path / "two", spec_of(task), 4)
    assert "accuracy" not in metrics(two) and "val_loss" not in metrics(two)
    assert list(folder.execute(two))[-1] == train.Done(6, "max_iters")
    assert losses(one) == losses(two)
    assert metrics(one)["accuracy"] == metrics(two)["accuracy"]
    assert list(metrics(one)["accuracy"]) == [str(T) for T in TASKS[task].test_lengths]


@every_model
def test_every_model_trains_on_a_task_and_is_scored_by_length(model: str, tmp_path: Path) -> None:
    found = metrics(run(tmp_path / "run", spec_of("flip_flop", model, max_iters=2)))
    assert set(found["accuracy"]) == {"64", "128", "256", "512", "1024"}
    assert all(0 <= share <= 1 for share in found["accuracy"].values())
    assert found["val_loss"] > 0 and not {"val_loss_streaming", "bits_per_char"} & found.keys()
    assert checkpoint.load(tmp_path / "run" / "model").model.config.block_size == 1_024


def test_a_tasks_vocabulary_and_hash_stand_in_the_folder(whole: Path) -> None:
    spec = folder.read_spec(whole)
    assert (spec.model.vocab, spec.corpus_sha256) == (find_task("parity").vocab, find_task("parity").sha256)
    assert metrics(whole)["tokens_seen"] == 6 * 4 * 32
    assert metrics(whole)["sample"]["text"].startswith("sees    ")


def test_evaluations_bear_the_accuracy_and_samples_an_example(whole: Path) -> None:
    events = read_events(whole / METRICS)
    evals = [event for event in events if isinstance(event, train.Eval)]
    assert [event.iter for event in evals] == [0, 3, 6]
    assert all(event.accuracy is not None and 0 <= event.accuracy <= 1 for event in evals)
    samples = [event.text for event in events if isinstance(event, train.Sample)]
    assert len(samples) == 3 and all("\nanswers " in text for text in samples)
    head, first, *_ = to_csv(Follower(whole).poll()).splitlines()
    assert head.endswith(",val_loss,accuracy") and first.endswith(f",{evals[0].accuracy}")


def test_a_tasks_folder_that_was_moved_goes_on(stopped: Path, whole: Path, tmp_path: Path) -> None:
    out = copied(stopped, tmp_path / "elsewhere" / "my task ä")
    assert list(folder.execute(out))[-1] == train.Done(6, "max_iters")
    assert losses(out) == losses(whole)


def test_a_run_is_not_continued_with_a_task_of_other_sizes(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = copied(stopped, tmp_path / "run")
    monkeypatch.setitem(TASKS, "parity", dataclasses.replace(find_task("parity"), trained_length=33))
    with pytest.raises(CorpusError, match=r"'parity' is no longer the one.*old sizes of the task.*--init"):
        list(folder.execute(out))


@every_task
@every_model
def test_the_command_of_a_run_on_a_task_is_read_back_to_the_same_spec(model: str, task: str) -> None:
    spec = dataclasses.replace(from_preset("task", model), corpus=task)
    found, _, text = parse(shlex.split(command(spec, "x"))[4:])
    assert text is None and command(found, "x") == command(spec, "x")
    assert (found.corpus, found.train, found.preset) == (task, spec.train, "task")


def test_a_task_is_learnt_from_a_model_of_a_text(tmp_path: Path) -> None:
    start = run(tmp_path / "start", spec_of("brackets", max_iters=1)) / "model"
    spec = dataclasses.replace(spec_of(), init=str(start))
    out = run(tmp_path / "run", spec)
    vocab = folder.read_spec(out).model.vocab
    assert vocab == find_task("brackets").vocab + "01"
    assert set(metrics(out)["accuracy"]) == {"32", "64", "128", "256", "512"}


def test_positions_that_do_not_reach_over_a_text_are_refused(tmp_path: Path) -> None:
    shape = dataclasses.replace(spec_of(model="nanogpt").model, block_size=31)
    with pytest.raises(ConfigError, match="block_size is 31 and the texts of the task 'parity' have 32"):
        run(tmp_path / "run", dataclasses.replace(spec_of(model="nanogpt"), model=shape))


def test_logs_of_earlier_versions_are_read(tmp_path: Path) -> None:
    old = {"event": "eval", "iter": 3, "val_loss": 2.0, "tokens": 9, "seconds": 0.5, "peak_bytes": 7}
    (tmp_path / METRICS).write_text(json.dumps(old) + "\n")
    assert read_events(tmp_path / METRICS) == [train.Eval(3, 2.0, 9, 0.5, 7, None)]


# What a form or a script asks for


@every_task
def test_a_request_for_a_task_is_shown_as_a_command(task: str, tmp_path: Path) -> None:
    asked = TrainRequest(models=list(MODEL_NAMES), preset="task", corpus=task)
    lines = command_lines(asked, tmp_path).splitlines()
    for line, wanted in zip(lines, asked.specs(), strict=True):
        found, _, _ = parse(shlex.split(line)[4:])
        assert (found.corpus, found.model.mixer, found.train) == (task, wanted.model.mixer, wanted.train)


def test_signed_decays_are_asked_for_where_a_model_has_them(tmp_path: Path) -> None:
    asked = TrainRequest(models=["mingru", "minlstm"], preset="task", corpus="parity", decay="signed")
    assert all(" --decay signed " in line for line in command_lines(asked, tmp_path).splitlines())
    assert [spec.model_title for spec in asked.specs()] == ["signed minGRU", "signed minLSTM"]
    with pytest.raises(ConfigError, match="decay is 'signed' and lstm has no such choice"):
        TrainRequest(models=["mingru", "lstm"], preset="task", corpus="parity", decay="signed").specs()


def test_a_queue_takes_a_task(runs_dir: Path) -> None:
    queue = TrainingQueue()
    (name,) = queue.start(TrainRequest(models="mingru", preset="task", corpus="parity", max_iters=2))
    assert queue.runs.find(name, "").title == "minGRU task, parity"
    assert folder.read_spec(runs_dir / name).corpus == "parity"


def test_a_shared_machine_trains_every_task_by_its_preset() -> None:
    for task in TASKS:
        specs = TrainRequest(models=list(MODEL_NAMES), preset="task", corpus=task).specs()
        found = limits.limited(specs)
        assert sum(spec.train.max_seconds for spec in found) <= settings.MAX_TRAIN_SECONDS_LIMITED
    wide = dataclasses.replace(specs[0].model, block_size=2_048)
    with pytest.raises(ConfigError, match=r"window \(block_size\) is 2,048 and the limit here is 1,024"):
        limits.limited([dataclasses.replace(specs[0], model=wide)])


def test_positions_of_the_preset_reach_to_the_longest_text_that_is_scored() -> None:
    longest = max(T for task in TASKS.values() for T in task.test_lengths)
    assert {found.model.block_size for found in presets.PRESETS["task"].values()} == {longest}
    for found in presets.PRESETS["task"].values():
        for task in TASKS.values():
            data.check(task, found.model)


@pytest.mark.slow
def test_a_nonlinear_recurrence_learns_parity_at_every_length(tmp_path: Path) -> None:
    recipe = {"max_iters": 250, "eval_interval": 0, "sample_interval": 0, "device": "cpu", "dtype": "float32"}
    preset = from_preset("task", "lstm")
    spec = dataclasses.replace(
        preset, corpus="parity", train=dataclasses.replace(preset.train, max_seconds=0, **recipe)
    )
    found = metrics(run(tmp_path / "run", spec))
    assert min(found["accuracy"].values()) > 0.99
    assert files.is_file(tmp_path / "run" / "model" / "model.safetensors")
