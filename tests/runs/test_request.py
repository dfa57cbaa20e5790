import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, presets
from minrnn.cli.train import parse
from minrnn.config import TrainConfig
from minrnn.errors import ConfigError, CorpusError, MinrnnError
from minrnn.models import MODEL_NAMES, disk
from minrnn.runs import request as requests
from minrnn.runs.request import TrainRequest, command_lines
from minrnn.runs.spec import untaught
from tests.runs.helpers import SHEEP, halved, request

HERE = [(p, m) for p in presets.PRESETS for m in MODEL_NAMES if checkpoint.bundled(p, m).is_dir()]


@pytest.mark.parametrize("preset", presets.OFFERED)
def test_a_field_left_open_keeps_the_presets_value(preset: str) -> None:
    models = list(presets.PRESETS[preset])
    for found, model in zip(TrainRequest(models=models, preset=preset).specs(), models, strict=True):
        assert presets.Preset(found.model, found.train, found.corpus) == presets.get(preset, model)


@pytest.mark.parametrize("preset", presets.OFFERED)
def test_without_a_text_the_presets_is_trained_on_and_the_command_says_it(
    preset: str, tmp_path: Path
) -> None:
    (own,) = {found.corpus for found in presets.PRESETS[preset].values()}
    (spec,) = TrainRequest(models="gru", preset=preset).specs()
    line = command_lines(TrainRequest(models="gru", preset=preset), tmp_path)
    assert spec.corpus == own and f"--preset {preset} --model gru --corpus {own} " in line
    assert TrainRequest(models="gru", preset=preset, corpus="python").specs()[0].corpus == "python"
    assert parse(["--preset", preset, "--model", "gru", "--out", "x"])[0].corpus == own


def test_several_models_have_each_the_budget_of_its_own_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = presets.get("base", "gru")
    longer = dataclasses.replace(usual, train=dataclasses.replace(usual.train, max_iters=7_000))
    monkeypatch.setitem(presets.PRESETS["base"], "gru", longer)  # type: ignore[arg-type]
    found = TrainRequest(models=list(MODEL_NAMES), preset="base").specs()
    budgets = {spec.model.mixer: spec.train.max_iters for spec in found}
    assert budgets == {name: presets.get("base", name).train.max_iters for name in MODEL_NAMES}
    assert requests.longest_budget("base", list(MODEL_NAMES)) == budgets["gru"] == 7_000


def test_checkpoints_to_tune_have_each_the_budget_of_their_own_preset() -> None:
    inits = [str(checkpoint.bundled(preset, model)) for preset, model in HERE]
    for found, (preset, model) in zip(
        TrainRequest(inits=inits[:8], preset="tiny").specs(), HERE, strict=False
    ):
        assert (found.preset, found.model.mixer) == (untaught(preset, model), model)
        assert found.train.max_iters == presets.get(preset, model).train.max_iters


@pytest.mark.parametrize("given", ["mingru, nanogpt", "nanogpt,mingru,,mingru", ["nanogpt", "mingru"]])
def test_models_are_a_list_or_names_with_commas_and_train_in_the_order_shown(given: Any) -> None:
    assert [spec.model.mixer for spec in TrainRequest(models=given).specs()] == ["mingru", "nanogpt"]


def test_what_is_filled_in_reaches_every_spec() -> None:
    values = {
        "max_iters": 7, "max_seconds": 8.0, "target_val_loss": 1.5, "learning_rate": 0.5, "batch_size": 3, "seed": 9,
        "eval_interval": 2, "sample_interval": 4, "device": "cpu", "dtype": "bfloat16",
    }  # fmt: skip
    (found,) = TrainRequest(models="lstm", block_size=32, dropout=0.5, **values).specs()  # type: ignore[arg-type]
    assert {name: getattr(found.train, name) for name in values} == values
    assert (found.model.block_size, found.model.dropout) == (32, 0.5)
    assert set(requests._RECIPE) == set(values) <= {field.name for field in dataclasses.fields(TrainConfig)}


