"""The studies: commands that can be run, records that outlive their folders, pages that nobody types."""

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from test_results import METRICS

from minrnn import presets, trainflags
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.models import LanguageModel, ladder
from minrnn.results import records, repetition, report, studies, svg, tables, trials
from minrnn.results.records import Record
from minrnn.runs import RunSpec

DOCS = Path(__file__).parents[1] / "docs"
VOCAB = "".join(map(chr, range(65)))
every_row = pytest.mark.parametrize(
    ("study", "row"),
    [pytest.param(s, r, id=f"{s.name}/{r.name}") for s in studies.STUDIES.values() for r in s.rows],
)


def finished_run(out: Path, reason: str = "max_iters", **changed: Any) -> Path:
    """A run folder as training leaves it."""
    (out / "model").mkdir(parents=True)
    (out / "model" / "metrics.json").write_text(json.dumps(METRICS | changed))
    events: list[dict[str, Any]] = [
        {"event": "eval", "iter": 0, "val_loss": 4.0, "tokens": 0, "seconds": 0.1},
        {"event": "iter", "iter": 1, "grad_norm": 2.0, "iter_seconds": 0.1},
        {"event": "iter", "iter": 2, "grad_norm": 7.0, "iter_seconds": 0.3},
        {"event": "iter", "iter": 3, "grad_norm": 1.0, "iter_seconds": 0.2},
        {"event": "eval", "iter": 3, "val_loss": 3.0, "tokens": 600, "seconds": 0.9},
        {"event": "done", "iter": 3, "reason": reason},
    ]
    (out / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (out / "config.json").write_text(json.dumps({"command": "python -m minrnn train"}))
    return out


@every_row
def test_every_command_is_one_that_train_understands(study: studies.Study, row: studies.Row) -> None:
    if "--preset ladder" in row.flags and "ladder" not in presets.PRESETS:
        pytest.skip("there is no preset `ladder` yet")
    spec, out, _ = trainflags.parse([*row.words, "--out", "nowhere"])
    assert spec.model.mixer in row.flags and out == Path("nowhere")
    assert study.command(row).endswith(f"--out runs/{study.name}/{row.name}")


def test_the_rungs_at_equal_size_are_of_equal_size() -> None:
    sizes = []
    for row in studies.get("ladder").rows:
        words = row.words
        mixer, width = words[words.index("--model") + 1], int(words[words.index("--n-embd") + 1])
        shape = ModelConfig(mixer, VOCAB, n_layer=2, n_embd=width, conv_kernel=0, mlp_ratio=0, block="plain")
        sizes.append(LanguageModel(shape).n_params)
    assert sizes[0] == 280_897 and max(abs(size / sizes[0] - 1) for size in sizes) < 0.015


def test_the_ladder_has_every_rung() -> None:
    mixers = {row.words[row.words.index("--model") + 1] for row in studies.get("ladder").rows}
    assert mixers == set(ladder.RUNGS)


def test_rows_of_a_study_lie_in_folders_of_their_own() -> None:
    for study in studies.STUDIES.values():
        assert len({row.name for row in study.rows}) == len(study.rows)


def test_an_unknown_study_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'lader' is not known; choose one of: ablation, ladder"):
        studies.get("lader")


def test_a_record_holds_the_figures_of_a_run(tmp_path: Path) -> None:
    found = records.record(finished_run(tmp_path / "run", train_loss=1.4))
    assert found is not None and not found.failed
    assert (found.val_loss, found.train_loss, found.iter_ms, found.max_grad_norm) == (1.5, 1.4, 200.0, 7.0)
    assert (found.curve_tokens, found.curve_val_loss) == ([0, 600], [4.0, 3.0])


def test_a_run_that_was_stopped_is_no_record(tmp_path: Path) -> None:
    assert records.record(finished_run(tmp_path / "run", reason="stopped")) is None
    assert records.record(tmp_path / "none") is None


def test_a_run_that_failed_is_recorded_with_its_reason(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "run", reason="stopped")
    (out / "error.txt").write_text("the loss is no longer a finite number\n")
    found = records.record(out)
    assert found is not None and found.failed == "the loss is no longer a finite number"


def test_records_survive_their_folders_and_a_round_trip(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs" / "ladder" / "mingru")
    found = records.collect(tmp_path / "runs", {})
    records.save(found, tmp_path / "studies.json")
    loaded = records.load(tmp_path / "studies.json")
    assert list(loaded["ladder"]) == ["mingru"]
    again = records.collect(tmp_path / "gone", loaded)
    assert {name: rows for name, rows in again.items() if rows} == loaded


def test_a_damaged_file_of_records_is_named(tmp_path: Path) -> None:
    (tmp_path / "studies.json").write_text('{"ladder": {"mingru": {"unknown": 1}}}')
    with pytest.raises(CheckpointError, match=r"studies.json is damaged"):
        records.load(tmp_path / "studies.json")


def test_rows_not_run_and_runs_that_failed_say_so() -> None:
    failed = Record("", failed="out of memory")
    text = report.section(studies.get("layers"), {"lstm-1": failed})
    assert (
        "| LSTM, 1 layer | failed: out of memory |" in text
        and f"| LSTM, 2 layers | {tables.NOT_YET} |" in text
    )
    assert "python -m minrnn train --preset ladder --model lstm --n-layer 3" in text


def test_the_mean_over_seeds_begins_with_the_bundled_one() -> None:
    rows = {f"mingru-{seed}": Record("", val_loss=value) for seed, value in ((1338, 1.45), (1339, 1.47))}
    assert "| minGRU | *not yet run* | 2 | 1.4600 | 0.0141 |" in report.seeds_table([], rows)


def trial(**recipe: Any) -> Record:
    preset = presets.get("base", "mingru")
    spec = RunSpec("tinyshakespeare", preset.model, dataclasses.replace(preset.train, **recipe), "base")
    return Record("", val_loss=1.5, tokens_seen=3_300_000, seconds=240, settings=dataclasses.asdict(spec))


def test_a_trial_is_told_by_what_it_changes_in_the_preset() -> None:
    text = trials.trials_table({"a": trial(seed=5), "b": trial()})
    assert "| base minGRU | `--seed 5` | **1.5000** | 0.0000 |  | 3.3 M | 4 min |" in text
    assert "| base minGRU | nothing | **1.5000** |" in text


def test_a_trial_keeps_its_settings_when_its_folder_is_gone(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "runs" / "trials" / "warmer")
    (out / "config.json").write_text(json.dumps(trial(seed=5).settings | {"command": ""}))
    found = records.collect(tmp_path / "runs", {})
    records.save(found, tmp_path / "studies.json")
    kept = records.collect(tmp_path / "gone", records.load(tmp_path / "studies.json"))
    assert "`--seed 5`" in trials.trials_table(kept["trials"])


def test_shares_of_repetition_make_a_table() -> None:
    measured = [repetition.Repetition(0.0, 0.981, ""), repetition.Repetition(0.8, 0.002, "")]
    assert "| `base/mingru` | 98.1% | 0.2% |" in repetition.shares_table([("base/mingru", measured)])
    assert repetition.shares_table([]) == tables.NOT_YET


def test_charts_are_drawn_of_what_has_been_run(tmp_path: Path) -> None:
    for place in ("ladder/mingru", "ladder/lstm", "ladder-width/lstm", "ablation/lstm", "ablation/minlstm"):
        finished_run(tmp_path / place)
    drawn = report.charts(records.collect(tmp_path, {}))
    assert set(drawn) == {"ladder.svg", "ablation.svg"}
    assert drawn["ladder.svg"].count("<circle") == 3
    assert drawn["ablation.svg"].count("<polyline") == 2


def test_words_in_a_chart_are_escaped() -> None:
    drawn = svg.lines([svg.Series("a < b & c", [0, 1], [2, 1])], "x", "y", 2)
    assert "a < b" not in drawn and ElementTree.fromstring(drawn) is not None


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (1.43, 1.62, [1.45, 1.5, 1.55, 1.6]), (0, 0.3, [0, 0.1, 0.2, 0.3])],
)
def test_ticks_are_round_numbers(low: float, high: float, wanted: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(wanted)


def test_the_pages_hold_what_the_records_give() -> None:
    found = records.load(DOCS / report.RECORDS)
    for page, sections in report.pages(found).items():
        for name, content in sections.items():
            assert tables.section(DOCS / page, name) == content, f"{page}: run python -m minrnn study report"
    for name, picture in report.charts(found).items():
        assert (DOCS / report.CHARTS / name).read_text(encoding="utf-8") == picture


def test_a_report_renews_the_pages(tmp_path: Path) -> None:
    for page in ("replication.md", "recipes.md"):
        (tmp_path / page).write_text((DOCS / page).read_text(encoding="utf-8"), encoding="utf-8")
    finished_run(tmp_path / "runs" / "layers" / "lstm-2")
    said = report.renew(tmp_path, tmp_path / "runs")
    assert "layers: 1 of 4 rows run" in said
    assert "**1.5000**" in tables.section(tmp_path / "replication.md", "layers")
    assert (tmp_path / "charts" / "layers.svg").is_file()


def test_a_page_that_lacks_a_table_is_named(tmp_path: Path) -> None:
    for page in ("replication.md", "recipes.md"):
        (tmp_path / page).write_text("")
    with pytest.raises(MinrnnError, match=r"replication.md has no <!-- ablation -->"):
        report.renew(tmp_path, tmp_path / "runs")
