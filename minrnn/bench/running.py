"""The app as a process of its own, for measurements from outside: its address, and what it takes of the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from minrnn.errors import MinrnnError

START_S = 120.0


@dataclass(frozen=True)
class Use:
    """What the app and its processes take, from Linux's /proc. Its training workers, which come and go, count apart.

    Attributes:
        memory_mb: memory of the app and of what writes, what processes share counted once.
        threads: of all processes.
        handles: open files and connections.
        processes: how many.
        training_mb: memory of the training workers.
    """

    memory_mb: float
    threads: int
    handles: int
    processes: int
    training_mb: float = 0.0


class App:
    """A running app.

    Attributes:
        url: its address.
        start_s: seconds from its start to its first answer.
    """

    def __init__(self, url: str, process: subprocess.Popen[bytes], start_s: float) -> None:
        self.url, self.start_s = url, start_s
        self._process = process

    def pids(self, main: bool = True) -> list[int]:
        """Its process, where `main`, and all below it."""
        parents: dict[int, list[int]] = {}
        for pid in _numbers(Path("/proc")):
            if fields := _stat(pid):
                parents.setdefault(int(fields[1]), []).append(pid)
        found = [self._process.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found if main else found[1:]

    def cpu_s(self, main: bool = True) -> float:
        """Seconds of processor time so far."""
        tick = os.sysconf("SC_CLK_TCK")
        stats = (_stat(pid) for pid in self.pids(main))
        return sum((int(fields[11]) + int(fields[12])) / tick for fields in stats if fields)

    def use(self) -> Use:
        """What it takes now."""
        every = [Path(f"/proc/{pid}") for pid in self.pids()]
        training = [folder for folder in every if _trains(folder)]
        folders = [folder for folder in every if folder not in training]
        return Use(
            sum(_proportional_mb(folder) for folder in folders),
            sum(len(_numbers(folder / "task")) for folder in folders),
            sum(len(_numbers(folder / "fd")) for folder in folders),
            len(folders),
            sum(_proportional_mb(folder) for folder in training),
        )


@contextmanager
def running(folder: Path, **env: str) -> Iterator[App]:
    """Start the app of a checkout, and end it.

    Args:
        folder: the checkout.
        env: further environment variables.

    Raises:
        MinrnnError: if it does not start, or this is no Linux machine.
    """
    if not Path("/proc/self/stat").is_file():
        raise MinrnnError(
            "what the app takes is read from /proc, which this machine has not; measure on Linux."
        )
    if not (folder / "app.py").is_file():
        raise MinrnnError(f"{folder} has no app.py; name the folder of a checkout.")
    port = free_port()
    with TemporaryDirectory(prefix="minrnn-bench-") as runs:
        own = {"GRADIO_SERVER_PORT": str(port), "MINRNN_RUNS_DIR": runs, "PYTHONPATH": str(folder), **env}
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=folder, env={**os.environ, **own}, stdout=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, started + START_S)
            yield App(url, process, time.monotonic() - started)
        finally:
            process.terminate()
            process.wait()


def commit(folder: Path) -> str:
    """The commit of a checkout, shortened; the folder's name where there is none."""
    asked = subprocess.run(
        ["git", "-C", folder, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return asked.stdout.strip() or folder.name


def free_port() -> int:
    """A port of the loopback address that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait(url: str, process: subprocess.Popen[bytes], ends: float) -> None:
    while True:
        if (status := process.poll()) is not None:
            raise MinrnnError(f"the app ended with exit status {status}; start it by hand to see why.")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > ends:
                raise MinrnnError(f"the app did not answer within {START_S:g} s.") from None
            time.sleep(0.02)


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(folder) if name.isdigit()]
    except OSError:  # a process that has ended meanwhile
        return []


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _trains(folder: Path) -> bool:
    """Whether a process is a training run's, by the words it was started with."""
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"train" in words and b"--run" in words


def _proportional_mb(folder: Path) -> float:
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:")), 0.0)
