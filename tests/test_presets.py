"""The named sizes and recipes: every compared model is in every preset, and sizes that are called equal are."""

import ast
import string
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
import torch

from minrnn import presets
from minrnn.corpora import CORPORA, Corpus
from minrnn.errors import ConfigError
from minrnn.models import MIXERS, MODEL_NAMES, LanguageModel
from minrnn.presets import ABOUT, OFFERED, PRESETS

ROOT = Path(__file__).parents[1]
EQUAL_WITHIN = 0.05
VOCAB = "\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase
"""Tiny Shakespeare's 65 characters."""
NAMES_MODELS = {
    "minrnn/presets.py": "a recipe for each model",
    "minrnn/bench/gpu_plan.py": "a goal is set for one model",
    "minrnn/bench/gpu_training.py": "a goal is set for one model",
    "minrnn/bench/train.py": "a goal compares two models by name",
    "minrnn/results/studies.py": "a study is a list of trainings, each of a model chosen for its question",
    "minrnn/results/task_studies.py": "the same, of tasks",
    "minrnn/results/weights_studies.py": "a recipe for each model and budget",
}
"""Files that may name a model, besides the one that defines it, and why."""


def n_params(preset: str, model: str, vocab: str = VOCAB) -> int:
    with torch.device("meta"):  # shapes only: nothing is allocated
        return LanguageModel(replace(presets.get(preset, model).model, vocab=vocab)).n_params


def test_the_vocabulary_is_the_benchmarks(shakespeare: Corpus) -> None:
    assert set(VOCAB) == set(shakespeare.text) and len(VOCAB) == 65


@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("preset", ["base", presets.ALLPLAYS])
def test_the_models_of_base_are_of_one_size(preset: str, model: str) -> None:
    others = [n_params(preset, other) for other in MODEL_NAMES if other != model]
    for other in others:
        assert n_params(preset, model) == pytest.approx(other, rel=EQUAL_WITHIN)
    assert mean(others) == pytest.approx(2.3e6, rel=EQUAL_WITHIN)


@pytest.mark.parametrize("preset", OFFERED)
def test_every_compared_model_stands_in_every_preset_that_the_page_offers(preset: str) -> None:
    assert set(PRESETS[preset]) == set(MODEL_NAMES)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_registered_models_by_their_own_names(preset: str) -> None:
    assert {name: found.model.mixer for name, found in PRESETS[preset].items()} == {
        n: n for n in PRESETS[preset]
    }
    assert set(PRESETS[preset]) <= set(MIXERS)
    assert all(not found.model.vocab for found in PRESETS[preset].values())


@pytest.mark.parametrize("preset", PRESETS)
def test_the_models_of_a_preset_can_be_built_and_read(preset: str) -> None:
    for name in PRESETS[preset]:
        with torch.device("meta"):
            model = LanguageModel(replace(presets.get(preset, name).model, vocab=VOCAB))
            logits, _ = model(torch.zeros(1, 5, dtype=torch.long))
        assert logits.shape == (1, 5, len(VOCAB))


def test_the_models_of_a_preset_train_on_one_text_that_is_known() -> None:
    for models in PRESETS.values():
        assert {found.corpus for found in models.values()} < CORPORA.keys()
        assert len({found.corpus for found in models.values()}) == 1


def test_every_model_of_all_plays_has_the_same_convolution_and_budget() -> None:
    models = PRESETS[presets.ALLPLAYS].values()
    assert (
        len({(found.model.conv_kernel, found.train.max_iters, found.train.batch_size) for found in models})
        == 1
    )


def test_every_preset_has_a_line_about_it() -> None:
    assert set(ABOUT) == set(PRESETS)
    assert set(OFFERED) < set(PRESETS)


def test_an_unknown_preset_or_model_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=f"'no_such_preset' is not known; choose one of: {', '.join(PRESETS)}"
    ):
        presets.get("no_such_preset", MODEL_NAMES[0])
    with pytest.raises(
        ConfigError, match=f"no model 'no_such_model'; choose one of: {', '.join(PRESETS['tiny'])}"
    ):
        presets.get("tiny", "no_such_model")


def names_in(source: str) -> set[str]:
    """The registered names that stand as a text of their own in a source."""
    texts = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str)} & MIXERS.keys()


@pytest.mark.parametrize("file", sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("minrnn/**/*.py")))
def test_no_names_of_models_are_kept_by_hand(file: str) -> None:
    own = {name for name, mixer in MIXERS.items() if mixer.__module__ == file[:-3].replace("/", ".")}
    if file not in NAMES_MODELS:
        assert names_in((ROOT / file).read_text(encoding="utf-8")) <= own


def test_a_name_that_is_kept_by_hand_would_be_found() -> None:
    assert names_in(f"first = {MODEL_NAMES[0]!r} if {MODEL_NAMES[1]!r} in names else 'base'") == set(
        MODEL_NAMES[:2]
    )
