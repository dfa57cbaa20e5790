"""The flags of `train`: one for every field of shape and recipe, its default the preset's value.

Which preset, model or run the defaults come from stands on the command line itself, so it is read twice:
first for those words alone, then, with the defaults they name, for everything.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import docstring_parser
import tyro

from minrnn.config import TrainConfig
from minrnn.errors import ConfigError
from minrnn.models import mixer_class
from minrnn.runs import RunSpec, read_spec
from minrnn.worker import defaults

_SHAPE_LEFT_OUT = ("mixer", "vocab", "options")
_NO_DEFAULT = object()


def parse(words: list[str]) -> tuple[RunSpec, Path, bool]:
    """Read the command line of `train`.

    Returns:
        What to train, the run's folder, and whether to resume.

    Raises:
        MinrnnError: for values out of range, an unknown preset or model, or a checkpoint that cannot be read.
        SystemExit: for unknown flags, or --help.
    """
    first = _first_look(words)
    if first.resume and first.out:
        start = read_spec(Path(first.out))
    else:
        start = defaults(first.preset, first.model, first.init)
    flags = tyro.cli(
        _flags_class(start, first),
        args=words,
        prog="python -m minrnn train",
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return _spec(flags, start), flags.out, flags.resume


def _first_look(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name, default in (("preset", "tiny"), ("model", "mingru"), ("init", None), ("out", None)):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_known_args(words)[0]


def _flags_class(start: RunSpec, first: argparse.Namespace) -> type[Any]:
    """A dataclass with a field for every flag, its default taken from `start`."""
    options = start.model.options or mixer_class(start.model.mixer).Options()
    own: list[tuple[str, Any, Any, str]] = [
        ("out", Path, _NO_DEFAULT, "the run's folder"),
        ("model", str, start.model.mixer, "mingru, minlstm, lstm or nanogpt"),
        ("preset", str, start.preset or first.preset, "base, replica or tiny: where unnamed flags come from"),
        ("corpus", str, start.corpus, "tinyshakespeare, plays, python, or a UTF-8 file"),
        (
            "init",
            str | None,
            start.init,
            "checkpoint to start from: a folder or a Hub repo; its shape is kept",
        ),
        ("resume", bool, False, "go on with the run in --out; a budget given here replaces the run's"),
    ]
    fields = [*own, *_fields(start.model, _SHAPE_LEFT_OUT), *_fields(options), *_fields(start.train)]
    made = [
        (
            name,
            Annotated[kind, tyro.conf.arg(help=text)],
            *([] if default is _NO_DEFAULT else [dataclasses.field(default=default)]),
        )
        for name, kind, default, text in fields
    ]
    return dataclasses.make_dataclass(
        "TrainFlags", made, frozen=True, namespace={"__doc__": "Train a model."}
    )


def _fields(values: Any, left_out: tuple[str, ...] = ()) -> list[tuple[str, Any, Any, str]]:
    """Name, type, value and description of every field of a dataclass."""
    kinds = get_type_hints(type(values))
    about = {
        p.arg_name: p.description or ""
        for cls in type(values).__mro__
        for p in docstring_parser.parse(cls.__doc__ or "").params
    }
    names = [f.name for f in dataclasses.fields(values) if f.name not in left_out]
    return [(name, kinds[name], getattr(values, name), about.get(name, "")) for name in names]


def _spec(flags: Any, start: RunSpec) -> RunSpec:
    if flags.model != start.model.mixer:
        raise ConfigError(
            f"--model {flags.model} does not fit: the checkpoint or run is a {start.model.mixer}."
        )
    options = start.model.options or mixer_class(start.model.mixer).Options()
    chosen_options = dataclasses.replace(options, **_taken(flags, options))
    shape = dataclasses.replace(
        start.model, options=chosen_options, **_taken(flags, start.model, _SHAPE_LEFT_OUT)
    )
    if (start.init or start.model.vocab) and dataclasses.replace(
        shape, dropout=start.model.dropout, options=start.model.options
    ) != start.model:
        raise ConfigError("the shape is the checkpoint's; of its fields only --dropout can be changed.")
    recipe = TrainConfig(**_taken(flags, start.train))
    return RunSpec(flags.corpus, shape, recipe, flags.preset, flags.init)


def _taken(flags: Any, values: Any, left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    return {f.name: getattr(flags, f.name) for f in dataclasses.fields(values) if f.name not in left_out}
