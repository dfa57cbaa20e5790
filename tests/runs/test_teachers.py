"""Runs that teachers teach: what stays in the folder, what is used again, and what is refused."""

import dataclasses
import itertools
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from minrnn import checkpoint, teaching, train
from minrnn.cli.train import prepared
from minrnn.corpora import own
from minrnn.errors import CheckpointError, ConfigError, MinrnnError, TrainingError
from minrnn.events import Teaching
from minrnn.ranks import Ranks
from minrnn.runs import folder, teachers
from minrnn.runs.spec import RunSpec, from_preset
from tests.runs.helpers import SHEEP, copied, losses, micro, trained


@pytest.fixture(scope="module")
def committee(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Two trained models; they are only read."""
    root = tmp_path_factory.mktemp("teachers")
    return tuple(str(trained(root / str(seed), seed=seed) / "model") for seed in (1, 2))


def taught(out: Path, names: tuple[str, ...], text: str = SHEEP, **recipe: Any) -> Path:
    """The folder of a run with teachers that has not begun."""
    folder.create(out, dataclasses.replace(micro(**recipe), teachers=names), text)
    return out


@pytest.fixture(scope="module")
def whole(committee: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A taught run that went from its beginning to its end; it is only read."""
    out = taught(tmp_path_factory.mktemp("runs") / "whole", committee)
    list(folder.execute(out))
    return out


@pytest.fixture(scope="module")
def stopped(committee: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run stopped after five iters; it is only copied."""
    out = taught(tmp_path_factory.mktemp("runs") / "stopped", committee)
    list(folder.execute(out, should_stop=lambda: len(losses(out)) >= 5))
    return out


def kept(out: Path) -> list[str]:
    """The files that hold what teachers expect, whole or half written."""
    return sorted(path.name for path in out.iterdir() if "expected-" in path.name)


def test_the_teachers_read_first_and_are_told_of_in_tenths(
    committee: tuple[str, ...], tmp_path: Path
) -> None:
    events = folder.execute(taught(tmp_path / "run", committee))
    reading = list(itertools.takewhile(lambda event: isinstance(event, Teaching), events))
    assert 2 <= len(reading) <= 11
    last = len(own.from_text(SHEEP).train) - 1
    assert reading[0] == Teaching(0, 0, last) and reading[-1] == Teaching(0, last, last)


def test_teachers_change_the_training_and_not_the_score(whole: Path, tmp_path: Path) -> None:
    assert losses(whole) != losses(trained(tmp_path / "plain"))
    found = checkpoint.load(whole / "model")
    score = checkpoint.score(found.model, own.from_text(SHEEP))
    assert found.metrics["val_loss"] == pytest.approx(score["val_loss"], abs=1e-6)


def test_the_lineage_stands_in_config_and_metrics(whole: Path, committee: tuple[str, ...]) -> None:
    spec, metrics = folder.read_spec(whole), checkpoint.load(whole / "model").metrics
    assert spec.teachers == committee and [len(digest) for digest in spec.teachers_sha256] == [64, 64]
    pairs = zip(committee, spec.teachers_sha256, strict=True)
    assert metrics["teachers"] == [{"name": name, "sha256": digest} for name, digest in pairs]
    assert f"--teacher {' '.join(committee)} " in metrics["command"]


def test_what_they_expect_is_kept_until_the_run_has_ended(whole: Path, stopped: Path) -> None:
    assert len(kept(stopped)) == 1
    assert kept(whole) == []


def test_a_run_that_goes_on_uses_it_again_and_needs_no_teacher(
    whole: Path, stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaching, "write", None)
    monkeypatch.setattr(checkpoint, "load", None)
    halves = copied(stopped, tmp_path / "halves")
    first, *_ = folder.execute(halves)
    assert not isinstance(first, Teaching)
    assert losses(halves) == losses(whole) and kept(halves) == []


@pytest.mark.parametrize("fault", ["cut", "of another text"])
def test_what_is_not_whole_or_of_another_text_is_made_anew(
    fault: str, whole: Path, stopped: Path, tmp_path: Path
) -> None:
    halves = copied(stopped, tmp_path / "halves")
    path = halves / kept(halves)[0]
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.rename(halves / "expected-0123456789abcdef.npy")
    first, *_ = folder.execute(halves)
    assert isinstance(first, Teaching)
    assert losses(halves) == losses(whole) and kept(halves) == []


def test_a_teacher_that_has_changed_since_is_refused(
    committee: tuple[str, ...], stopped: Path, tmp_path: Path
) -> None:
    moving = shutil.copytree(committee[0], tmp_path / "teacher")
    out = taught(tmp_path / "run", (str(moving),))
    list(folder.execute(out, should_stop=lambda: len(losses(out)) >= 2))
    shutil.copytree(committee[1], moving, dirs_exist_ok=True)
    (out / kept(out)[0]).unlink()
    with pytest.raises(CheckpointError, match="teacher .* is no longer the one.*put the old one back"):
        list(folder.execute(out))


def test_a_stop_while_they_read_ends_the_run_tidily(
    whole: Path, committee: tuple[str, ...], tmp_path: Path
) -> None:
    out, seen = taught(tmp_path / "run", committee), list[train.Event]()
    for event in folder.execute(out, should_stop=lambda: len(seen) >= 1):
        seen.append(event)
    assert seen[-1] == train.Done(0, "stopped") and kept(out) == []
    list(folder.execute(out))
    assert losses(out) == losses(whole)


def test_teachers_without_a_share_are_not_asked(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain")
    out = taught(tmp_path / "run", ("nowhere",), teacher_share=0.0)
    list(folder.execute(out))
    assert losses(out) == losses(plain)
    assert "teachers" not in checkpoint.load(out / "model").metrics


def test_config_json_is_read_back_with_its_teachers_and_without(whole: Path, tmp_path: Path) -> None:
    data = json.loads((whole / "config.json").read_text())
    assert folder.spec_in(data, whole).to_dict() == folder.read_spec(whole).to_dict()
    for name in ("teachers", "teachers_sha256"):
        del data[name]
    del data["train"]["teacher_share"]  # as earlier versions wrote it
    old = folder.spec_in(data, whole)
    assert (old.teachers, old.teachers_sha256, old.train.teacher_share) == ((), (), 0.5)
    with pytest.raises(CheckpointError, match="teachers is 'A'; it must be a list of texts"):
        folder.spec_in(data | {"teachers": "A"}, whole)


def refusal(spec: RunSpec, text: str = SHEEP) -> str:
    with pytest.raises(MinrnnError) as error:
        teachers.check(spec, own.from_text(text))
    return str(error.value)


def test_a_teacher_must_know_the_whole_text_and_be_a_model(
    committee: tuple[str, ...], tmp_path: Path
) -> None:
    spec = dataclasses.replace(micro(), teachers=committee)
    teachers.check(spec, own.from_text(SHEEP))
    told = refusal(spec, SHEEP + "zebra?")
    assert f"{committee[0]} does not know 5 of the 25 characters that the model has, such as '?'" in told
    assert "neither a folder" in refusal(dataclasses.replace(spec, teachers=("nowhere",)))
    assert "holds no config.json" in refusal(dataclasses.replace(spec, teachers=(str(tmp_path),)))


def test_a_fine_tunes_teachers_must_know_its_checkpoints_characters(
    committee: tuple[str, ...], tmp_path: Path
) -> None:
    other = tmp_path / "zoo"
    folder.create(other, micro(max_iters=1), SHEEP.replace("sheep", "zebra"))
    list(folder.execute(other))
    spec = dataclasses.replace(micro(), teachers=committee, init=str(other / "model"))
    assert "does not know 4 of the 24 characters that the model has, such as 'a'" in refusal(spec)


def test_a_task_has_no_teachers() -> None:
    told = "parity is a task.*drawn anew for every batch.*or "
    with pytest.raises(ConfigError, match=told + "leave out --teacher"):
        RunSpec("parity", micro().model, micro().train, teachers=("A",))
    with pytest.raises(ConfigError, match=told + "choose another preset than taught, which names these"):
        dataclasses.replace(from_preset("taught", "mingru"), corpus="parity")


def test_teachers_that_a_preset_names_are_refused_by_its_name() -> None:
    told = refusal(dataclasses.replace(from_preset("taught", "mingru"), corpus="own"), SHEEP + "\u2603")
    assert "does not know" in told and "or choose another preset than taught" in told


def test_a_taught_run_goes_on_from_another_working_folder(
    committee: tuple[str, ...], stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what the teachers expect must be made anew."""
    monkeypatch.chdir(Path(committee[0]).parent)
    words = [
        "--teacher",
        "model",
        "./model",
        "--corpus",
        str(stopped / "own.txt"),
        "--out",
        str(tmp_path / "run"),
    ]
    out = prepared([*words, "--n-embd", "16", "--n-layer", "1", "--max-iters", "2", "--batch-size", "2"])
    assert folder.read_spec(out).teachers == (committee[0], committee[0])
    monkeypatch.chdir(tmp_path)
    assert list(folder.execute(out))[-1] == train.Done(2, "max_iters")


def test_a_run_that_names_bundled_teachers_finds_those_of_the_program_where_it_is_moved_to(
    committee: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = taught(tmp_path / "run", ("checkpoints/base/mingru",), max_iters=2)
    bundled = tmp_path / "elsewhere" / "checkpoints"
    shutil.copytree(committee[0], bundled / "base" / "mingru")
    monkeypatch.setattr(checkpoint, "BUNDLED", bundled)
    monkeypatch.chdir(tmp_path)
    list(folder.execute(out))
    assert checkpoint.load(out / "model").metrics["teachers"][0]["name"] == "checkpoints/base/mingru"


def test_a_disk_that_is_too_small_is_told_before_they_read(
    committee: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(1_000))
    out = taught(tmp_path / "run", committee)
    with pytest.raises(CheckpointError, match=r"takes 0\.1 MB in .* 0\.0 MB are free; free some space"):
        list(folder.execute(out))
    assert "free some space" in (out / "error.txt").read_text() and kept(out) == []


def test_a_disk_that_fills_while_they_read_is_told_and_leaves_no_half(
    whole: Path, committee: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        yield from read_along(*_)
        raise OSError(28, "No space left on device")

    read_along = teaching._read_along
    monkeypatch.setattr(teaching, "_read_along", full)
    out = taught(tmp_path / "run", committee)
    with pytest.raises(CheckpointError, match="No space left on device.*free some space, then resume"):
        list(folder.execute(out))
    assert kept(out) == []
    monkeypatch.setattr(teaching, "_read_along", read_along)
    list(folder.execute(out))
    assert losses(out) == losses(whole)


class Unseeing(Ranks):
    """Two processes; the other one lacks the file."""

    def sum(self, *values: float) -> tuple[float, ...]:
        return tuple(value + 1 for value in values)

    def send(self, what: object) -> None:
        pass


def test_a_process_that_cannot_see_the_file_ends_all_of_them_with_the_reason(stopped: Path) -> None:
    spec = folder.read_spec(stopped)
    state = folder.saving.restored(spec, stopped)
    events = teachers.lesson(
        spec, folder.read_corpus(spec, stopped), stopped, state, lambda: False, Unseeing(0, 2)
    )
    with pytest.raises(TrainingError, match="1 of 2 processes cannot read .*train on one machine"):
        list(events)
