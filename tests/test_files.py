"""Paths as people type them."""

from pathlib import Path

import pytest

from minrnn.files import expanded, is_file


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/verse.txt") == tmp_path / "verse.txt"


def test_the_home_of_nobody_is_a_path_that_does_not_exist() -> None:
    assert not is_file(expanded("~no-such-user/verse.txt"))


def test_without_a_home_a_tilde_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    pwd = pytest.importorskip("pwd")

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert expanded("~/verse.txt") == Path("~/verse.txt")


@pytest.mark.parametrize("path", ["", ".", "bad\0name", "x" * 300, "\ud800", "/" + "y/" * 3_000])
def test_what_cannot_be_a_file_is_none(path: str) -> None:
    assert not is_file(Path(path))
