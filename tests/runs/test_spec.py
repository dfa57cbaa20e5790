import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from minrnn import checkpoint, files, presets
from minrnn.cli.train import parse
from minrnn.config import ModelConfig, TrainConfig
from minrnn.corpora import OWN
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, mixer_class
from minrnn.runs import folder, spec
from minrnn.runs.spec import CHANGEABLE, RunSpec, command, fine_tune, from_preset
from tests.runs.helpers import SHEEP, halved, micro

PAIRS = [(preset, model) for preset in presets.PRESETS for model in presets.PRESETS[preset]]
LEFT_OUT = {"mixer", "vocab", "options"}
INSTEAD = {
    "optimizer": "adamw",
    "init_std": 0.02,
    "target_val_loss": 1.25,
    "seed": 2**31 - 1,
    "eval_chars": 123,
}


def another(hint: Any, name: str, value: Any) -> Any:
    """A value that a field may have and has not."""
    if name in INSTEAD and INSTEAD[name] != value:
        return INSTEAD[name]
    if get_origin(hint) is Literal:
        return next(choice for choice in get_args(hint) if choice != value)
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else (value + 1.0) / 2.5


def changed(whole: Any) -> Iterator[tuple[str, Any]]:
    """A dataclass with each of its fields changed in turn."""
    hints = get_type_hints(type(whole))
    for field in dataclasses.fields(whole):
        if field.name not in LEFT_OUT:
            value = another(hints[field.name], field.name, getattr(whole, field.name))
            yield field.name, dataclasses.replace(whole, **{field.name: value})


def variants(start: RunSpec) -> Iterator[tuple[str, RunSpec]]:
    """A spec as it is, and with every field of recipe, shape and options changed in turn."""
    options = start.model.options or mixer_class(start.model.mixer).Options()
    yield "nothing", start
    for name, recipe in changed(start.train):
        if not (start.init and name == "init_std"):
            teachers = ("a folder", "ann/model@main") if name == "teacher_share" else ()
            yield name, dataclasses.replace(start, train=recipe, teachers=teachers)
    yield "teachers", dataclasses.replace(start, teachers=("a folder",))
    for name, shape in changed(start.model):
        if not start.init or name == "dropout":
            yield name, dataclasses.replace(start, model=shape)
    for name, own in changed(options) if not start.init else ():
        yield name, dataclasses.replace(start, model=dataclasses.replace(start.model, options=own))


def whole(found: RunSpec) -> RunSpec:
    """A spec with its options spelt out: None stands for the mixer's own."""
    options = found.model.options or mixer_class(found.model.mixer).Options()
    return dataclasses.replace(found, model=dataclasses.replace(found.model, options=options))


def read_back(wanted: RunSpec, out: Path) -> None:
    words = shlex.split(command(wanted, out))
    assert words[:4] == ["python", "-m", "minrnn", "train"]
    parsed, where, _ = parse(words[4:])
    assert whole(parsed) == whole(wanted)
    assert where == out


@pytest.mark.parametrize(("preset", "model"), PAIRS)
def test_a_command_is_read_back_to_its_spec(preset: str, model: str, tmp_path: Path) -> None:
    read_back(dataclasses.replace(from_preset(preset, model), corpus="python"), tmp_path / "a run")


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_command_is_read_back_to_its_spec_with_any_field_changed(mixer: str, tmp_path: Path) -> None:
    preset = next(preset for preset, models in presets.PRESETS.items() if mixer in models)
    start = dataclasses.replace(from_preset(preset, mixer), corpus="python")
    seen = dict(variants(start))
    assert len(seen) > len(dataclasses.fields(TrainConfig)) + len(dataclasses.fields(ModelConfig)) - 3
    for wanted in seen.values():
        assert wanted == start or spec.flags(wanted) != spec.flags(start)
    everything = _all_at_once(seen, start)
    for wanted in (
        everything,
        *(seen[name] for name in ("bias", "block", "dtype", "learning_rate", "score_train")),
    ):
        read_back(wanted, tmp_path / "run")


