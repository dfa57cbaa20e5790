import json
from pathlib import Path
from typing import Any

import pytest

from minrnn.cli.main import main
from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.tasks import TASKS


def scores(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    main(["eval", *words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_checkpoint_is_scored_on_the_whole_split(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scores([str(trained), "--corpus", str(text_file)], capsys)
    assert {"val_loss", "val_loss_streaming", "bits_per_char", "n_params", "tokens"} == set(found)
    assert found["tokens"] == 45 * 100 // 10 - 1


def test_metrics_are_what_eval_says(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scores([str(trained), "--corpus", str(text_file)], capsys)
    metrics = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["val_loss"] == pytest.approx(found["val_loss"], abs=1e-6)
    assert metrics["iters"] == 3 and metrics["tokens_seen"] == 3 * 2 * 96


def test_the_training_split_is_scored_on_demand(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "train_loss" in scores([str(trained), "--corpus", str(text_file), "--split", "train"], capsys)


def test_a_text_with_unknown_characters_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.txt").write_text("ABC " * 500, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["eval", str(trained), "--corpus", str(tmp_path / "other.txt")])
    error = capsys.readouterr().err
    assert "3 characters that the model does not know, such as 'A'" in error and "fine-tune it" in error


def test_a_loss_while_learning_stands_beside_the_others_and_never_in_their_place(
    trained: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(trained), "--corpus", str(text_file)]
    plain, learning = scores(words, capsys), scores([*words, "--learn", "0.1"], capsys)
    assert {name: learning[name] for name in plain} == plain
    assert set(learning) - set(plain) == {"val_loss_learning", "learn_rate"}
    assert float(str(learning["val_loss_learning"])) < float(str(plain["val_loss_streaming"]))


def test_a_rate_of_learning_out_of_range_is_refused(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["eval", str(trained), "--learn", "-1"])
    assert "rate is -1.0" in capsys.readouterr().err


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_checkpoint_is_scored_on_a_task_by_length(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = ModelConfig(model, TASKS["parity"].vocab + "?", block_size=64, n_layer=1, n_embd=8, mlp_ratio=0)
    LanguageModel(shape).save(tmp_path)
    found = scores([str(tmp_path), "--corpus", "parity"], capsys)
    assert set(found) == {"val_loss", "n_params", "tokens", "accuracy"}
    assert set(found["accuracy"]) == {"32", "64", "128", "256", "512"}
    main(["eval", str(tmp_path), "--corpus", "parity"])
    assert f"accuracy at 512  {found['accuracy']['512']:.4f}" in capsys.readouterr().out


def test_a_task_with_unknown_characters_is_refused(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["eval", str(trained), "--corpus", "parity"])
    assert "parity has 2 characters that the model does not know, such as '0'" in capsys.readouterr().err
