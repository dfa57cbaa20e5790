"""`python -m minrnn train`, as a person types it."""

import dataclasses
import json
import os
import shutil
import time
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint, presets, train
from minrnn.cli.main import main
from minrnn.cli.train import parse, prepared
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.models import MODEL_NAMES
from minrnn.ranks import Ranks
from minrnn.runs import folder, process
from minrnn.runs.events import METRICS, last_event, read_events
from minrnn.runs.lock import held
from tests.cli.conftest import FLAGS
from tests.runs.helpers import losses


@pytest.fixture
def out(run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a mistake is told in."""
    with pytest.raises(SystemExit) as end:
        main(words)
    error = capsys.readouterr().err
    assert end.value.code == 1 and error.startswith("error: ") and error.count("\n") == 1
    return error


def test_a_flag_not_given_takes_the_presets_value() -> None:
    spec, out, text = parse(["--preset", "base", "--model", "lstm", "--out", "x", "--learning-rate", "0.1"])
    usual = presets.get("base", "lstm").model
    assert (spec.model.n_layer, spec.model.dropout) == (usual.n_layer, usual.dropout)
    assert spec.train.learning_rate == 0.1
    assert (out, text) == (Path("x"), None)


@pytest.mark.parametrize("config", [None, "{", '{"corpus": "own"}'])
def test_a_run_whose_config_is_lost_is_trained_on_from_its_last_model(
    config: str | None, out: Path, tmp_path: Path
) -> None:
    (out / "config.json").unlink()
    if config is not None:
        (out / "config.json").write_text(config)
    for words in (["--out", str(out), "--resume"], ["--run", str(out)]):
        with pytest.raises(CheckpointError, match=f"--init {out / 'model'} and another --out"):
            prepared(words)
    with pytest.raises(CheckpointError, match="another --out"):
        prepared(["--out", str(out), "--corpus", str(out / "own.txt"), *FLAGS])
    words = ["--init", str(out / "model"), "--out", str(tmp_path / "new"), "--corpus", str(out / "own.txt")]
    assert folder.is_unbegun(prepared(words))


def test_a_mixers_own_options_are_flags() -> None:
    spec, _, _ = parse(["--model", "nanogpt", "--out", "x", "--n-head", "2"])
    assert getattr(spec.model.options, "n_head") == 2  # noqa: B009


def test_a_fine_tune_keeps_the_shape_and_lowers_the_rate(trained: Path) -> None:
    spec, _, _ = parse(["--init", str(trained), "--out", "y"])
    fresh, _, _ = parse(["--model", "mingru", "--out", "y"])
    assert (spec.model.n_embd, spec.model.n_layer) == (16, 1)
    assert spec.train.learning_rate < fresh.train.learning_rate


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--model", "no_such_model", "--out", "x"], "choose one of: mingru"),
        (["--preset", "huge", "--out", "x"], "choose one of: base"),
        (["--out", "x", "--learning-rate", "99"], "learning_rate is 99"),
        (["--out", "x", "--corpus", "nowhere.txt", *FLAGS], "'nowhere.txt' is neither a file nor"),
        (["--out", "x", "--corpus", "~no_such_user/x", *FLAGS], "'~no_such_user/x' is neither a file nor"),
        (["--out", "a file", "--corpus", "python", *FLAGS], "a file cannot be made"),
        (["--out", "a file/x", "--corpus", "python", *FLAGS], "a file/x cannot be made"),
        (["--corpus", "python"], "no folder is named; say by --out"),
        (["--resume"], "no folder is named; say by --out"),
        (
            ["--target-val-loss", "1.6", "--eval-interval", "0"],
            "target_val_loss is 1.6 and eval_interval is 0",
        ),
        (["--resume", "--out", "nowhere"], "holds no run to go on with; leave out --resume"),
        (["--run", "nowhere"], "nowhere holds no run that can be read; start one"),
        (["--run", "x", "--max-iters", "9"], "--run takes everything from the folder"),
        (["--resume", "--run=x"], "--run takes everything from the folder"),
        (["--init", "nowhere", "--out", "x"], "neither a folder on this machine nor a Hub repo"),
        (
            ["--teacher", "nowhere", "--corpus", "python", "--out", "x", *FLAGS],
            "'nowhere' is neither a folder",
        ),
        (
            ["--teacher", "A", "--corpus", "parity", "--out", "x", *FLAGS],
            "Train on a text, or leave out --teacher",
        ),
        (
            ["--preset", "taught", "--corpus", "parity", "--out", "x"],
            "Train on a text, or choose another preset than taught",
        ),
        (["--teacher", "--out", "x"], "--teacher names no checkpoint"),
        (["--teacher-share", "0.5", "--out", "x"], "--teacher-share is 0.5 and there is no teacher"),
        (
            ["--teacher", "A", "--teacher-share", "1.5", "--out", "x"],
            "teacher_share is 1.5; it must be a number",
        ),
        (["--out", "x", "--max-iters", "0"], "the run would never end"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_run(
    words: list[str],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    assert hint in told(["train", *words], capsys)
    assert not (tmp_path / "x").exists()


def test_a_resumed_run_keeps_its_teachers(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, out, text = str(run / "model"), str(tmp_path / "run"), str(run / "own.txt")
    main(["train", "--teacher", teacher, teacher, "--corpus", text, "--out", out, *FLAGS])
    assert "the teachers have read 4,049 of 4,049 characters" in capsys.readouterr().out
    error = told(["train", "--resume", "--out", out, "--teacher", teacher], capsys)
    assert f"teacher is '{teacher} {teacher}' in this run and cannot become '{teacher}'" in error
    main(["train", "--resume", "--out", out, "--max-iters", "5"])
    assert len(losses(Path(out))) == 5 and not list(Path(out).glob("expected-*"))
    assert "--teacher" in told(["train", "--resume", "--out", str(run), "--teacher-share", "0.5"], capsys)


def test_a_run_is_not_overwritten(run: Path, text_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--resume" in told(["train", "--corpus", str(text_file), "--out", str(run), *FLAGS], capsys)


def test_a_text_comes_along_in_the_runs_folder(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(text_file.parent)
    out = prepared(["--corpus", text_file.name, "--out", str(tmp_path / "run"), *FLAGS])
    monkeypatch.chdir(tmp_path)
    assert (out / "own.txt").read_text() == text_file.read_text()
    assert list(folder.execute(out))[-1] == train.Done(3, "max_iters")


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_every_model_is_fine_tuned_on_a_text_with_new_characters(
    model: str, text_file: Path, tmp_path: Path
) -> None:
    first, second, other = tmp_path / "first", tmp_path / "second", tmp_path / "other.txt"
    other.write_text(
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n" * 60, encoding="utf-8"
    )
    main(["train", "--model", model, "--corpus", str(text_file), "--out", str(first), *FLAGS])
    words = ["--init", str(first / "model"), "--corpus", str(other), "--max-iters", "30", "--batch-size", "2"]
    main(["train", *words, "--out", str(second), "--dtype", "float32"])
    start, tuned = (checkpoint.load(out / "model") for out in (first, second))
    old, new = start.model.config.vocab, tuned.model.config.vocab
    assert new.startswith(old) and set(new) == set(old) | set(other.read_text(encoding="utf-8"))
    assert tuned.metrics["init"] == str(first / "model") and tuned.metrics["iters"] == 30
    evals = [e.val_loss for e in read_events(second / METRICS) if isinstance(e, train.Eval)]
    assert evals[-1] < evals[0]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--n-embd", "32"], "the shape is the checkpoint's"),
        (["--block-size", "8"], "the shape is the checkpoint's"),
        (["--expansion", "2"], "the shape is the checkpoint's"),
        (["--init-std", "1"], "would draw the weights"),
        (["--model", "lstm"], "--model lstm does not fit"),
    ],
)
def test_a_checkpoints_shape_and_weights_are_not_changed_silently(
    words: list[str], hint: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = ["train", "--init", str(trained), "--corpus", "python", "--out", str(tmp_path / "new")]
    assert hint in told([*start, *words], capsys)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--batch-size", "8"], ["--seed", "1"], ["--learning-rate", "0.1"], ["--optimizer", "adamw"],
        ["--corpus", "python"], ["--preset", "base"], ["--model", "lstm"], ["--init", "runs/x/model"],
        ["--expansion", "2"], ["--n-layer", "2"], ["--dropout", "0.5"], ["--ema-decay", "0"], ["--init-std", "1"],
    ],
)  # fmt: skip
def test_a_run_does_not_become_another_one_when_it_goes_on(
    words: list[str], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (out / "config.json").read_bytes()
    error = told(["train", "--out", str(out), "--resume", *words], capsys)
    assert "cannot become" in error or "does not fit" in error
    assert words[0].strip("-").replace("-", "_") in error.replace("-", "_")
    assert (out / "config.json").read_bytes() == before


def test_a_changed_budget_is_what_the_folder_says_and_what_is_trained(out: Path, text_file: Path) -> None:
    main(["train", "--out", str(out), "--resume", "--max-iters", "6", "--corpus", str(text_file)])
    assert folder.read_spec(out).train.max_iters == 6
    assert [n for n, _ in losses(out)] == [1, 2, 3, 4, 5, 6]
    assert json.loads((out / "model" / "metrics.json").read_text())["train"]["max_iters"] == 6
    main(["train", "--run", str(out)])
    assert last_event(out / METRICS) == train.Done(6, "max_iters")


def test_another_text_on_resume_is_refused(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.txt").write_text("Another text altogether.\n" * 100)
    words = ["train", "--out", str(out), "--resume", "--corpus", str(tmp_path / "other.txt")]
    assert "corpus is 'own' in this run and cannot become" in told(words, capsys)


def test_a_run_in_progress_keeps_its_budget(out: Path) -> None:
    with held(out), pytest.raises(CheckpointError, match="another process is training"):
        prepared(["--out", str(out), "--resume", "--max-iters", "9"])
    assert folder.read_spec(out).train.max_iters == 3


def test_the_precision_may_change_when_a_run_goes_on(out: Path) -> None:
    main(
        ["train", "--out", str(out), "--resume", "--max-iters", "5", "--dtype", "bfloat16", "--device", "cpu"]
    )
    metrics = checkpoint.load(out / "model").metrics
    assert (metrics["dtype"], metrics["train"]["device"], metrics["iters"]) == ("bfloat16", "cpu", 5)


NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")


@NO_CUDA
def test_a_device_that_is_not_here_is_told_and_the_same_command_trains_elsewhere(
    text_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--corpus", str(text_file), "--out", str(tmp_path / "run"), *FLAGS]
    error = told([*words, "--device", "cuda"], capsys)
    assert "device 'cuda' is not on this machine; choose one of: cpu" in error
    assert not (tmp_path / "run").exists()
    main([*words, "--device", "cpu"])
    assert last_event(tmp_path / "run" / METRICS) == train.Done(3, "max_iters")


@NO_CUDA
def test_a_run_that_cannot_go_on_as_asked_stays_as_it_was(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (out / "config.json").read_bytes()
    error = told(["train", "--out", str(out), "--resume", "--max-iters", "9", "--device", "cuda"], capsys)
    assert "is not on this machine" in error
    with pytest.raises(ConfigError, match="batch_size 2 cannot be split among 3 processes"):
        prepared(["--out", str(out), "--resume", "--max-iters", "9"], Ranks(0, 3))
    assert (out / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--block-size", "4500"], "use a longer text or a smaller window"),
        (["--model", "nanogpt", "--n-head", "3"], "n_head 3 does not divide n_embd 16"),
        (["--n-embd", "2048", "--n-layer", "4"], "parameters, and no checkpoint of more than 50,000,000"),
        (["--batch-size", "16"], "batch_size 16 cannot be split among 3 processes"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_there_is_a_folder(
    words: list[str], hint: str, text_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(MinrnnError, match=hint):
        prepared(["--corpus", str(text_file), "--out", str(tmp_path / "run"), *FLAGS, *words], Ranks(0, 3))
    assert not (tmp_path / "run").exists()


def test_a_run_that_has_not_begun_is_told_with_the_way_to_it(
    text_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--corpus", str(text_file), "--out", str(tmp_path / "run"), *FLAGS]
    out = prepared(words)
    for again in (["train", *words], ["train", *words, "--resume"]):
        assert f"holds a run that has not begun; train it by --run {out}" in told(again, capsys)
    main(["train", "--run", str(out)])
    assert last_event(out / METRICS) == train.Done(3, "max_iters")


def test_a_stop_that_a_killed_worker_left_does_not_end_the_next_one(text_file: Path, tmp_path: Path) -> None:
    out = prepared(["--corpus", str(text_file), "--out", str(tmp_path / "run"), *FLAGS])
    (out / folder.STOP).touch()
    main(["train", "--run", str(out)])
    assert last_event(out / METRICS) == train.Done(3, "max_iters")


def test_a_worker_of_the_queue_obeys_a_stop_that_was_asked_for_since(out: Path) -> None:
    process.queue(out)
    process.claim(out)
    process.stop(out)
    assert prepared(["--run", str(out)]) == out and (out / folder.STOP).exists()
    old = time.time() - process.STARTING_S - 1
    os.utime(out / folder.STARTING, (old, old))  # of a worker that was killed before it began
    assert prepared(["--run", str(out)]) == out and not (out / folder.STOP).exists()


def test_a_stop_asked_of_another_worker_is_left_to_it(out: Path) -> None:
    (out / folder.STOP).touch()
    with held(out), pytest.raises(CheckpointError, match="another process is training"):
        prepared(["--run", str(out)])
    assert (out / folder.STOP).exists()


def test_a_fine_tune_by_a_preset_with_teachers_has_them(trained: Path) -> None:
    spec, _, _ = parse(["--init", str(trained), "--preset", "taught", "--out", "x"])
    usual, _, _ = parse(["--preset", "taught", "--out", "x"])
    assert (spec.preset, spec.teachers) == ("taught", usual.teachers) and len(spec.teachers) == 5


@pytest.mark.parametrize("words", [["--device", "gpu"], ["--dtype", "float16"], ["--optimizer", "sgd"]])
def test_a_name_that_is_not_offered_is_not_taken_for_auto(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", "--corpus", "python", "--out", str(tmp_path / "run"), *words])
    assert end.value.code == 2 and words[1] in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_flags_do_not_change_the_defaults() -> None:
    spec, _, _ = parse(["--out", "x"])
    with pytest.raises(ConfigError, match="batch_size"):
        dataclasses.replace(spec.train, batch_size=0)
    assert parse(["--out", "x"])[0] == spec
