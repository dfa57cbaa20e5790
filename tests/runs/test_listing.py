import io
import json
import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from minrnn import train
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs import folder, listing, process
from minrnn.runs.events import METRICS, to_line
from minrnn.runs.listing import Listing, Run
from tests.runs.helpers import copied, made, trained

ME, OTHER = "m" * 20, "o" * 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; it is only copied."""
    return trained(tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def out(whole: Path, runs_dir: Path) -> Path:
    """A finished run in the runs folder."""
    return copied(whole, runs_dir / "a run")


def only() -> Run:
    (run,) = Listing().listed("")
    return run


def test_a_run_started_by_hand_is_listed(out: Path) -> None:
    run = only()
    assert (run.title, run.status, run.name, run.problem) == ("a run", "finished", "a run", "")
    assert run.scores["iters"] == 12 and run.params["mixer"] > 0 and "cpu" in run.compute


@pytest.mark.parametrize("name", ["two words", "größe", "_first", "a.b", "100 %#?", "study/row", "a\u00a0b"])
def test_a_run_is_listed_and_found_whatever_its_folder_is_called(
    name: str, out: Path, runs_dir: Path
) -> None:
    (runs_dir / name).parent.mkdir(exist_ok=True)
    out.rename(runs_dir / name)
    assert only().name == name
    assert Listing().find(name, "").path == runs_dir / name


@pytest.mark.parametrize(
    "name",
    ["../a", "/etc", "a/../../b", "", ".", "nobody", "a\0b", "x" * 300, ".hidden", "a/b/c", "a\\b", "link"],
)
def test_no_name_leads_out_of_the_runs_folder(name: str, out: Path, runs_dir: Path) -> None:
    copied(out, runs_dir.parent / "a")
    copied(out, runs_dir / ".hidden")
    (runs_dir / "link").symlink_to(runs_dir.parent / "a")
    with pytest.raises(CheckpointError, match="no run .* of yours here"):
        Listing().find(name, "")
    assert only().name == "a run"


def test_a_folder_whose_name_no_page_can_be_sent_is_left_out(out: Path, runs_dir: Path) -> None:
    shutil.copytree(out, runs_dir / os.fsdecode(b"caf\xe9"))
    assert only().name == "a run"


def test_a_later_failure_outranks_an_earlier_end(out: Path) -> None:
    (out / folder.ERROR).write_text("the text is gone;\nput it back")
    assert (only().status, only().problem) == ("failed", "the text is gone; put it back")


def test_a_run_without_a_last_word_was_killed_and_its_log_says_more(out: Path) -> None:
    events = (out / METRICS).read_text().splitlines()
    (out / METRICS).write_text("\n".join(events[:-1]) + "\n")
    (out / folder.LOG).write_text("error: is what the model wrote\n")
    run = only()
    assert run.status == "killed" and run.scores == {}
    assert "Resume it. Its last words: error: is what the model wrote" in run.problem


def test_a_run_is_what_its_marks_say(runs_dir: Path) -> None:
    out = made(runs_dir / "new")
    assert only().status == "stopped" and not only().begun
    process.queue(out)
    assert only().status == "waiting"
    process.claim(out)
    assert only().status == "running" and not only().stopping
    (out / folder.STOP).touch()
    assert only().stopping


FOREIGN = {
    "about.json": [
        "",
        "{",
        "[]",
        '{"title": 3, "asked": "now", "place": 1e400, "owner": []}',
        '{"title": "\\ud800"}',
    ],
    "metrics.jsonl": ['{"step": 1, "loss": 2.0}\n', "null\n", "\0\0\0", '{"event": "dream"}\n'],
    "config.json": ["", "[]", "{", '{"lr": 0.1}', '{"corpus": 3, "model": {}, "train": {}}', "[" * 100_000],
    "queued": [""],
}


@pytest.mark.parametrize(("name", "content"), [(name, text) for name in FOREIGN for text in FOREIGN[name]])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "in a run"])
def test_one_bad_folder_does_not_hide_the_others(
    name: str, content: str, beside: bool, out: Path, runs_dir: Path
) -> None:
    bad = copied(out, runs_dir / "bad") if beside else runs_dir / "bad"
    bad.mkdir(exist_ok=True)
    (bad / name).write_text(content)
    runs = Listing()
    seen = {run.name: run for run in runs.listed("")}
    assert seen["a run"].status == "finished"
    for run in seen.values():
        json.dumps([run.title, run.problem, run.asked], allow_nan=False, ensure_ascii=False).encode("utf-8")
        runs.history(run)


def test_a_folder_that_is_passed_over_says_so_in_one_line_once(
    out: Path, runs_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (runs_dir / "other").mkdir()
    (runs_dir / "other" / "config.json").write_text('{"lr": 0.1}')
    runs = Listing()
    for _ in range(3):
        runs.listed("")
    assert [record.message.count("\n") for record in caplog.records] == [0]
    assert "other is passed over" in caplog.text
    assert runs.passed_over == [f"other: {runs_dir / 'other'} is not a run of this minRNN: corpus is missing; "
                                "it is not the config of a run."]  # fmt: skip


@pytest.mark.parametrize(
    "title",
    [
        "",
        "  \n",
        "\u200b\u2060",
        "\u3164",
        "\u2800 \u115f",
        "\u0301",
        "\ufffc",
        "\U0001d159 \u202e",
        "\x00\x07",
        "x" * 61,
    ],
)
def test_a_title_that_nobody_sees_or_that_is_too_long_is_refused(title: str) -> None:
    with pytest.raises(ConfigError, match="visible characters; give it 1 to 60"):
        listing.clean_title(title)


@pytest.mark.parametrize(
    ("title", "kept"),
    [(" a\n b\u200b ", "a b"), ("a \u200b b", "a b"), ("größe 🙂", "größe 🙂"), ("<b>", "<b>")],
)
def test_a_title_is_kept_on_one_line(title: str, kept: str) -> None:
    assert listing.clean_title(title) == kept


@pytest.mark.parametrize(
    "damaged",
    [
        {"val_loss": "x"},
        {"val_loss": True},
        {"n_params": [1]},
        {"accuracy": {"64": None}},
        {"accuracy": {"a": 1}},
        {"accuracy": 1},
    ],
)
def test_a_figure_that_is_none_is_left_out_and_the_others_stay(damaged: dict[str, Any], out: Path) -> None:
    path = out / folder.MODEL / "metrics.json"
    whole = {"val_loss": 1.5, "n_params": 7, "accuracy": {"64": 0.5}, "corpus": "x"}
    path.write_text(json.dumps(whole))
    assert only().scores == whole
    path.write_text(json.dumps(whole | damaged))
    (lost,) = damaged
    assert only().scores == {key: value for key, value in whole.items() if key != lost}


def test_a_title_that_was_written_by_hand_is_cleaned_too(out: Path) -> None:
    for written, shown in (("\u3164", "a run"), ("a\u202eb\n", "ab"), ("x" * 999, "x" * 60)):
        listing.write_about(out, written, time.time(), "")
        assert only().title == shown


def test_a_model_can_be_taken_away_whatever_the_clock_said_when_it_was_written(out: Path) -> None:
    os.utime(out / "model" / "model.safetensors", (0, 0))
    (out / "model" / ".config.json.0123456789ab").touch()
    with zipfile.ZipFile(io.BytesIO(listing.zipped_model(only()))) as archive:
        assert archive.testzip() is None
        names = {"config.json", "history.jsonl", "metrics.json", "model.safetensors"}
        assert set(archive.namelist()) == {f"a run/{name}" for name in names}


def test_a_run_without_a_checkpoint_cannot_be_taken_away(runs_dir: Path) -> None:
    made(runs_dir / "new")
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        listing.zipped_model(only())


def test_a_visitor_has_only_the_runs_of_that_browser(
    out: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, token in (("mine", ME), ("theirs", OTHER)):
        listing.write_about(copied(out, runs_dir / name), name, time.time(), listing.owner_of(token))
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    assert [run.name for run in Listing().listed(ME)] == ["mine"]
    assert Listing().listed("") == []
    assert ME not in (runs_dir / "mine" / "about.json").read_text()
    with pytest.raises(CheckpointError, match="no run 'theirs' of yours"):
        Listing().find("theirs", ME)


def test_nothing_is_listed_where_training_is_off(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    assert Listing().listed("") == []
    with pytest.raises(ConfigError, match="switched off here"):
        Listing().find("a run", "")


def test_histories_are_read_once_and_as_they_grow(out: Path) -> None:
    runs, run = Listing(), only()
    history = runs.history(run)
    with (out / METRICS).open("a") as file:
        file.write(to_line(train.Iter(13, 1.0, 0.1, 1.0, 832, 2.6, 0.2)) + "\n")
    assert runs.history(run) is history
    assert history.iters[-1].iter == 13 and history.done is None
