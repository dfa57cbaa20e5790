import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from minrnn.cli import terminal
from minrnn.errors import MinrnnError
from tests.cli.conftest import needs_full, stdout_without_room


def test_a_stream_that_was_closed_before_the_start_takes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    terminal.prepare()
    terminal.say("nobody reads this")
    assert sys.stdout.isatty() is False
    sys.stdout.close()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_cannot_be_shown_becomes_a_question_mark(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    terminal.prepare()
    terminal.say("Ä Ж \ud800")
    sys.stdout.flush()
    assert written.getvalue().decode(encoding) == "Ä Ж \ud800\n".encode(encoding, "replace").decode(encoding)


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("[bold]no[/bold] markup :smile: " + "x" * 500)
    terminal.figures({"loss": 1.23456, "name": "[red]"}, as_json=False)
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "[bold]no[/bold] markup :smile: " + "x" * 500
    assert out.splitlines()[1:] == ["loss  1.2346", "name  [red]"]


def test_a_pipe_that_closed_is_silenced(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert not terminal.put("x")
        terminal.say("and nothing more happens")
        assert terminal.put("nor here")


SAYING: list[Callable[[], object]] = [
    lambda: terminal.say("a line"),
    lambda: terminal.put("x"),
    lambda: terminal.figures({"val_loss": 1.5}, as_json=False),
    lambda: terminal.figures({"val_loss": 1.5}, as_json=True),
]


@needs_full
@pytest.mark.parametrize("saying", SAYING)
def test_what_cannot_be_written_is_an_error(saying: Callable[[], object]) -> None:
    wanted = r"^the output cannot be written \(No space left .*\); free some space"
    with stdout_without_room(), pytest.raises(MinrnnError, match=wanted):
        saying()


@needs_full
def test_a_line_about_work_that_goes_on_may_be_lost() -> None:
    with stdout_without_room():
        terminal.mention("begins")
        terminal.mention("has ended")


@needs_full
def test_a_disk_without_room_is_no_pipe_that_closed() -> None:
    with stdout_without_room():
        assert not terminal.is_closed(sys.stdout)


@pytest.mark.parametrize(("system", "closed"), [("nt", True), ("posix", False)])
def test_windows_calls_a_closed_pipe_an_invalid_argument(
    system: str, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    stream = Stream()
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", system)
        assert terminal.is_closed(stream) == closed


def test_an_open_stream_is_not_closed(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        assert not terminal.is_closed(stream)
