"""The form: what it asks for becomes one request, built by name."""

from typing import Any

import gradio as gr
import pytest

from minrnn import checkpoint, presets
from minrnn.errors import CheckpointError, ConfigError
from minrnn.models import MODEL_NAMES
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest
from minrnn.ui.train import form

BUNDLED = [name for name in MODEL_NAMES if checkpoint.bundled("base", name).is_dir()]


@pytest.fixture(scope="module")
def fields() -> form.Fields:
    with gr.Blocks(analytics_enabled=False):
        found, _ = form.build(TrainingQueue(), gr.BrowserState(""), "a note")
        return {**found, **form.more(found)}


def asked(fields: form.Fields, **given: Any) -> TrainRequest:
    values = {part: given.get(name, part.value) for name, part in fields.items()}
    return form.request(fields, values)


def test_the_form_as_it_stands_trains_two_models_from_nothing_for_half_a_minute_each(
    fields: form.Fields,
) -> None:
    found = asked(fields)
    assert (found.models, found.inits) == (list(presets.FIRST_MODELS), [])
    assert (found.max_seconds, found.max_iters, found.target_val_loss) == (30, 0, None)
    first = found.specs()[0]
    usual = presets.get("tiny", "mingru").train
    assert (first.train.learning_rate, first.train.seed) == (usual.learning_rate, usual.seed)
    assert first.train.batch_size == usual.batch_size


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_an_empty_box_keeps_the_presets_value(fields: form.Fields, empty: str | None) -> None:
    found = asked(fields, **dict.fromkeys(form.NUMBERS, empty))
    unset = [name for name in form.NUMBERS if name not in ("max_iters", "eval_interval")]
    assert [getattr(found, name) for name in unset] == [None] * len(unset)


def test_a_filled_box_counts(fields: form.Fields) -> None:
    found = asked(fields, batch_size="3", learning_rate=" 1e-4 ", dropout="0.5", eval_interval="1,000")
    assert (found.batch_size, found.learning_rate, found.dropout) == (3, 1e-4, 0.5)
    assert found.eval_interval == 1_000


@pytest.mark.parametrize(
    ("typed", "value"), [("1,000", 1_000), ("12,345,678", 12_345_678), ("1,500.", 1_500), ("400", 400)]
)
def test_commas_between_thousands_are_left_out(fields: form.Fields, typed: str, value: int) -> None:
    assert asked(fields, max_iters=typed).max_iters == value


@pytest.mark.parametrize("typed", ["0,001", "0,5", "1,5", "1,0000", ",5", "1e-3,"])
def test_a_comma_that_may_be_a_decimal_point_is_refused_and_never_left_out(
    fields: form.Fields, typed: str
) -> None:
    with pytest.raises(ConfigError, match=f"learning_rate is '{typed}'; it must be a number"):
        asked(fields, learning_rate=typed)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": "many"}, "batch_size is 'many'"),
        ({"batch_size": "2.5"}, "batch_size is 2.5"),
        ({"learning_rate": "99"}, "learning_rate is 99"),
        ({"models": []}, "choose at least one"),
        ({"source": form.OTHER}, "choose at least one"),
        ({"preset": "no_such_preset"}, "no_such_preset"),
    ],
)
def test_what_cannot_be_is_refused_in_words(fields: form.Fields, given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        asked(fields, **given)


def test_iters_take_the_place_of_the_time(fields: form.Fields) -> None:
    found = asked(fields, max_iters="40")
    assert (found.max_iters, found.max_seconds, found.target_val_loss) == (40, 0, 0)


def test_0_iters_are_off_and_leave_the_time_that_is_chosen(fields: form.Fields) -> None:
    found = asked(fields, max_iters="0")
    assert (found.max_iters, found.max_seconds) == (0, 30)


def test_iters_beside_a_loss_end_a_run_that_does_not_reach_it(fields: form.Fields) -> None:
    found = asked(fields, budget=form.TO_LOSS, loss=1.6, max_iters="500")
    assert (found.max_iters, found.max_seconds, found.target_val_loss) == (500, 0, 1.6)


def test_a_loss_ends_a_run_and_so_does_time_where_it_is_never_reached(fields: form.Fields) -> None:
    found = asked(fields, budget=form.TO_LOSS, loss=1.9)
    assert (found.target_val_loss, found.max_seconds) == (1.9, form.MAX_SECONDS_TO_LOSS)


def test_until_a_loss_that_no_evaluation_would_look_at_is_refused(fields: form.Fields) -> None:
    with pytest.raises(ConfigError, match="target_val_loss is 1.6 and eval_interval is 0.*set eval_interval"):
        asked(fields, budget=form.TO_LOSS, loss=1.6, eval_interval="0").specs()


@pytest.mark.parametrize("loss", [None, 0])
def test_until_a_loss_that_nobody_named_is_refused(fields: form.Fields, loss: float | None) -> None:
    with pytest.raises(ConfigError, match="needs a loss above 0, such as 1.6; type one, or choose a time"):
        asked(fields, budget=form.TO_LOSS, loss=loss)


@pytest.mark.parametrize("model", BUNDLED)
def test_our_weights_are_the_bundled_ones_of_the_models_that_are_ticked(
    fields: form.Fields, model: str
) -> None:
    found = asked(fields, source=form.BUNDLED, models=[model])
    assert found.models == [] and found.inits[0].endswith(f"base/{model}")
    replica = asked(fields, source=form.BUNDLED, models=[model], preset="replica")
    assert replica.inits[0].endswith(f"replica/{model}")


def test_a_model_without_weights_is_refused_where_weights_are_asked_for(fields: form.Fields) -> None:
    with pytest.raises(CheckpointError, match="no weights of no_such_model"):
        asked(fields, source=form.BUNDLED, models=["no_such_model"])


@pytest.mark.parametrize("preset", presets.OFFERED)
def test_the_first_dots_come_early_whatever_the_recipe(fields: form.Fields, preset: str) -> None:
    assert 0 < (asked(fields, preset=preset).eval_interval or 0) <= form.EARLY_EVAL_INTERVAL
    assert asked(fields, preset=preset, eval_interval="0").eval_interval == 0


def test_a_preset_with_a_text_of_its_own_sets_the_text_and_the_others_leave_it() -> None:
    assert (
        form._own_text_of(presets.ALLPLAYS)["value"] == presets.get(presets.ALLPLAYS, MODEL_NAMES[0]).corpus
    )
    assert all("value" not in form._own_text_of(name) for name in presets.OFFERED if name != presets.ALLPLAYS)


def test_a_preset_whose_text_is_not_here_is_not_offered(
    fields: form.Fields, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = [name for _, name in fields["preset"].choices]
    assert offered == [name for name in presets.OFFERED if form._has_text(name)]
    monkeypatch.setattr("minrnn.corpora.plays.folder", lambda: None)
    assert not form._has_text(presets.ALLPLAYS) and form._has_text("base")
