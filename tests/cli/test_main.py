"""The command line, as a person types it."""

import json
from pathlib import Path

import pytest

from minrnn.cli.main import main
from minrnn.cli.train import parse

TINY = ["--max-iters", "3", "--n-embd", "16", "--n-layer", "1", "--batch-size", "2", "--dtype", "float32"]


def run_json(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    main(words)
    out: dict[str, object] = json.loads(capsys.readouterr().out)
    return out


@pytest.fixture(scope="module")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "own.txt"
    path.write_text("the quick brown fox jumps over the lazy dog.\n" * 100, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    out = tmp_path_factory.mktemp("trained") / "run"
    main(["train", "--model", "mingru", "--corpus", str(text_file), "--out", str(out), *TINY])
    return out / "model"


def test_train_eval_and_sample_work_on_one_folder(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = run_json(["eval", str(trained), "--corpus", str(text_file), "--json"], capsys)
    assert {"val_loss", "val_loss_streaming", "bits_per_char", "n_params", "tokens"} == set(scores)
    words = ["sample", str(trained), "--prompt", "the ", "--max-new-tokens", "9", "--seed", "5", "--json"]
    first, second = run_json(words, capsys), run_json(words, capsys)
    assert set(first) == {"text", "tokens_per_s", "ttft_s", "state_bytes", "finish_reason"}
    assert first["text"] == second["text"] and len(str(first["text"])) == 9


def test_metrics_are_what_eval_says(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = run_json(["eval", str(trained), "--corpus", str(text_file), "--json"], capsys)
    metrics = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["val_loss"] == pytest.approx(scores["val_loss"], abs=1e-6)
    assert metrics["iters"] == 3 and metrics["tokens_seen"] == 3 * 2 * 96


def test_the_training_split_is_scored_on_demand(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", str(trained), "--corpus", str(text_file), "--split", "train", "--json"]
    assert "train_loss" in run_json(words, capsys)


def test_a_flag_not_given_takes_the_presets_value() -> None:
    spec, out, resume = parse(["--preset", "base", "--model", "lstm", "--out", "x", "--learning-rate", "0.1"])
    assert spec.model.n_layer == 5 and spec.model.dropout == 0.3 and spec.train.learning_rate == 0.1
    assert (out, resume) == (Path("x"), False)


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
        (["train", "--model", "gru", "--out", "x"], "mingru"),
        (["train", "--preset", "huge", "--out", "x"], "base"),
        (["train", "--out", "x", "--learning-rate", "99"], "learning_rate"),
        (["train", "--out", "x", "--corpus", "nowhere.txt", *TINY], "nowhere.txt"),
        (["eval", "nowhere", "--json"], "nowhere"),
        (["sample", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_1(
    words: list[str],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and hint in error and error.count("\n") == 1


def test_a_run_is_not_overwritten(trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--corpus", str(text_file), "--out", str(trained.parent), *TINY])
    assert "--resume" in capsys.readouterr().err


def test_eval_refuses_a_text_with_unknown_characters(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.txt").write_text("ABC " * 500, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["eval", str(trained), "--corpus", str(tmp_path / "other.txt")])
    assert "'A'" in capsys.readouterr().err


def test_a_loss_while_learning_stands_beside_the_others_and_never_in_their_place(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", str(trained), "--corpus", str(text_file), "--json"]
    plain, learning = run_json(words, capsys), run_json([*words, "--learn", "0.1"], capsys)
    assert {name: learning[name] for name in plain} == plain
    assert set(learning) - set(plain) == {"val_loss_learning", "learn_rate"}
    assert float(str(learning["val_loss_learning"])) < float(str(plain["val_loss_streaming"]))


def test_a_rate_of_learning_out_of_range_is_refused(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["eval", str(trained), "--learn", "-1"])
    assert "rate is -1.0" in capsys.readouterr().err
