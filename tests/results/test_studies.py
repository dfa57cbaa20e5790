"""The studies: questions, rows, and commands that can be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from minrnn import presets
from minrnn.cli import train
from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, MODEL_NAMES, LanguageModel
from minrnn.results import studies, task_studies
from minrnn.results.study import Row, Study
from minrnn.tasks import TASKS

MIXER_TITLES = [MIXERS[name].title for name in MODEL_NAMES]
VOCAB = "".join(map(chr, range(65)))
every_row = pytest.mark.parametrize(
    ("study", "row"),
    [pytest.param(s, r, id=f"{s.name}/{r.name}") for s in studies.STUDIES.values() for r in s.rows],
)


@every_row
def test_every_command_is_one_that_train_understands(study: Study, row: Row) -> None:
    spec, out, _ = train.parse([*row.words, "--out", "nowhere"])
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
    assert mixers == set(presets.PRESETS["ladder"])


def test_rows_of_a_study_lie_in_folders_of_their_own() -> None:
    for study in studies.STUDIES.values():
        assert len({row.name for row in study.rows}) == len(study.rows)


def test_an_unknown_study_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'lader' is not known; choose one of: ablation, ladder"):
        studies.get("lader")


@pytest.mark.parametrize("name", ["budgets", "allplays"])
def test_studies_over_all_models_take_them_from_the_registry(name: str) -> None:
    words = [row.words for row in studies.get(name).rows]
    assert list(dict.fromkeys(row[row.index("--model") + 1] for row in words)) == list(MODEL_NAMES)


def test_the_study_of_tasks_gives_every_task_to_every_model_with_three_seeds() -> None:
    names = {row.name for row in studies.get("tasks").rows}
    first = {f"{task}-{key}" for task in TASKS for key in task_studies.task_models()}
    assert names == first | {f"{name}-{seed}" for name in first for seed in task_studies.TASK_SEEDS[1:]}


def test_a_row_of_a_task_trains_what_its_label_says() -> None:
    task, seed = TASKS["parity"], task_studies.TASK_SEEDS[1]
    for (title, _), row in zip(
        task_studies.task_models().values(), task_studies.task_rows(task, seed).values(), strict=True
    ):
        spec = train.parse([*row.words, "--out", "x"])[0]
        assert (spec.corpus, spec.model_title, spec.train.seed) == (task.name, title, seed)
    assert [spec_title for spec_title, _ in task_studies.task_models().values()].count(
        f"signed {MIXER_TITLES[0]}"
    ) == 1


def test_the_page_s_tasks_are_trained_first_and_one_seed_after_another() -> None:
    names = [row.name for row in studies.get("tasks").rows]
    shown = sum(task.on_page for task in TASKS.values()) * len(task_studies.task_models())
    assert names[0].startswith("parity-") and names[shown] == f"{names[0]}-{task_studies.TASK_SEEDS[1]}"
    assert [name.split("-")[0] for name in names[: 3 * shown]] == 3 * [n.split("-")[0] for n in names[:shown]]
