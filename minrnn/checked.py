"""Dataclasses that check themselves: each field declares type and range, and pydantic checks the values.

    @dataclass(frozen=True)
    class Sampling(Checked):
        top_k: Annotated[int, Interval(ge=0, le=4_096)] = 0

A whole number that arrives as 5.0 is 5; as 2.5, "5" or True it is refused. These are not pydantic's
own dataclasses: they stay plain ones for `dataclasses.replace`, the command line and the type checker, and they
raise the package's own error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from annotated_types import Interval
from pydantic import ConfigDict, TypeAdapter, ValidationError

from minrnn.errors import ConfigError

T = TypeVar("T")
SHOWN_CHARS = 60
"""Characters of a refused value that a message repeats."""


class Checked:
    """Base of frozen dataclasses whose fields are checked when an object is made.

    Raises:
        ConfigError: for a value of another type or out of its range; it names the field, the value and the limit.
    """

    def __post_init__(self) -> None:
        for name, hint, adapter in _fields(type(self)):  # type: ignore[arg-type]
            value = _whole(getattr(self, name), hint)
            try:
                value = adapter.validate_python(value)
            except ValidationError:
                raise ConfigError(f"{name} is {shown(value)}; {_wanted(hint)}.") from None
            object.__setattr__(self, name, value)


def from_mapping(kind: type[T], data: Any) -> T:
    """Make a checked dataclass from a mapping, such as JSON holds.

    Raises:
        ConfigError: for something else than a mapping, unknown or missing keys, and what the class refuses.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{kind.__name__} must be an object, not {type(data).__name__}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(map(str, set(data) - set(fields))):
        raise ConfigError(
            f"unknown keys {shown(', '.join(unknown))}; was it saved by a newer minRNN? Update this one."
        )
    needed = (n for n, f in fields.items() if f.default is f.default_factory is dataclasses.MISSING)
    if missing := [name for name in needed if name not in data]:
        raise ConfigError(f"{missing[0]} is missing; was it saved by another program?")
    return kind(**data)


def shown(value: Any) -> str:
    """A refused value for a message: as Python writes it, shortened to what a line holds."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) > SHOWN_CHARS:
        return f"{text[:SHOWN_CHARS]!r}… ({len(text):,} characters)"
    return repr(value)


@cache
def _fields(cls: Hashable) -> tuple[tuple[str, Any, TypeAdapter[Any]], ...]:
    """Name, annotation and validator of every field that holds plain data."""
    hints = get_type_hints(cls, include_extras=True)
    names = (field.name for field in dataclasses.fields(cls))  # type: ignore[arg-type]
    return tuple(
        (name, hints[name], TypeAdapter(hints[name], config=ConfigDict(strict=True)))
        for name in names
        if not any(dataclasses.is_dataclass(part) for part in _parts(hints[name]))
    )


def _parts(hint: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without their metadata."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (None, Literal) or isinstance(hint, type):
        yield hint
    else:
        for part in get_args(hint):
            yield from _parts(part)


def _whole(value: Any, hint: Any) -> Any:
    """5.0 as 5 where a whole number is wanted; other values unchanged."""
    wants_int = int in list(_parts(hint))
    return int(value) if wants_int and isinstance(value, float) and value.is_integer() else value


def _wanted(hint: Any) -> str:
    """What a field takes, in words."""
    ranges = [limit for limit in _metadata(hint) if isinstance(limit, Interval)]
    parts = list(_parts(hint))
    if choices := [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]:
        return f"choose one of: {', '.join(map(repr, choices))}"
    if ranges:
        kind = "a whole number" if int in parts else "a number"
        return f"it must be {kind} and lie between {ranges[0].ge:,} and {ranges[0].le:,}"
    if get_origin(hint) is tuple:
        return "it must be a list of texts"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", NoneType: "null"}
    return (
        f"it must be {' or '.join(names.get(part, getattr(part, '__name__', str(part))) for part in parts)}"
    )


def _metadata(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
    for part in get_args(hint):
        if get_origin(part) is not None:
            yield from _metadata(part)
