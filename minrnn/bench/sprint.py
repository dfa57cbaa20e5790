"""The sprint: from nothing to a good loss on two cores, with everything counted in.

python -m minrnn bench sprint [--json]

nanoGPT's README (github.com/karpathy/nanoGPT) gives 1.4697 as the loss of a model of 10.65 M parameters on tiny
Shakespeare after three minutes on an A100. The clock starts before Python does and stops when the whole validation
split is scored.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from minrnn import checkpoint, presets
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.errors import MinrnnError

PRESET = presets.SPRINT
MORE: tuple[str, ...] = ()
"""Further flags of the training; none but in tests."""
GOAL_LOSS, GOAL_S = 1.4697, 180.0


@dataclass(frozen=True)
class SprintFlags:
    """Train the preset `sprint` from an empty folder, and time all of it.

    Attributes:
        model: which of the preset's models.
        processes: how many train together.
        json: print one JSON object.
    """

    model: str = presets.SPRINT_MODEL
    processes: int = 2
    json: bool = False


@dataclass(frozen=True)
class Sprint:
    """What a sprint reached, and beside what other work.

    Attributes:
        model: which.
        val_loss: over the whole validation split, in nats per character.
        seconds: from the start of the command to its end.
        tokens_seen: characters read.
        n_params: parameters.
        load_before: processes that wanted a core in the minute before, as the system counts them.
        load_after: and in the last minute of the sprint, its own included.
    """

    model: str
    val_loss: float
    seconds: float
    tokens_seen: int
    n_params: int
    load_before: float
    load_after: float

    @property
    def ok(self) -> bool:
        """Whether both goals are reached."""
        return self.val_loss <= GOAL_LOSS and self.seconds <= GOAL_S


def measure(flags: SprintFlags) -> Sprint:
    """Run it.

    Raises:
        MinrnnError: if the training fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, before = Path(folder, "run"), _load()
        words = ["--preset", PRESET, "--model", flags.model, "--processes", str(flags.processes), *MORE]
        started = time.perf_counter()
        ended = subprocess.run(
            [sys.executable, "-m", "minrnn", "train", *words, "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        seconds = time.perf_counter() - started
        if ended.returncode:
            raise MinrnnError(
                f"the training has failed: {ended.stderr.decode(errors='replace').strip()[-500:]}"
            )
        found = checkpoint.read_metrics(out / "model" / checkpoint.METRICS)
    return Sprint(
        flags.model, found["val_loss"], seconds, found["tokens_seen"], found["n_params"], before, _load()
    )


def figures(flags: SprintFlags) -> dict[str, object]:
    """Everything as plain data."""
    found = measure(flags)
    return {**_circumstances(flags), **asdict(found), "ok": found.ok}


def lines(flags: SprintFlags) -> Iterator[str]:
    """A report with a table."""
    yield line(_circumstances(flags))
    yield ""
    found = measure(flags)
    yield "| sprint | measured | goal |"
    yield "|---|---:|---|"
    loss, seconds = _goal(found.val_loss, GOAL_LOSS), _goal(found.seconds, GOAL_S)
    yield f"| loss on the whole validation split, {found.model} | {found.val_loss:.4f} | {loss} |"
    yield f"| seconds, start and scoring included | {found.seconds:.0f} | {seconds} |"
    yield f"| characters read | {found.tokens_seen / 1e6:.2f} M | |"
    yield f"| parameters | {found.n_params / 1e6:.2f} M | |"
    yield f"| load of the machine, before and at the end | {found.load_before:.1f}, {found.load_after:.1f} | |"


def _circumstances(flags: SprintFlags) -> dict[str, object]:
    return circumstances(1, processes=flags.processes)


def _goal(value: float, goal: float) -> str:
    return f"{goal:g}: {verdict(value <= goal)}"


def _load() -> float:
    """Processes that wanted a core in the last minute; 0 where the system does not count them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
