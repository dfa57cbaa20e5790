"""Dataclasses that check themselves."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Interval

from minrnn.checked import SHOWN_CHARS, Checked, from_mapping, shown
from minrnn.errors import ConfigError


@dataclass(frozen=True)
class Shape(Checked):
    count: Annotated[int, Interval(ge=0, le=5_000)]
    share: Annotated[float, Interval(ge=0, le=1)] = 0.5
    kind: Literal["wool", "hair"] = "wool"
    shorn: bool = False
    seed: Annotated[int, Interval(ge=0, le=9)] | None = None
    name: str = ""
    marks: tuple[str, ...] = ()


def test_a_whole_number_may_arrive_as_a_float() -> None:
    shape = Shape(5.0, seed=3.0)  # type: ignore[arg-type]
    assert (shape.count, type(shape.count)) == (5, int)
    assert (shape.seed, type(shape.seed)) == (3, int)


@pytest.mark.parametrize("value", [2.5, "5", True, None, -1, 5_001, [1], float("nan"), float("inf")])
def test_what_is_no_whole_number_in_range_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="count is .*a whole number and lie between 0 and 5,000"):
        Shape(value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("share", 1.5, "share is 1.5; it must be a number and lie between 0 and 1"),
        ("share", float("nan"), "share is nan"),
        ("share", "0.5", "share is '0.5'"),
        ("kind", "fur", "kind is 'fur'; choose one of: 'wool', 'hair'"),
        ("shorn", 1, "shorn is 1; it must be true or false"),
        ("shorn", "yes", "shorn is 'yes'; it must be true or false"),
        ("name", 7, "name is 7; it must be a text"),
        ("marks", "red", "marks is 'red'; it must be a list of texts"),
        ("marks", (7,), r"marks is \(7,\); it must be a list of texts"),
        ("seed", 2.5, "seed is 2.5; it must be a whole number"),
    ],
)
def test_a_refusal_names_the_field_the_value_and_the_limit(field: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(Shape(1), **{field: value})


def test_a_number_may_be_given_as_a_whole_one() -> None:
    assert Shape(1, share=1).share == 1.0
    assert Shape(1, seed=None).seed is None


def test_a_mapping_becomes_the_dataclass() -> None:
    assert from_mapping(Shape, {"count": 3, "shorn": True}) == Shape(3, shorn=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "Shape must be an object, not list"),
        ({}, "count is missing"),
        ({"count": 1, "horns": 2, 3: 4}, "unknown keys '3, horns'.*newer minRNN"),
        ({"count": "many"}, "count is 'many'"),
    ],
)
def test_a_mapping_of_something_else_is_refused(data: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_mapping(Shape, data)


def test_a_message_repeats_no_more_of_a_value_than_a_line_holds() -> None:
    assert shown("x" * 20_000) == f"'{'x' * SHOWN_CHARS}'… (20,000 characters)"
    assert shown("\ud800") == "'\\ud800'"
    assert len(shown(list(range(10_000)))) < 2 * SHOWN_CHARS
