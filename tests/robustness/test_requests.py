"""Everything that a form, a script or an address may ask for: a right request or one clear message, never more."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minrnn.checked import from_mapping
from minrnn.config import ModelConfig, Sampling, TrainConfig
from minrnn.errors import MinrnnError
from minrnn.hub.names import checked
from minrnn.inside.reading import Reading
from minrnn.models import disk
from minrnn.runs import listing
from minrnn.runs.request import TrainRequest, names
from minrnn.runs.spec import from_dict, from_preset
from minrnn.settings import MAX_MESSAGE_CHARS
from minrnn.ui.compare import writing
from minrnn.ui.door import calls
from minrnn.ui.door.refusal import Refusal
from minrnn.ui.train import actions
from tests.robustness.outside import texts, values

HUGE = "x" * 5_000_000
SPEC = from_preset("tiny", "lstm").to_dict()
OPTIONS = SPEC["model"]["options"] or {"mixer": ""}


def changed(usual: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A dictionary with one value replaced by any other, or with a key more."""
    field = st.sampled_from(list(usual)) | texts
    anything = values | st.just(HUGE) | st.just(float("nan")) | st.just([HUGE])
    return st.tuples(field, anything).map(lambda pair: {**usual, pair[0]: pair[1]})


def ends_well(make: Callable[[], object]) -> None:
    """Nothing is raised but one message, which is short and has no half of a surrogate pair."""
    try:
        make()
    except (MinrnnError, Refusal) as error:
        message = str(error)
        assert 10 < len(message) <= MAX_MESSAGE_CHARS and "\n" not in message
        message.encode()


WRITE = {
    "prompt": "a",
    "models": "all",
    "preset": "base",
    "max_new_tokens": 5,
    "learn": 0,
} | dataclasses.asdict(Sampling())


@settings(max_examples=250)
@given(changed(WRITE))
def test_a_request_to_write_is_read_or_refused(given: dict[str, Any]) -> None:
    ends_well(lambda: writing.request({name: value for name, value in given.items() if name in WRITE}))


@settings(max_examples=150)
@given(changed({"text": "a", "learn": 0.0, "top": 0}))
def test_a_request_to_read_is_read_or_refused(given: dict[str, Any]) -> None:
    ends_well(lambda: from_mapping(Reading, given))


FORM = {
    field.name: field.default
    for field in dataclasses.fields(TrainRequest)
    if field.default is not dataclasses.MISSING
}


@settings(max_examples=250)
@given(changed({**FORM, "models": "lstm", "inits": []}))
def test_a_request_to_train_is_read_or_refused(given: dict[str, Any]) -> None:
    ends_well(lambda: from_mapping(TrainRequest, given))


@settings(max_examples=150)
@given(changed({"action": "rename", "run": "a", "title": "b", "iters": 1}))
def test_a_click_is_read_or_refused(given: dict[str, Any]) -> None:
    ends_well(lambda: actions.read(given))


@settings(max_examples=150)
@given(values)
def test_names_of_models_are_read_or_left_for_the_check(given: Any) -> None:
    found = names(given)
    assert found == given or all(isinstance(name, str) for name in found)


@settings(max_examples=200)
@given(
    changed(SPEC["model"])
    | changed(SPEC["model"]["options"] or {"mixer": ""}).map(lambda o: SPEC["model"] | {"options": o})
)
def test_a_models_config_is_read_or_refused(given: dict[str, Any]) -> None:
    ends_well(lambda: disk.config_from_dict({**given, "vocab": given.get("vocab") or "ab"}))


@settings(max_examples=200)
@given(changed(SPEC["train"]).map(lambda train: SPEC | {"train": train}) | changed(SPEC))
def test_a_runs_config_is_read_or_refused(given: dict[str, Any]) -> None:
    ends_well(lambda: from_dict(given))


@settings(max_examples=200)
@given(texts | st.text())
@example("\u3164")
@example("\u202eevil")
@example(HUGE)
def test_a_runs_name_is_cleaned_or_refused(given: str) -> None:
    ends_well(lambda: listing.clean_title(given))
    with pytest.raises(MinrnnError):
        listing.Listing().find(f"no-such-run-{given}", "")


@settings(max_examples=100)
@given(texts | st.text())
@example("user/repo\n")
@example("us\u200ber/repo")
@example(HUGE)
def test_a_repos_name_is_plain_letters_or_refused(given: str) -> None:
    ends_well(lambda: checked(given))
    if not given.isascii() or given.strip() != given:
        with pytest.raises(MinrnnError):
            checked(given)


@settings(max_examples=150)
@given(values)
def test_a_body_is_read_back_as_it_was_sent_but_for_halves_of_surrogates(given: Any) -> None:
    body = {"data": [given]}
    try:
        data, cleaned = calls.read(json.dumps(body).encode())
    except Refusal as refusal:
        assert "nests deeper" in str(refusal) or "NaN" in str(refusal) or "Infinity" in str(refusal)
        return
    assert json.loads(cleaned) == data
    assert json.dumps(data, ensure_ascii=False).encode()  # no half is left
    plain = json.dumps(body)
    if "\\ud" not in plain:
        assert data == json.loads(plain)


def test_what_is_checked_here_are_real_kinds_of_requests() -> None:
    assert writing.request(WRITE).sampling == Sampling()
    assert from_dict(SPEC).train == TrainConfig(**SPEC["train"])
    assert isinstance(disk.config_from_dict({**SPEC["model"], "vocab": "ab"}), ModelConfig)
