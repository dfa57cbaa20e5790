"""The training runs of this machine, as their folders tell them; nothing here is kept anywhere else.

Beside what the worker writes (see `runs.py`), the app leaves in a run's folder:

    about.json   its title, when it was asked for, and whose it is (a hash, where visitors share the machine)
    queued       the command that waits for its turn (see `worker.py`)
    followed     touched while somebody's page shows the run
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from minrnn import runlog, settings
from minrnn.errors import CheckpointError, ConfigError
from minrnn.locks import LOCK, is_held
from minrnn.models import pretrained
from minrnn.runlog import METRICS, Follower, History
from minrnn.runs import CONFIG, ERROR, LOG, MODEL, STOP
from minrnn.train import Done
from minrnn.worker import QUEUED, SPEC

ABOUT, FOLLOWED = "about.json", "followed"
MAX_TITLE_CHARS = 60
Status = Literal["waiting", "running", "stopped", "finished", "failed", "killed"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it at this moment.

    Attributes:
        name: its folder below the runs folder.
        path: that folder.
        title: what people call it.
        asked: when somebody asked for it, or it began, in seconds since 1970.
        place: its turn among those asked for at the same moment.
        status: "killed" means that its worker ended without a word; like "stopped" and "failed" it can be resumed.
        problem: why it failed or was killed, and what to do; empty otherwise.
        stopping: whether it was asked to stop and has not done so yet.
        owner: hash of the token of the visitor who started it; empty where the machine is one's own.
    """

    name: str
    path: Path
    title: str
    asked: float
    place: int
    status: Status
    problem: str
    stopping: bool
    owner: str

    @property
    def active(self) -> bool:
        """Whether it runs or waits for its turn."""
        return self.status in ("running", "waiting")

    @property
    def begun(self) -> bool:
        """Whether there is a model in it."""
        return (self.path / CONFIG).is_file()

    @property
    def config(self) -> dict[str, Any]:
        """Its config.json; before the worker has begun what was asked for, which has no figures yet."""
        return _read_json(self.path / CONFIG) or _read_json(self.path / SPEC)

    @property
    def scores(self) -> dict[str, Any]:
        """The metrics.json of its model, whole splits scored; empty before the end."""
        return (
            _read_json(self.path / MODEL / "metrics.json") if self.status in ("finished", "stopped") else {}
        )

    @property
    def history(self) -> History:
        """Everything it has reported so far."""
        return _follower(self.path).poll()


def listed(token: str) -> list[Run]:
    """The runs that the holder of a token may see, the newest first: all, or where visitors share, their own."""
    if settings.training_mode() == "off":
        return []
    return [run for run in every() if _may_see(run, token)]


def every() -> list[Run]:
    """All runs in the runs folder, up to two folders deep, the newest first."""
    root = settings.runs_dir()
    marks = [
        path for depth in ("*", "*/*") for name in (ABOUT, METRICS) for path in root.glob(f"{depth}/{name}")
    ]
    found = (_read(path) for path in {mark.parent for mark in marks} if _is_name(path))
    return sorted((run for run in found if run), key=lambda run: (-run.asked, run.place, run.name))


def find(name: str, token: str) -> Run:
    """The run of that name.

    Raises:
        CheckpointError: if there is none that the holder of this token may see.
        ConfigError: if training is switched off.
    """
    check_on()
    path = settings.runs_dir() / name
    run = _read(path) if _NAME.fullmatch(name) and not path.is_symlink() and path.is_dir() else None
    if run is None or not _may_see(run, token):
        raise CheckpointError(f"there is no run {name!r} of yours here; choose one from the list.")
    return run


def check_on() -> None:
    """Raise ConfigError where training is switched off."""
    if settings.training_mode() == "off":
        raise ConfigError(
            "training is switched off here (MINRNN_TRAINING=off); run minRNN on your own machine."
        )


def owner_of(token: str) -> str:
    """What is kept of a token: nobody who reads the folder learns the token itself."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else ""


def is_alive(path: Path) -> bool:
    """Whether a process trains in this folder.

    A worker holds `lock` while it trains; one that the app started also holds its log from its first instant on.
    """
    return is_held(path, LOCK) or is_held(path, LOG)


def clean_title(title: str) -> str:
    """A title on one line.

    Raises:
        ConfigError: if it is empty or too long.
    """
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE_CHARS:
        raise ConfigError(f"the name has {len(title)} characters; give it 1 to {MAX_TITLE_CHARS}.")
    return title


def write_about(path: Path, title: str, asked: float, owner: str, place: int = 0) -> None:
    """Leave about.json in a run's folder."""
    about = {"title": title, "asked": asked, "place": place, "owner": owner}
    pretrained.write_text(path / ABOUT, json.dumps(about, ensure_ascii=False) + "\n")


def zipped_model(run: Run) -> bytes:
    """The run's checkpoint folder as a zip file.

    Raises:
        CheckpointError: if it has none yet.
    """
    if not run.begun:
        raise CheckpointError(f"{run.title} has no checkpoint yet; wait until it has begun.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((run.path / MODEL).iterdir()):
            if path.is_file() and not path.name.startswith("."):
                archive.write(path, f"{run.path.name}/{path.name}")
    return buffer.getvalue()


def history_csv(run: Run) -> str:
    """The run's history as CSV."""
    return runlog.to_csv(run.history)


def _may_see(run: Run, token: str) -> bool:
    return settings.training_mode() == "full" or bool(token and run.owner == owner_of(token))


def _is_name(path: Path) -> bool:
    name = path.relative_to(settings.runs_dir()).as_posix()
    return bool(_NAME.fullmatch(name)) and not path.is_symlink()


def _read(path: Path) -> Run | None:
    """The run in a folder; None if it has just been deleted."""
    about = _read_json(path / ABOUT)
    try:
        asked = float(about.get("asked") or (path / METRICS).stat().st_ctime)
        place = int(about.get("place", 0))
    except (OSError, TypeError, ValueError):
        return None
    name = path.relative_to(settings.runs_dir()).as_posix()
    status, problem = _status(path)
    stopping = status == "running" and (path / STOP).exists()
    title, owner = str(about.get("title") or name), str(about.get("owner") or "")
    return Run(name, path, title, asked, place, status, problem, stopping, owner)


def _status(path: Path) -> tuple[Status, str]:
    """What a run is doing, and what went wrong."""
    if is_alive(path):
        return "running", ""
    if (path / QUEUED).exists():
        return "waiting", ""
    if ended := _ending(path):
        return ("stopped" if ended.reason == "stopped" else "finished"), ""
    log = _text(path / LOG)[-4_096:]
    error = _text(path / ERROR) or log.rpartition("error: ")[2] * ("error: " in log)
    if error:
        return "failed", " ".join(error.split())
    if not (path / METRICS).exists() and not log:
        return "stopped", ""  # taken out of the queue before its turn
    told = f" Its last words: {log.splitlines()[-1]}" if log else ""
    return (
        "killed",
        f"The worker ended without saving: it was killed, or the machine went down. Resume it.{told}",
    )


def _ending(path: Path) -> Done | None:
    """The last event, if it ends the run."""
    try:
        with (path / METRICS).open("rb") as file:
            file.seek(max(0, file.seek(0, io.SEEK_END) - 1_024))
            lines = file.read().decode("utf-8", "replace").split("\n")
        event = runlog.from_line(lines[-2])
    except (OSError, ValueError, IndexError):
        return None
    return event if isinstance(event, Done) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: math.nan)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


@functools.lru_cache(maxsize=64)
def _follower(path: Path) -> Follower:
    return Follower(path)
