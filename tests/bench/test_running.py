"""The app as a process of its own: what does not start is told, not waited for."""

import sys
import time
from pathlib import Path

import pytest

from minrnn.bench import running
from minrnn.errors import MinrnnError

linux = pytest.mark.skipif(sys.platform != "linux", reason="what the app takes is read from /proc")


def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MinrnnError, match=r"has no app\.py|/proc"), running.running(tmp_path):
        raise AssertionError("it runs")


@linux
def test_an_app_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise SystemExit(3)")
    began = time.monotonic()
    with (
        pytest.raises(MinrnnError, match="the app ended with exit status 3"),
        running.running(tmp_path),
    ):
        raise AssertionError("it runs")
    assert time.monotonic() - began < running.START_S / 2
