"""The app's start, memory and first character, measured on a process of its own. Linux only.

python -m minrnn bench start [--json]

The app is started several times, each time from nothing; the last one is then asked to write, alone and beside a
training. Memory is that of the app and of its writers; what they share is counted once.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from minrnn.bench.flags import Rounds
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.bench.running import running
from minrnn.checked import Checked
from minrnn.checkpoint import BUNDLED
from minrnn.errors import MinrnnError
from minrnn.models import MODEL_NAMES

PATIENCE_S = 120.0
GOING_ON = ("waiting", "running")
FIRST_CHARACTERS = 5
PAGE_SECONDS, IDLE_MB = 4.0, 480.0
"""The goals, for two quiet cores."""


@dataclass(frozen=True)
class StartFlags(Checked):
    """Measure the app: cold start to the first page, memory while idle, first character, writing beside a training.

    Attributes:
        rounds: cold starts; the median counts.
        writing: whether the app is also asked to write, alone and beside a training.
        json: print one JSON object.
    """

    rounds: Rounds = 3
    writing: bool = True
    json: bool = False


@dataclass(frozen=True)
class Measured:
    """One figure.

    Attributes:
        what: what was measured.
        value: how much.
        unit: of value and goal; empty for a ratio.
        goal: what it should not exceed; None if there is no goal.
    """

    what: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """ok or short; empty without a goal."""
        return verdict(None if self.goal is None else self.value <= self.goal)


def measure(flags: StartFlags) -> Iterator[Measured]:
    """Start the app and measure it.

    Raises:
        MinrnnError: if the app does not come up, or does not write.
    """
    seconds, memory = [], []
    for left in reversed(range(flags.rounds)):
        with running(BUNDLED.parent) as app:
            seconds.append(app.start_s)
            memory.append(app.use().memory_mb)
            if not left:
                yield Measured("cold start to first page", statistics.median(seconds), "s", PAGE_SECONDS)
                yield Measured(
                    "memory of the idle app and its writers", statistics.median(memory), "MB", IDLE_MB
                )
                if flags.writing:
                    firsts = [_first_character(app.url) for _ in range(FIRST_CHARACTERS)]
                    yield Measured("first character after the click", statistics.median(firsts), "s")
                    yield Measured(
                        "writing while a run trains, of the idle rate", _beside_training(app.url), ""
                    )


def lines(flags: StartFlags) -> Iterator[str]:
    """The figures as rows of a table, one at a time."""
    yield line(circumstances(1, rounds=flags.rounds))
    yield ""
    yield "| the app | measured | goal |"
    yield "|---|---:|---|"
    for one in measure(flags):
        goal = "" if one.goal is None else f"{one.goal:g} {one.unit}: {one.verdict}"
        yield f"| {one.what} | {one.value:,.{0 if one.unit == 'MB' else 2}f} {one.unit} | {goal} |"


def figures(flags: StartFlags) -> dict[str, object]:
    """Everything as plain data."""
    return {
        **circumstances(1, rounds=flags.rounds),
        "figures": [{**asdict(one), "verdict": one.verdict} for one in measure(flags)],
    }


def _beside_training(url: str) -> float:
    """All models' writing rate while a base model trains, as a share of their rate before and after it."""
    from gradio_client import Client

    client = Client(url, verbose=False)
    before = _rate(client)
    started = client.predict(
        MODEL_NAMES[0], preset="base", corpus="python", max_iters=10_000, api_name="/train_start"
    )
    run, token = started["runs"][0], started["token"]

    def status() -> Mapping[str, Any]:
        found: Mapping[str, Any] = client.predict(run, token, api_name="/train_status")
        return found

    try:
        until(lambda: trains(status()), "the first iters of the training", pause=1)
        during = _rate(client)
    finally:
        with suppress(Exception):  # a run that has failed already says why above
            client.predict(run, token, api_name="/train_stop")
    until(lambda: status()["status"] not in GOING_ON, "the end of the training", pause=1)
    return during / statistics.mean([before, _rate(client)])


def trains(status: Mapping[str, Any]) -> bool:
    """Whether a run, as /train_status tells of it, has made its first iters.

    Raises:
        MinrnnError: if it has ended.
    """
    if status["status"] not in GOING_ON:
        raise MinrnnError(f"the training that is measured is {status['status']}: {status['problem']}")
    return bool(status["iter"] >= 2)


def until(ready: Callable[[], bool], what: str, seconds: float = PATIENCE_S, pause: float = 0.005) -> None:
    """Wait until something is ready, for so long and no longer.

    Raises:
        MinrnnError: if it is not ready in time, and whatever `ready` raises.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise MinrnnError(f"{what} did not come within {seconds:g} s; start the app by hand to see why.")
        time.sleep(pause)


def _rate(client: Any) -> float:
    """Characters a second of all models together, from request to end."""
    started = time.perf_counter()
    written = client.predict("ROMEO:", max_new_tokens=1500, api_name="/generate")
    return sum(len(text["text"]) for text in written.values()) / (time.perf_counter() - started)


def _first_character(url: str) -> float:
    """Seconds from a request to the first snapshot in which every model has written something."""
    from gradio_client import Client  # comes with gradio; slow to import

    client = Client(url, verbose=False)
    started = time.perf_counter()
    job = client.submit("ROMEO:", max_new_tokens=50, api_name="/generate")
    until(lambda: all_wrote(job), "the first character of every model")
    return time.perf_counter() - started


def all_wrote(job: Any) -> bool:
    """Whether every model has written something, by the snapshots of a `gradio_client` job.

    Raises:
        MinrnnError: if the request has ended without it.
    """
    ended = job.done()  # asked first: what it wrote until then is in the snapshots
    if any(all(text["text"] for text in snapshot.values()) for snapshot in job.outputs()):
        return True
    if ended:
        raise MinrnnError(f"the request ended before every model had written ({job.exception()}).")
    return False
