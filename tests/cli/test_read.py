"""`python -m minrnn read`, as a person types it."""

import json
from pathlib import Path

import pytest

from minrnn.cli.main import main
from minrnn.inside.reading import Reading, read
from tests.models.small import build

TEXT = "the cat\r\nsat on the €\n<b>&\"'"


@pytest.fixture
def saved(tmp_path: Path) -> list[str]:
    for name in ("mingru", "nanogpt"):
        build(name).save(tmp_path / name)
    (tmp_path / "text.txt").write_bytes(TEXT.encode())
    return [str(tmp_path / name) for name in ("mingru", "nanogpt")]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    main(["read", *words])
    return capsys.readouterr().out


def test_every_checkpoint_reads_the_text_as_it_stands(
    saved: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(Path(saved[0]).with_name("text.txt"))
    words = [*saved, "--text", file, "--json", "--top", "3", "--learn", "0.1"]
    found = json.loads(run(words, capsys))
    assert list(found) == saved
    for ref, name in zip(saved, ("mingru", "nanogpt"), strict=True):
        wanted = read(build(name), Reading(TEXT, learn=0.1, top=3))
        assert found[ref] == json.loads(json.dumps(wanted))
        assert len(found[ref]["bits"]) == len(found[ref]["read"]) == len(TEXT)


def test_without_json_there_is_one_line_a_checkpoint(
    saved: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = run([*saved, "--text", str(Path(saved[0]).with_name("text.txt"))], capsys).splitlines()
    assert [line.split()[0] for line in lines] == saved


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        (b"a" * 5_001, [], "5,001 characters; at most 5,000"),
        (b"\xff", [], "cannot be read as a text in UTF-8"),
        (None, [], "cannot be read as a text in UTF-8"),
        (b"a", ["--top", "21"], "top is 21"),
        (b"a", ["--learn", "2"], "learn is 2.0"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(
    content: bytes | None, words: list[str], hint: str, saved: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(saved[0]).with_name("other.txt")
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit):
        main(["read", *saved, "--text", str(file), *words])
    assert hint in capsys.readouterr().err


def test_without_a_checkpoint_it_says_so(saved: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["read", "--text", str(Path(saved[0]).with_name("text.txt"))])
    assert "no checkpoint is named" in capsys.readouterr().err