def _all_at_once(seen: dict[str, RunSpec], start: RunSpec) -> RunSpec:
    """The spec that has every change."""
    recipe = {f.name: getattr(seen[f.name].train, f.name) for f in dataclasses.fields(TrainConfig)}
    shape = {
        f.name: getattr(seen[f.name].model, f.name) for f in dataclasses.fields(ModelConfig) if f.name in seen
    }
    own = start.model.options or mixer_class(start.model.mixer).Options()
    options = {f.name: getattr(seen[f.name].model.options, f.name) for f in dataclasses.fields(own)}
    model = dataclasses.replace(start.model, **shape, options=dataclasses.replace(own, **options))
    teachers = seen["teacher_share"].teachers
    return dataclasses.replace(start, train=TrainConfig(**recipe), model=model, teachers=teachers)


FIELDS = [
    field.name
    for cls in (TrainConfig, ModelConfig)
    for field in dataclasses.fields(cls)
    if field.name not in LEFT_OUT
]


@pytest.mark.parametrize("name", FIELDS)
def test_a_changed_field_is_read_back_alone(name: str, tmp_path: Path) -> None:
    start = dataclasses.replace(from_preset("tiny", "nanogpt"), corpus="python")
    read_back(dict(variants(start))[name], tmp_path / "run")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after five iters; it is only read."""
    return halved(tmp_path_factory.mktemp("runs") / "stopped")


def test_a_command_from_a_checkpoint_is_read_back_with_any_field_changed(
    stopped: Path, tmp_path: Path
) -> None:
    start = dataclasses.replace(fine_tune(str(stopped / "model")), corpus="python")
    for name, wanted in variants(start):
        if name in ("nothing", "dropout", "learning_rate", "max_iters", "seed"):
            read_back(wanted, tmp_path / "run")


def test_a_preset_names_its_teachers_the_same_and_finds_them_in_every_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (checkpoint.BUNDLED.parent, tmp_path):
        monkeypatch.chdir(place)
        taught = from_preset(presets.TAUGHT, "mingru")
        assert taught.teachers == tuple(f"checkpoints/base/{model}" for model in presets.PRESETS["base"])
        for name in taught.teachers:
            assert checkpoint.bundled("base", name.rpartition("/")[2]).samefile(
                checkpoint.folder_of(name) or ""
            )


def test_a_checkpoint_that_a_preset_with_teachers_tunes_has_them_and_says_so(
    stopped: Path, tmp_path: Path
) -> None:
    tuned = fine_tune(str(stopped / "model"), presets.TAUGHT)
    assert tuned.preset == presets.TAUGHT
    assert tuned.teachers == from_preset(presets.TAUGHT, "mingru").teachers and tuned.is_taught
    read_back(dataclasses.replace(tuned, corpus="python"), tmp_path / "run")


def test_a_taught_checkpoint_is_tuned_by_the_same_recipe_without_teachers(tmp_path: Path) -> None:
    """Its teachers may not know the text to come."""
    model = halved(tmp_path / "run") / "model"
    files.write_json(model / "metrics.json", {"preset": presets.TAUGHT})
    (tmp_path / "run" / "config.json").unlink()
    tuned, untaught = fine_tune(str(model)), fine_tune(str(model), "base")
    assert (tuned.preset, tuned.teachers) == ("base", ()) and tuned == untaught
    assert spec.untaught(presets.TAUGHT, "mingru") == "base"
    assert spec.untaught("base", "gru") == "base" and spec.untaught("no_such_preset", "gru") is None


def test_a_run_by_a_preset_with_teachers_that_has_none_is_not_taught_by_its_command(tmp_path: Path) -> None:
    """Earlier versions trained a checkpoint on in that way."""
    old = dataclasses.replace(from_preset(presets.TAUGHT, "mingru"), corpus="python", teachers=())
    words = shlex.split(command(old, tmp_path / "run"))
    parsed, _, _ = parse(words[4:])
    assert parsed.teachers == () and whole(parsed) == whole(dataclasses.replace(old, preset="base"))


def test_a_command_shows_folders_within_the_working_folder_without_their_whole_path(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = stopped / "model"
    found = dataclasses.replace(
        fine_tune(str(model)), corpus="python", teachers=(str(model), "ann/model@main")
    )
    monkeypatch.chdir(stopped)
    assert "--teacher model ann/model@main --init model " in command(found, "x")
    read_back(found, Path("x"))
    monkeypatch.chdir(stopped.parent)
    assert "--init ./stopped/model " in command(found, "x")  # "stopped/model" might be a repo on the Hub
    read_back(found, Path("x"))
    monkeypatch.chdir(tmp_path)
    assert f"--teacher {model} ann/model@main --init {model} " in command(found, "x")


def test_a_run_goes_on_with_a_checkpoint_by_another_name_of_it(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier versions kept names as they were typed."""
    monkeypatch.chdir(stopped)
    new = fine_tune("./model")
    old = dataclasses.replace(new, init="model", teachers=("model",))
    new = dataclasses.replace(new, teachers=(str(stopped / "model"),))
    spec.check_resumable(old, new)
    with pytest.raises(ConfigError, match=f"init is '{stopped}/model' in this run and cannot become 'other'"):
        spec.check_resumable(old, dataclasses.replace(new, init="other"))


