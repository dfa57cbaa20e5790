"""Model, recipe and sampling: what they refuse, by name."""

import dataclasses
import math
from typing import Any

import pytest

from minrnn.config import ModelConfig, Sampling, TrainConfig
from minrnn.errors import ConfigError
from minrnn.models import MIXERS
from minrnn.settings import MAX_NEW_TOKENS, MAX_VOCAB

MIXER = next(iter(MIXERS))


def test_a_recipe_without_a_budget_is_refused() -> None:
    with pytest.raises(ConfigError, match="would never end; set at least one"):
        TrainConfig(max_iters=0)
    assert TrainConfig(max_iters=0, max_seconds=1).max_seconds == 1
    assert TrainConfig(max_iters=0, target_val_loss=1).target_val_loss == 1


@pytest.mark.parametrize("max_iters", [0, 50])
def test_a_target_that_no_evaluation_would_look_at_is_refused(max_iters: int) -> None:
    with pytest.raises(ConfigError, match="target_val_loss is 1.5 and eval_interval is 0.*set eval_interval"):
        TrainConfig(max_iters=max_iters, target_val_loss=1.5, eval_interval=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("optimizer", "sgd"),
        ("device", "gpu"),
        ("dtype", "float16"),
        ("learning_rate", 0),
        ("learning_rate", math.nan),
        ("batch_size", 2.5),
        ("batch_size", 0),
        ("max_iters", -1),
        ("max_seconds", math.inf),
        ("seed", 2**31),
        ("eval_chars", 0),
        ("score_train", "no"),
    ],
)
def test_a_recipe_out_of_range_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} is "):
        dataclasses.replace(TrainConfig(), **{field: value})


@pytest.mark.parametrize(
    ("field", "known"), [("device", "'auto', 'cpu'"), ("dtype", "'float32', 'bfloat16'")]
)
def test_a_device_or_dtype_that_is_not_known_is_never_taken_for_auto(field: str, known: str) -> None:
    with pytest.raises(ConfigError, match=f"{field} is 'best'; choose one of: .*{known}"):
        dataclasses.replace(TrainConfig(), **{field: "best"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -1),
        ("temperature", math.nan),
        ("temperature", "hot"),
        ("top_p", 0),
        ("top_p", math.nan),
        ("top_k", 2.5),
        ("seed", -1),
        ("max_new_tokens", 0),
        ("max_new_tokens", MAX_NEW_TOKENS + 1),
    ],
)
def test_sampling_out_of_range_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} is "):
        dataclasses.replace(Sampling(), **{field: value})


@pytest.mark.parametrize(("field", "value"), [("temperature", 1e-40), ("top_p", 1e-50), ("top_k", 5.0)])
def test_sampling_takes_the_smallest_numbers_and_whole_floats(field: str, value: float) -> None:
    assert getattr(dataclasses.replace(Sampling(), **{field: value}), field) == value


@pytest.mark.parametrize(
    ("vocab", "message"),
    [
        ("abca", "names a character twice"),
        ("ab\ud800", r"'\\ud800', half a surrogate pair"),
        ("".join(map(chr, range(MAX_VOCAB + 1))), "vocab size is 4,097; at most 4,096"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_is_refused(vocab: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ModelConfig(MIXER, vocab)


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_layer", 65), ("n_embd", 0), ("dropout", 1), ("block", "round"), ("bias", 1), ("mixer", 1)],
)
def test_a_shape_out_of_range_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} is "):
        dataclasses.replace(ModelConfig(MIXER), **{field: value})


@pytest.mark.parametrize("mixer", MIXERS)
def test_options_refuse_what_is_out_of_range(mixer: str) -> None:
    for field in dataclasses.fields(MIXERS[mixer].Options):
        with pytest.raises(ConfigError, match=f"{field.name} is "):
            MIXERS[mixer].Options(**{field.name: "no such value"})
