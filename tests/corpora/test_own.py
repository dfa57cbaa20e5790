"""Texts of the reader's own, pasted or from a file."""

import os
from pathlib import Path

import pytest

from minrnn.corpora import own
from minrnn.errors import CorpusError

VERSE = "Schöne Verse\n" * 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n" * 1000, "empty"),
        ("\ufeff", "empty"),
        ("\ufeff\ufeff" + "x" * 999, "999 characters and at least 1,000"),
        ("too short", "9 characters and at least 1,000"),
        ("x" * 1_000_001, "1,000,001 characters and the limit is 1,000,000"),
        ("x" * 1000 + "\ud83d", "half a surrogate pair at position 1,000"),
        ("a\0b\0" * 1000, "NUL at position 1.*UTF-8"),
    ],
)
def test_a_text_that_cannot_be_used_says_why(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    with pytest.raises(CorpusError, match=message):
        own.from_text(text)


def test_line_ends_and_a_byte_order_mark_are_made_plain() -> None:
    assert own.from_text("\ufeff" + "a\r\nb\rc\n" * 500).text == "a\nb\nc\n" * 500


@pytest.mark.parametrize("marks", [0, 1, 2, 3])
def test_a_text_that_was_taken_stays_the_same_however_often_it_is_read(marks: int, tmp_path: Path) -> None:
    text = own.from_text("\ufeff" * marks + "x" * 1_000).text
    (tmp_path / "own.txt").write_text(text, encoding="utf-8")
    assert own.from_file(tmp_path / "own.txt").text == text == "x" * 1_000


def test_a_decomposed_letter_stays_as_it_was_typed() -> None:
    text = "cafe\u0301 " * 200
    assert own.from_text(text).text == text


def test_a_file_is_read_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_bytes(VERSE.replace("\n", "\r\n").encode())
    corpus = own.from_file(path)
    assert (corpus.name, corpus.text) == (own.NAME, VERSE)


def test_a_file_of_a_famous_name_is_still_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "tinyshakespeare.txt"
    path.write_text(VERSE, encoding="utf-8")
    assert own.from_file(path).name == own.NAME


def test_a_byte_order_mark_of_a_file_is_no_character(tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text(VERSE, encoding="utf-8-sig")
    assert own.from_file(path).text == VERSE


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("latin-1", r"verse.txt is not UTF-8 \(byte 3\); save it"),
        ("utf-16", r"verse.txt is not UTF-8 \(byte 0\); save it"),
        ("utf-32", r"verse.txt is not UTF-8 \(byte 0\); save it"),
    ],
)
def test_a_file_in_another_encoding_is_refused_with_the_remedy(
    encoding: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "verse.txt"
    path.write_text(VERSE, encoding=encoding)
    with pytest.raises(CorpusError, match=message):
        own.from_file(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_nuls_of_a_utf16_file_do_not_become_characters(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text("plain English\n" * 100, encoding=encoding)
    with pytest.raises(CorpusError, match="NUL at position [01].*save it as plain text in UTF-8"):
        own.from_file(path)


def test_a_file_far_over_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.txt"
    path.touch()
    os.truncate(path, 5_000_000)
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    with pytest.raises(CorpusError, match="5,000,000 bytes and the limit is 1,000,000"):
        own.from_file(path)


@pytest.mark.parametrize("name", ["no-such-text", ".", "bad\0name", "x" * 300, "~nobody/x", "\ud800"])
def test_a_path_that_names_no_file_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(CorpusError, match="is neither a file nor the name of a text"):
        own.from_file(Path(name))
