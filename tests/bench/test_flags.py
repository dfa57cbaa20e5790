"""A part that is asked to measure nothing says so, in place of a traceback."""

import dataclasses

import pytest

from minrnn.bench.short import Short
from minrnn.cli.bench import PARTS
from minrnn.cli.main import main

KINDS = {"": Short} | {name: kind for name, (kind, _) in PARTS.items()}
CASES = [
    (part, field.name)
    for part, kind in KINDS.items()
    for field in dataclasses.fields(kind)
    if field.name in ("rounds", "threads", "visitors")
]


def test_most_parts_have_rounds() -> None:
    assert {part for part, name in CASES if name == "rounds"} >= {"", "decode", "scan", "train", "start"}


@pytest.mark.parametrize(("part", "flag"), CASES)
def test_none_is_refused_in_one_line(part: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    named = [part] if part else []
    with pytest.raises(SystemExit) as end:
        main(["bench", *named, f"--{flag}", "0"])
    error = capsys.readouterr().err
    assert end.value.code == 1 and error.count("\n") == 1
    assert error.startswith(f"error: {flag} is 0; it must be a whole number and lie between 1 and ")
