"""The training runs of this machine, as their folders tell them; what is kept here can be read again at any time.

Beside what the worker writes (see `folder.py`), the app leaves in a run's folder:

    about.json   its title, when it was asked for, and whose it is (a hash, where visitors share the machine)
    queued       it waits for its turn (see `process.py`)
    followed     touched while somebody's page shows the run
"""

from __future__ import annotations

import hashlib
import io
import itertools
import logging
import re
import threading
import unicodedata
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from minrnn import checkpoint, files, settings
from minrnn.checked import shown
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs.events import METRICS, Follower, History, last_event
from minrnn.runs.folder import CONFIG, ERROR, LOG, MODEL, STOP, has_begun, read_config, spec_in
from minrnn.runs.process import QUEUED, is_alive
from minrnn.runs.spec import RunSpec
from minrnn.train import Done

ABOUT, FOLLOWED = "about.json", "followed"
MAX_TITLE_CHARS = 60
MAX_FOLLOWED = 64
"""Runs whose histories are kept in memory; another one is read from its file again."""
Status = Literal["waiting", "running", "stopped", "finished", "failed", "killed"]
_BLANK = "\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159"
"""Letters and symbols that look like a space: fillers of Hangul, the empty pattern of Braille, the place of an object,
a note without a head."""
_PART = "[^./\\\\\0\ud800-\udfff][^/\\\\\0\ud800-\udfff]{0,199}"  # surrogates: bytes that no page can be sent
_NAME = re.compile(f"{_PART}(/{_PART})?")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it at this moment.

    Attributes:
        name: its folder below the runs folder.
        path: that folder.
        title: what people call it.
        asked: when somebody asked for it, or it began, in seconds since 1970.
        order: its turn among those asked for at the same moment.
        status: "killed" means that its worker ended without a word; like "stopped" and "failed" it can be resumed.
        problem: why it failed or was killed, and what to do; empty otherwise.
        stopping: whether it was asked to stop and has not done so yet.
        owner: hash of the token of the visitor who started it; empty where the machine is one's own.
        begun: whether there is a model in it.
        spec: what it trains.
        params: where its weights sit; empty before it has begun.
        compute: its device and dtype, and why; empty before it has begun.
        scores: the metrics.json of its model; empty before the end.
    """

    name: str
    path: Path
    title: str
    asked: float
    order: int
    status: Status
    problem: str
    stopping: bool
    owner: str
    begun: bool
    spec: RunSpec
    params: dict[str, int]
    compute: str
    scores: dict[str, Any]

    @property
    def active(self) -> bool:
        """Whether it runs or waits for its turn."""
        return self.status in ("running", "waiting")

    @property
    def model(self) -> Path:
        """The folder of its checkpoint."""
        return self.path / MODEL


class Listing:
    """The runs in the runs folder. The app has one, so that histories are read once and not for every page."""

    def __init__(self) -> None:
        self._followers: OrderedDict[Path, Follower] = OrderedDict()
        self._passed_over: dict[Path, str] = {}
        self._lock = threading.Lock()

    def listed(self, token: str) -> list[Run]:
        """The runs that the holder of a token may see, the newest first: all, or where visitors share, their own."""
        if settings.training_mode() == "off":
            return []
        return [run for run in self.every() if _may_see(run, token)]

    def every(self) -> list[Run]:
        """All runs in the runs folder, up to two folders deep, the newest first."""
        root = settings.runs_dir()
        marks = [root.glob(f"{depth}/{n}") for depth in ("*", "*/*") for n in (ABOUT, CONFIG, METRICS)]
        paths = {mark.parent for mark in itertools.chain(*marks)}
        outer = (path for path in paths if path.parent not in paths)  # a run's model has a config.json, too
        found = (self._read(path) for path in outer if _is_run_path(path))
        return sorted((run for run in found if run), key=lambda run: (-run.asked, run.order, run.name))

    def find(self, name: str, token: str) -> Run:
        """The run of that name.

        Raises:
            CheckpointError: if there is none that the holder of this token may see.
            ConfigError: if training is switched off.
        """
        check_on()
        path = settings.runs_dir() / name if _is_name(name) else None
        run = self._read(path) if path is not None and _is_run_path(path) and path.is_dir() else None
        if run is None or not _may_see(run, token):
            raise CheckpointError(f"there is no run {shown(name)} of yours here; choose one from the list.")
        return run

    def history(self, run: Run) -> History:
        """Everything a run has reported so far."""
        with self._lock:
            follower = self._followers.setdefault(run.path, Follower(run.path))
            self._followers.move_to_end(run.path)
            while len(self._followers) > MAX_FOLLOWED:
                self._followers.popitem(last=False)
        return follower.poll()

    @property
    def passed_over(self) -> list[str]:
        """The folders that look like runs and are none of this minRNN's, each with the reason, a line each."""
        return [f"{path.name}: {why}" for path, why in sorted(self._passed_over.items()) if path.is_dir()]

    def _read(self, path: Path) -> Run | None:
        """The run in a folder; None if it has just been deleted, or is not ours, which is logged once."""
        try:
            run = _read(path)
        except CheckpointError as error:
            self._pass_over(path, str(error))
            return None
        except (OSError, ValueError, TypeError) as error:
            self._pass_over(path, f"it cannot be read ({error}).")
            return None
        self._passed_over.pop(path, None)
        return run

    def _pass_over(self, path: Path, why: str) -> None:
        if path.is_dir() and self._passed_over.get(path) != why:
            _LOG.warning("the folder %s is passed over: %s", path, why)
            self._passed_over[path] = why