def test_a_command_names_the_readers_own_text_in_the_runs_folder(tmp_path: Path) -> None:
    wanted = dataclasses.replace(from_preset("tiny", "lstm"), corpus=OWN)
    (tmp_path / "own.txt").write_text(SHEEP)
    read_back(wanted, tmp_path)


def test_a_spec_is_read_back_from_its_config_json(tmp_path: Path) -> None:
    for preset, model in PAIRS:
        wanted = from_preset(preset, model)
        files.write_json(tmp_path / "config.json", wanted.to_dict() | {"further": 1})
        assert folder.read_spec(tmp_path) == whole(wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "ModelConfig|mixer"), ({"corpus": 3}, "corpus is 3"), ({"init": 5}, "init is 5"),
        ({"train": {"optimiser": "x"}}, "unknown keys 'optimiser'.*newer minRNN"),
        ({"train": {"batch_size": 2.5}}, "batch_size is 2.5; it must be a whole number"),
        ({"train": []}, "TrainConfig must be an object"),
    ],
)  # fmt: skip
def test_a_config_that_is_no_spec_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        spec.from_dict(micro().to_dict() | changes)
    assert type(caught.value).__module__ == "minrnn.errors"


@pytest.mark.parametrize(
    "name", [f.name for f in dataclasses.fields(TrainConfig) if f.name not in CHANGEABLE]
)
def test_a_run_that_goes_on_keeps_its_recipe(name: str) -> None:
    new = dataclasses.replace(micro(), train=dict(changed(micro().train))[name])
    with pytest.raises(ConfigError, match=rf"{name} is .* in this run and cannot become .*What can change"):
        spec.check_resumable(micro(), new)


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(ModelConfig) if f.name not in LEFT_OUT])
def test_a_run_that_goes_on_keeps_its_shape(name: str) -> None:
    new = dataclasses.replace(micro(), model=dict(changed(micro().model))[name])
    with pytest.raises(ConfigError, match=f"{name} is .* cannot become"):
        spec.check_resumable(micro(), new)


@pytest.mark.parametrize("name", sorted(CHANGEABLE))
def test_a_run_that_goes_on_may_have_another(name: str) -> None:
    spec.check_resumable(micro(), dataclasses.replace(micro(), train=dict(changed(micro().train))[name]))


@pytest.mark.parametrize(("preset", "model"), [(p, m) for p, m in PAIRS if checkpoint.bundled(p, m).is_dir()])
def test_a_bundled_checkpoint_is_tuned_by_its_own_recipe(preset: str, model: str) -> None:
    found = fine_tune(str(checkpoint.bundled(preset, model)))
    assert found.preset == spec.untaught(preset, model)
    assert found.init == f"checkpoints/{preset}/{model}"
    recipe = presets.get(preset, model).train
    assert found.train.max_iters == recipe.max_iters
    assert found.train.learning_rate == pytest.approx(0.3 * recipe.learning_rate)


def test_a_runs_checkpoint_is_tuned_by_its_recipe_before_it_is_scored(stopped: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny"  # the name of a folder is the weakest hint
    folder.create(out, dataclasses.replace(micro(), preset="replica"), SHEEP)
    next(folder.execute(out))
    assert not (out / "model" / "metrics.json").exists()
    assert fine_tune(str(out / "model")).preset == "replica"
    assert fine_tune(str(out / "model"), "base").preset == "base"


def test_a_checkpoint_whose_preset_does_not_have_its_model_finds_another(stopped: Path) -> None:
    rung = next(name for name in MIXERS if name not in presets.PRESETS["tiny"])
    assert spec.preset_of(str(stopped / "model"), rung) == "ladder"


def test_a_run_whose_model_no_preset_has_is_named_by_its_folder() -> None:
    gone = dataclasses.replace(micro(), model=dataclasses.replace(micro().model, mixer="no_such_model"))
    assert command(gone, "runs/x") == "python -m minrnn train --run runs/x"
