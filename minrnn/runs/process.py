"""A run's worker: the process `python -m minrnn train --run FOLDER`, which does what the folder says.

A run waits by the file `queued` in its folder. Whoever starts it renames that to `starting`; of two who try, one
succeeds. The worker removes `starting` once it holds the run's lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import minrnn
from minrnn import cores, device, files, settings
from minrnn.errors import MinrnnError
from minrnn.runs.folder import ERROR, LOG, STARTING, STOP, forget_stop, read_spec
from minrnn.runs.lock import held, is_held

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

QUEUED = "queued"
NICENESS = 5
"""A worker gives way to the app, so that models go on writing while one trains."""
MOST_PROCESSES = 8
"""Each holds its own copy of the model and of torch."""
_FAR = 2**63
"""No clock shows so many nanoseconds since 1970 (the year 2262): such a mark is damaged."""
STARTING_S = 60.0
"""A worker needs a few seconds until it holds its lock, on a slow disk more; after this long it never will."""


def queue(out: Path) -> None:
    """Let a run wait for its turn: behind all that wait already, also where the clock has been set back."""
    (out / STOP).unlink(missing_ok=True)
    root = settings.runs_dir()
    marks = [mark for depth in ("*", "*/*") for mark in root.glob(f"{depth}/{QUEUED}")]
    waiting = [asked for mark in marks if (asked := queued_at(mark.parent)) < _FAR]
    files.write_text(out / QUEUED, json.dumps(max([time.time_ns(), *(asked + 1 for asked in waiting)])))


def queued_at(out: Path) -> int:
    """When a waiting run was asked for, in nanoseconds since 1970; by the file's own time where it does not say."""
    try:
        asked = json.loads((out / QUEUED).read_text(encoding="utf-8"))
        return int(asked[0] if isinstance(asked, list) else asked)  # a list in earlier versions
    except (OSError, ArithmeticError, ValueError, TypeError, LookupError, RecursionError):
        return _mtime_ns(out / QUEUED)


def claim(out: Path) -> bool:
    """Take a run out of the queue; False if somebody else has."""
    try:
        (out / QUEUED).replace(out / STARTING)
        os.utime(out / STARTING)
    except FileNotFoundError:
        return False
    return True


def unqueue(out: Path) -> bool:
    """Take a waiting run out of the queue for good; False if it no longer waits."""
    claimed = claim(out)
    if claimed:
        (out / STARTING).unlink(missing_ok=True)
    return claimed


def stop(out: Path) -> None:
    """Ask a run's worker to save and end; a run that waits is taken out of the queue."""
    if not unqueue(out):
        with contextlib.suppress(FileNotFoundError):  # the run has just been deleted
            (out / STOP).touch()


def is_alive(out: Path) -> bool:
    """Whether a process trains in this folder, or has just been started to."""
    return is_held(out) or is_starting(out)


def is_starting(out: Path) -> bool:
    """Whether a queue has just started this run's worker, which does not hold the run's lock yet."""
    age_s = time.time() - _mtime_ns(out / STARTING) / 1e9
    return (out / STARTING).exists() and -STARTING_S < age_s < STARTING_S


def forget_old_stop(out: Path) -> None:
    """Forget a request to stop that a worker which was killed left behind, for a worker that begins now. One that a
    queue has started keeps it: the queue forgot what was there, and somebody has asked since.

    Raises:
        CheckpointError: if another process trains in this folder, or it cannot be written.
    """
    if (out / STOP).exists():
        with held(out):
            if not is_starting(out):
                forget_stop(out)


def words(out: Path) -> list[str]:
    """The worker's command line, but for the number of processes behind it."""
    return [sys.executable, "-m", "minrnn", "train", "--run", str(out.resolve())]


