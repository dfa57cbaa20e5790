import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from minrnn import train
from minrnn.cli.progress import show
from minrnn.config import TrainConfig
from minrnn.train import Event
from tests.cli.conftest import needs_full, stdout_without_room

OUT = Path("runs/x")


def events() -> Iterator[Event]:
    yield train.Eval(0, 3.25, 0, 0.1, 7)
    yield train.Sample(0, "Ж [bold]\ud800")
    yield train.Iter(1, 2.5, 0.1, 1.0, 640, 0.2, 0.1)
    yield train.Done(1, "max_iters")


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(encoding: str, kind: type[io.TextIOWrapper], monkeypatch: pytest.MonkeyPatch) -> str:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", kind(written, encoding=encoding, errors="replace"))
    show(events(), TrainConfig(max_iters=1), OUT)
    sys.stdout.flush()
    return written.getvalue().decode(encoding)


def test_without_a_terminal_each_report_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("utf-8", io.TextIOWrapper, monkeypatch).splitlines() == [
        "iter      0  val_loss 3.2500 (estimate)  0 s",
        "--- sample at iter 0", "Ж [bold]?", "---",
        "done at iter 1: max_iters. The model is in runs/x/model",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_shows_reports_and_a_bar_in_any_encoding(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(encoding, Terminal, monkeypatch)
    assert "val_loss 3.2500" in text and "done at iter 1: max_iters" in text
    assert ("Ж" if encoding == "utf-8" else "?") + " [bold]?" in text
    assert "loss 2.500" in text


def test_a_terminal_that_is_gone_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    main, sub = os.openpty()
    seen: list[Event] = []

    def followed() -> Iterator[Event]:
        for event in events():
            seen.append(event)
            yield event
            if len(seen) == 1:
                os.close(main)

    stream = os.fdopen(sub, "w", errors="replace")
    monkeypatch.setattr(sys, "stdout", stream)
    show(followed(), TrainConfig(max_iters=1), OUT)
    monkeypatch.undo()
    assert len(seen) == 4
    with suppress(OSError):
        stream.close()


@needs_full
def test_a_disk_without_room_for_reports_does_not_end_the_run() -> None:
    left = events()
    with stdout_without_room():
        show(left, TrainConfig(max_iters=1), OUT)
    assert next(left, None) is None
