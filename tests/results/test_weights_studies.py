"""The rows of the weights: what each trains stands in its flags, whatever becomes of the preset."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
import torch

from minrnn import presets
from minrnn.cli import train
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.results import weights_studies
from minrnn.results.weights_studies import POINTS, RECIPES, Point, options
from minrnn.runs.spec import RunSpec

VOCAB = "".join(map(chr, range(65)))
every_point = pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p.study}-{p.name('m')}")


def spec(point: Point, model: str, seed: int = weights_studies.FIRST_SEED) -> RunSpec:
    return train.parse([*point.row(model, seed).words, "--out", "x"])[0]


@every_point
def test_a_row_trains_what_its_point_says(point: Point) -> None:
    for model in MODEL_NAMES:
        for seed in point.seeds:
            found = spec(point, model, seed)
            read = found.train.max_iters * found.train.batch_size * found.model.block_size
            assert (found.corpus, found.model.mixer, found.train.seed) == (point.corpus, model, seed)
            assert (found.model.conv_kernel, read) == (point.taps, point.chars)


def test_the_first_seed_names_no_seed_and_a_row_without_convolution_no_convolution() -> None:
    conv, plain = POINTS[0], POINTS[1]
    assert (conv.name("gru"), conv.name("gru", 1338), plain.name("gru")) == (
        "gru-3m-conv", "gru-3m-conv-1338", "gru-3m",
    )  # fmt: skip


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_row_stays_what_it_was_when_the_preset_changes(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    point = POINTS[2]
    before, base = spec(point, model), presets.get("base", model)
    shape = replace(base.model, n_layer=7, n_embd=64, mlp_ratio=1.5, conv_kernel=2, dropout=0.7)
    recipe = replace(base.train, optimizer="adamw", learning_rate=0.5, weight_decay=0.9, min_lr_ratio=0.3)
    recipe = replace(
        recipe, batch_size=3, max_iters=5, ema_decay=0.5, warmup_iters=7, eval_interval=3, seed=5
    )
    other = replace(base, model=shape, train=recipe)
    monkeypatch.setitem(presets.PRESETS["base"], model, other)  # type: ignore[arg-type]
    assert spec(point, model) == before


@pytest.mark.parametrize("taps", [0, weights_studies.TAPS])
def test_the_models_of_the_table_are_of_one_size(taps: int) -> None:
    sizes = []
    for model in MODEL_NAMES:
        shape = spec(next(p for p in POINTS if p.taps == taps), model).model
        with torch.device("meta"):
            sizes.append(LanguageModel(replace(shape, vocab=VOCAB)).n_params)
    assert max(sizes) / min(sizes) < 1.05 and sum(sizes) / len(sizes) == pytest.approx(2.3e6, rel=0.05)


BUNDLED = [("base", POINTS[2], model) for model in MODEL_NAMES]
BUNDLED += [(presets.ALLPLAYS, POINTS[5], model) for model in MODEL_NAMES if model != "mingru"]


@pytest.mark.parametrize(("preset", "point", "model"), BUNDLED, ids=lambda p: getattr(p, "budget", p))
def test_a_preset_of_bundled_weights_trains_the_row_of_the_table(
    preset: str, point: Point, model: str
) -> None:
    row, found = spec(point, model), train.parse(["--preset", preset, "--model", model, "--out", "x"])[0]
    assert found == replace(row, train=replace(row.train, sample_interval=found.train.sample_interval))


def test_a_changed_number_in_the_table_of_recipes_is_all_that_a_row_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = POINTS[0]
    changed = {**RECIPES[point.study, point.budget], "gru": "--dropout 0.45 --batch-size 8 --max-iters 1600"}
    monkeypatch.setitem(RECIPES, (point.study, point.budget), changed)  # type: ignore[arg-type]
    found = spec(point, "gru")
    assert (found.model.dropout, found.train.batch_size, found.train.max_iters) == (0.45, 8, 1600)
    assert point.row("gru").flags.count("--batch-size") == 1


def test_every_flag_of_a_row_is_a_field_that_can_be_compared() -> None:
    fields = {
        f.name for p in ("model", "train") for f in dataclasses.fields(getattr(spec(POINTS[0], "gru"), p))
    }
    named = {flag[2:].replace("-", "_") for p in POINTS for row in p.rows() for flag in options(row.flags)}
    assert named - fields == {"preset", "model", "corpus"}