def spawn(out: Path) -> subprocess.Popen[bytes]:
    """Start the worker of a run that has been claimed; it prints to the run's log.txt.

    Raises:
        OSError: if the log cannot be written or no process can be started.
    """
    for stale in (ERROR, STOP):
        (out / stale).unlink(missing_ok=True)
    count = _processes_of(out)
    with (out / LOG).open("wb") as log:
        child = subprocess.Popen(
            [*words(out), *(["--processes", str(count)] if count > 1 else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(count),
        )
    _give_way(child.pid)
    if settings.training_mode() == "limited":
        _bound_memory(child.pid, count)
    return child


def worker(out: Path) -> int | None:
    """The process that trains in a folder as its worker, whichever app has started it, by its own command line.

    Returns:
        Its number; None if there is none of this user, or the system does not tell (it does on Linux).
    """
    ours = [os.fsencode(word) for word in words(out)[1:]]  # the interpreter may be another one by now
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().split(b"\0")[1:-1]
            if line[: len(ours)] == ours and folder.stat().st_uid == os.getuid():
                return int(folder.name)
    return None


def age_s(pid: int) -> float:
    """Seconds since a process of this machine was started, on Linux, by a clock nobody sets; 0 if it is no more."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(began) / os.sysconf("SC_CLK_TCK")
    return 0.0


def kill_overdue(out: Path, allowed_s: float, why: str) -> None:
    """Kill the worker of a folder, whichever app has started it, if it is older than it may be, and say so there."""
    pid = worker(out)
    if pid is not None and age_s(pid) > allowed_s:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
        give_up(out, why)


def reap(out: Path, status: int) -> None:
    """Say in the folder why a worker has ended that never began; one that began has said so itself."""
    if (out / STARTING).exists():
        last = files.read_text(out / LOG)[-500:]
        give_up(
            out, f"the worker ended with status {status} before it began. Its last words: {last or 'none'}"
        )


def give_up(out: Path, why: str) -> None:
    """Say in the folder of a run that has been claimed why it does not start."""
    with contextlib.suppress(OSError):
        files.write_text(out / ERROR, why + "\n")
    with contextlib.suppress(OSError):
        (out / STARTING).unlink(missing_ok=True)


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _give_way(pid: int) -> None:
    """Lower a worker's priority, where the system lets one.

    Linux weighs sessions, not processes, where autogrouping is on, and a worker has a session of its own: there
    its niceness counts for nothing unless the session's is set, too.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS))
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


def _bound_memory(pid: int, count: int) -> None:
    """Let a visitor's worker hold so much memory and no more, where the system lets one say so. Beyond it the worker
    fails, and not the app. The processes it starts have its bound, too, so each may hold an equal part. With a GPU the
    driver's own reservations would count: there no bound is set."""
    if resource is None or not hasattr(resource, "prlimit") or device.choose().device.type != "cpu":
        return
    most = settings.max_worker_bytes() // count
    with contextlib.suppress(OSError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def taken() -> int:
    """Cores that a worker takes: both of two; of more, one is left to the app."""
    count = cores.usable()
    return count - 1 if count > 2 else count


def sharing(batch_size: int) -> int:
    """How many processes share a training on the CPU: one a core, as far as they divide the batch.

    Two processes made updates 1.1 to 1.8 times as fast as one; two threads of one process 0.3 to 2.1 times, the LSTM
    always slower (`bench train`).
    """
    return max(n for n in range(1, min(taken(), MOST_PROCESSES) + 1) if batch_size % n == 0)


def _processes_of(out: Path) -> int:
    """How many processes train a run together; one where that cannot be told, for the worker says why."""
    try:
        recipe = read_spec(out).train
        return sharing(recipe.batch_size) if device.choose(recipe.device).device.type == "cpu" else 1
    except MinrnnError:
        return 1


def _environment(count: int) -> dict[str, str]:
    """The app's own, with this package on the path, and the cores shared out among so many processes.

    Threads that wait for one another sleep instead of spinning: where the cores are shared, spinning made small
    models seven times slower.
    """
    paths = [str(Path(minrnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    passive = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(taken() // count)}
    own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1"}
    return {**passive, **os.environ, **own}
