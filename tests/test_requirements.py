"""What is installed has bounds: a version nobody has tried must not arrive by itself."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = [
    line
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith(("-r ", "#"))
]
EXTRAS = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]


@pytest.mark.parametrize("line", [*LINES, *EXTRAS, *PROJECT["build-system"]["requires"]])
def test_every_requirement_has_an_upper_bound(line: str) -> None:
    assert re.search(r"==\d|<\d", line)