@pytest.mark.parametrize(("given", "kept"), [(5.0, 5), (5, 5)])
def test_a_whole_number_may_arrive_as_a_float(given: Any, kept: int) -> None:
    (found,) = request(max_iters=given, batch_size=given, seed=given).specs()
    assert (found.train.max_iters, found.train.batch_size, found.train.seed) == (kept, kept, kept)
    assert type(found.train.max_iters) is int


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_iters": 2.5}, "max_iters is 2.5; it must be a whole number"),
        ({"max_iters": "5"}, "max_iters is '5'"),
        ({"max_iters": -1}, "max_iters is -1; it must be a whole number and lie between 0 and"),
        ({"max_iters": True}, "max_iters is True"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": 99}, "learning_rate is 99.* lie between"),
        ({"dropout": 1}, "dropout is 1"),
        ({"dtype": "float16"}, "dtype is 'float16'; choose one of: 'auto', 'float32', 'bfloat16'"),
        ({"device": "gpu"}, "device is 'gpu'; choose one of: 'auto', 'cpu', 'cuda', 'mps'"),
        ({"models": []}, "nothing is chosen to train; choose at least one model"),
        ({"models": 3}, "models is 3"),
        ({"models": "no_such_model"}, "no model 'no_such_model'; choose one of: mingru"),
        ({"models": [], "inits": ["x"] * 9}, "9 runs are asked for and 8 is the limit"),
        ({"preset": "ladder"}, f"preset is 'ladder'; choose one of: {', '.join(presets.OFFERED)}"),
        ({"text": None}, "text is None"),
        ({"max_iters": 0, "max_seconds": 0, "target_val_loss": 0}, "the run would never end"),
        ({"target_val_loss": 1.6, "eval_interval": 0}, "target_val_loss is 1.6 and eval_interval is 0"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        request(**{"models": "mingru"} | changes).specs()


@pytest.mark.parametrize("corpus", ["/etc/passwd", "no_such_text", "", "x" * 10_000])
def test_a_text_that_is_not_known_is_refused_and_not_read(corpus: str) -> None:
    with pytest.raises(CorpusError, match="is not known; choose one of: tinyshakespeare"):
        TrainRequest(models="mingru", corpus=corpus)


def test_an_uploaded_file_comes_before_the_text(tmp_path: Path) -> None:
    (tmp_path / "up.txt").write_text(SHEEP.upper())
    assert request(file=str(tmp_path / "up.txt")).own_text().text == SHEEP.upper()  # type: ignore[union-attr]
    assert request().own_text().text == SHEEP  # type: ignore[union-attr]
    assert TrainRequest(models="mingru", text=SHEEP).own_text() is None


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights are read, and no file is fetched."""

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the preview must not read weights or ask the Hub")

    for module, name in ((checkpoint, "load"), (checkpoint, "load_repo"), (disk, "read_weights")):
        monkeypatch.setattr(module, name, touched)
    for name in ("hf_hub_download", "get_hf_file_metadata"):
        monkeypatch.setattr(f"minrnn.models.download.{name}", touched)


def read_back(asked: TrainRequest, runs: Path) -> None:
    """The lines of the preview ask for the same runs, each in a folder of its own."""
    lines = [line for line in command_lines(asked, runs).splitlines() if not line.startswith("#")]
    parsed = [parse(shlex.split(line)[4:]) for line in lines]
    for (found, _, _), wanted in zip(parsed, asked.specs(), strict=True):
        assert found.train == wanted.train
        assert dataclasses.replace(found.model, options=None) == dataclasses.replace(
            wanted.model, options=None
        )
        assert (found.corpus, found.preset, found.init) == (wanted.corpus, wanted.preset, wanted.init)
    assert len({out for _, out, _ in parsed}) == len(lines)


CHANGES: dict[str, Any] = {
    "max_iters": 7, "max_seconds": 8.5, "target_val_loss": 1.5, "learning_rate": 0.5, "batch_size": 3, "seed": 9,
    "eval_interval": 2, "sample_interval": 4, "device": "cpu", "dtype": "bfloat16", "block_size": 32, "dropout": 0.5,
}  # fmt: skip


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("preset", presets.OFFERED)
@pytest.mark.parametrize("name", ["", *CHANGES])
def test_the_command_that_the_page_shows_asks_for_the_same_runs(
    preset: str, name: str, tmp_path: Path
) -> None:
    changes = {name: CHANGES[name]} if name else {}
    models = list(MODEL_NAMES) if not name else [MODEL_NAMES[0], MODEL_NAMES[-1]]
    read_back(TrainRequest(models=models, preset=preset, corpus="python", **changes), tmp_path)


@pytest.mark.usefixtures("offline")
def test_the_command_that_tunes_asks_for_the_same_runs(tmp_path: Path) -> None:
    inits = [str(checkpoint.bundled(preset, model)) for preset, model in HERE[:3]]
    for name in ("max_iters", "dropout", "learning_rate"):
        read_back(TrainRequest(inits=inits, corpus="python", **{name: CHANGES[name]}), tmp_path)
    read_back(TrainRequest(inits=[inits[0]], corpus="python"), tmp_path)


@pytest.mark.usefixtures("offline")
def test_a_checkpoint_keeps_its_window(tmp_path: Path) -> None:
    init = str(halved(tmp_path / "run") / "model")
    with pytest.raises(
        ConfigError, match=r"block_size \(the window\) is 32 and .* keeps its own, \d+; leave it out"
    ):
        TrainRequest(inits=[init], block_size=32).specs()
    own = TrainRequest(inits=[init]).specs()
    assert TrainRequest(inits=[init], block_size=own[0].model.block_size).specs() == own


@pytest.mark.usefixtures("offline")
def test_two_runs_of_one_model_are_shown_in_two_folders(tmp_path: Path) -> None:
    first = halved(tmp_path / "first")
    second = halved(tmp_path / "second")
    read_back(TrainRequest(inits=[str(first / "model"), str(second / "model")], corpus="python"), tmp_path)


@pytest.mark.usefixtures("offline")
def test_a_repo_on_the_hub_is_not_asked_for_a_preview(tmp_path: Path) -> None:
    lines = command_lines(TrainRequest(inits=["someone/repo"], corpus="python"), tmp_path)
    assert lines == "# someone/repo is read from the Hub when the training starts"


def test_the_command_for_a_text_of_ones_own_says_where_to_put_it(tmp_path: Path) -> None:
    comment, line = command_lines(request(), tmp_path).splitlines()
    assert comment == f"# with your text as {tmp_path}/tiny-mingru/own.txt"
    (tmp_path / "tiny-mingru").mkdir()
    (tmp_path / "tiny-mingru" / "own.txt").write_text(SHEEP)
    assert parse(shlex.split(line)[4:])[2].text == SHEEP  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "damage", [lambda out: (out / "config.json").write_text("{"), lambda out: (out / "config.json").unlink()]
)
def test_a_checkpoint_that_cannot_be_read_is_refused(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    model = halved(tmp_path / "run") / "model"
    damage(model)
    with pytest.raises(MinrnnError, match=r"config\.json"):
        TrainRequest(inits=[str(model)]).specs()


def test_a_model_with_signed_decays_is_asked_for_beside_the_plain_one() -> None:
    asked = TrainRequest(models="nanogpt, mingru, mingru-signed", preset="task", corpus="parity")
    assert [spec.model_key for spec in asked.specs()] == ["mingru", "mingru-signed", "nanogpt"]
    assert [spec.model_title for spec in asked.specs()] == ["minGRU", "signed minGRU", "nanoGPT"]
    with pytest.raises(ConfigError, match="decay is 'signed' and lstm has no such choice"):
        TrainRequest(models="lstm-signed", preset="task", corpus="parity").specs()
