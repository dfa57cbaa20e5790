import json
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from minrnn import files


def test_a_file_is_written_with_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write_bytes(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()  # no file can take its place
    (tmp_path / "a" / "old").touch()
    with pytest.raises(OSError):
        files.write_bytes(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_written_in_pieces_is_there_at_the_end_or_not_at_all(tmp_path: Path) -> None:
    with files.writing(tmp_path / "a") as file:
        file.write(b"12345")
        file.seek(1)
        file.write(b"xyz")
        assert not (tmp_path / "a").exists()
    with pytest.raises(KeyboardInterrupt), files.writing(tmp_path / "a") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert (tmp_path / "a").read_bytes() == b"1xyz5"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_writers_at_one_moment_never_mix(tmp_path: Path) -> None:
    """In one process, so a name of the aside file by process alone would be shared."""
    ready, errors = threading.Barrier(8), []

    def write(letter: bytes) -> None:
        ready.wait()
        try:
            for _ in range(20):
                files.write_bytes(tmp_path / "a", letter * 100_000)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(b"%d" % n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(set((tmp_path / "a").read_bytes())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_kill_leaves_the_old_file_and_what_it_left_aside_is_swept(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from minrnn import files
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        files.write_bytes(Path(sys.argv[1]), b"new")
    """
    (tmp_path / "a").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "a")], check=False)
    assert done.returncode < 0
    assert (tmp_path / "a").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 2
    (tmp_path / ".a.txt").touch()
    files.sweep(tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.txt", "a"]


def test_half_a_surrogate_pair_is_written_as_a_question_mark(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a", {"title": "a\ud800ä"})
    assert files.read_object(tmp_path / "a") == {"title": "a?ä"}


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}{'])
def test_what_is_no_json_object_is_read_as_empty(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert files.read_object(tmp_path / "a") == {}
    assert files.read_object(tmp_path / "nowhere") == {} == files.read_object(tmp_path)


def test_an_infinite_number_is_read_as_no_number(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"loss": Infinity}')
    loss = files.read_object(tmp_path / "a")["loss"]
    assert loss != loss
    json.dumps(files.read_object(tmp_path / "a"))


@pytest.mark.parametrize("path", ["x" * 5_000, "a\0b", "", "nowhere", "."])
def test_what_cannot_be_a_file_is_none(path: str) -> None:
    assert not files.is_file(Path(path))


def test_a_home_that_is_not_there_leaves_a_path_as_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.expanded("~/x") == tmp_path / "x"
    assert files.expanded("~no_such_user/x") == Path("~no_such_user/x")


def test_a_path_in_the_working_folder_is_typed_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.typed(tmp_path / "a" / "b") == str(Path("a") / "b")
    assert files.typed(tmp_path.parent / "c") == str(tmp_path.parent / "c")