def check_on() -> None:
    """Raise ConfigError where training is switched off."""
    if settings.training_mode() == "off":
        raise ConfigError(
            "training is switched off here (MINRNN_TRAINING=off); run minRNN on your own machine."
        )


def owner_of(token: str) -> str:
    """What is kept of a token: nobody who reads the folder learns the token itself."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else ""


def clean_title(title: str) -> str:
    """A title on one line, without characters that nobody sees.

    Raises:
        ConfigError: if it is empty or too long.
    """
    if len(title) > 100 * MAX_TITLE_CHARS:  # looking at each character of millions takes seconds
        raise ConfigError(f"the name has {len(title):,} characters; give it 1 to {MAX_TITLE_CHARS}.")
    title = _shown(title)
    if not 1 <= len(title) <= MAX_TITLE_CHARS:
        raise ConfigError(f"the name has {len(title)} visible characters; give it 1 to {MAX_TITLE_CHARS}.")
    return title


def _shown(title: str) -> str:
    """A title on one line without control and format characters; empty where nothing of it can be seen."""
    plain = "".join(c for c in " ".join(title.split()) if unicodedata.category(c)[0] != "C")
    seen = any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANK for c in plain)
    return " ".join(plain.split()) if seen else ""


def write_about(path: Path, title: str, asked: float, owner: str, order: int = 0) -> None:
    """Leave about.json in a run's folder."""
    files.write_json(path / ABOUT, {"title": title, "asked": asked, "place": order, "owner": owner})


def zipped_model(run: Run) -> bytes:
    """The run's checkpoint folder as a zip file.

    Raises:
        CheckpointError: if it has none yet.
    """
    if not run.begun:
        raise CheckpointError(f"{run.title} has no checkpoint yet; wait until it has begun.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(run.model.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                archive.write(path, f"{run.path.name}/{path.name}")
    return buffer.getvalue()


def _may_see(run: Run, token: str) -> bool:
    return settings.training_mode() == "full" or bool(token and run.owner == owner_of(token))


def _is_name(name: str) -> bool:
    """Whether this names a folder below the runs folder, up to two deep, that is neither hidden nor outside."""
    return bool(_NAME.fullmatch(name))


def _is_run_path(path: Path) -> bool:
    return _is_name(path.relative_to(settings.runs_dir()).as_posix()) and not path.is_symlink()


def _read(path: Path) -> Run | None:
    """The run in a folder; None if it has just been deleted.

    Raises:
        CheckpointError: if the folder holds something else.
    """
    about, config = files.read_object(path / ABOUT), read_config(path)
    if not path.is_dir():
        return None
    spec = spec_in(config, path)
    name = path.relative_to(settings.runs_dir()).as_posix()
    status, problem = _status(path)
    params = config.get("params")
    return Run(
        name=name,
        path=path,
        title=_shown(str(about.get("title") or ""))[:MAX_TITLE_CHARS] or name,
        asked=_number(about.get("asked")) or _number(config.get("began")) or path.stat().st_ctime,
        order=int(_number(about.get("place"))),
        status=status,
        problem=problem,
        stopping=status == "running" and (path / STOP).exists(),
        owner=str(about.get("owner") or ""),
        begun=has_begun(path),
        spec=spec,
        params={str(k): int(_number(v)) for k, v in params.items()} if isinstance(params, dict) else {},
        compute=str(config.get("compute") or ""),
        scores=_scores(path) if status in ("finished", "stopped") else {},
    )


def _scores(path: Path) -> dict[str, Any]:
    """The figures of a run that has ended, without those that are no figures."""
    found = files.read_object(path / MODEL / checkpoint.METRICS)
    shares = found.get("accuracy")
    if not isinstance(shares, dict) or not all(k.isdecimal() and _is_number(x) for k, x in shares.items()):
        found.pop("accuracy", None)
    wrong = [key for key in ("val_loss", "n_params") if not _is_number(found.get(key))]
    return {key: value for key, value in found.items() if key not in wrong}


def _number(value: Any) -> float:
    """A finite number; 0 for anything else."""
    return value if _is_number(value) else 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _status(path: Path) -> tuple[Status, str]:
    """What a run is doing, and what went wrong. A later failure outranks an earlier end."""
    if is_alive(path):
        return "running", ""
    if (path / QUEUED).exists():
        return "waiting", ""
    if error := files.read_text(path / ERROR):
        return "failed", " ".join(error.split())
    if isinstance(ended := last_event(path / METRICS), Done):
        return ("stopped" if ended.reason == "stopped" else "finished"), ""
    log = files.read_text(path / LOG)[-4_096:]
    if not (path / METRICS).exists() and not log:
        return "stopped", ""  # taken out of the queue before its turn
    last = f" Its last words: {log.splitlines()[-1]}" if log else ""
    return (
        "killed",
        f"The worker ended without saving: it was killed, or the machine went down. Resume it.{last}",
    )
