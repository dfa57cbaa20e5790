"""Many readers at once: the real app on loopback, and clients that ask and listen as a script does.

python -m minrnn bench serve [--baseline FOLDER ...] [--json]

A baseline is a checkout of another commit, measured in the same run: absolute figures of a shared machine mean little.
Clients and app share the machine, so what the clients take is told too.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from minrnn import settings
from minrnn.bench.flags import Visitors
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.bench.running import App, commit, running
from minrnn.bench.visitor_requests import alone, arguments
from minrnn.bench.visitors import API, Response, generate, get, post
from minrnn.checked import Checked
from minrnn.checkpoint import BUNDLED
from minrnn.cores import usable

OF_BASELINE, FIRST_S, NOTICED_S, ANSWER_S = 8.0, 0.5, 2.0, 1.0
"""The goals."""
OF_CORES = 0.9
"""Both cores count as used from this share of them on, the clients' part included."""


@dataclass(frozen=True)
class Serve(Checked):
    """Measure how many readers this machine serves.

    Attributes:
        visitors: who ask at once.
        chars: characters that each wants of each model.
        baseline: checkouts of other commits, measured beside; the first is what the goal compares with.
        crowd: visitors of the second part, beside one who asks for 5,000 characters four times; 0 leaves it out.
        json: print one JSON object.
    """

    visitors: Visitors = 16
    chars: int = 300
    baseline: tuple[Path, ...] = ()
    crowd: int = 40
    json: bool = False


@dataclass(frozen=True)
class Served:
    """Visitors who asked at once.

    Attributes:
        commit: which app.
        visitors: how many.
        chars_per_s: characters of all visitors, from the first request to the last end.
        cores: cores that app and clients used.
        clients: the clients' part of that.
        first_median_s: seconds to a visitor's first character.
        first_p95_s: 95 % of the visitors had it by then.
        last_s: seconds until everybody had everything.
        told: visitors who were told a place in line.
        failed: visitors who got an error, or not all.
        equal: visitors whose every text is the one that its seed gives alone; None where that was not compared.
    """

    commit: str
    visitors: int
    chars_per_s: float
    cores: float
    clients: float
    first_median_s: float
    first_p95_s: float
    last_s: float
    told: int
    failed: int
    equal: int | None


@dataclass(frozen=True)
class Noticed:
    """How soon the app ends what nobody hears, and what it answers meanwhile.

    Attributes:
        left_s: seconds until the writing stops after all visitors have left.
        unheard_s: seconds until it stops after requests that nobody ever listened to.
        answer_s: slowest answer to a status request beside those.
        idle_mb: memory of the app before its first request, what processes share counted once.
        start_s: seconds from start to first page.
    """

    left_s: float
    unheard_s: float
    answer_s: float
    idle_mb: float
    start_s: float


@dataclass(frozen=True)
class Report:
    """Everything that was measured."""

    many: Served
    baselines: list[Served]
    crowd: Served | None
    noticed: Noticed

    @property
    def of_baseline(self) -> float | None:
        """Characters a second, as a multiple of the first baseline's."""
        return self.many.chars_per_s / self.baselines[0].chars_per_s if self.baselines else None

    def goals(self) -> dict[str, tuple[float, float, bool]]:
        """What was measured, its goal, and whether it is reached."""
        cores = usable()
        found = {
            "first character, median, s": (
                self.many.first_median_s,
                FIRST_S,
                self.many.first_median_s < FIRST_S,
            ),
            "cores in use": (self.many.cores, OF_CORES * cores, self.many.cores >= OF_CORES * cores),
            "visitors whose texts are their seeds'": _all(self.many.equal or 0, self.many.visitors),
            "a visitor who left is noticed, s": _below(self.noticed.left_s, NOTICED_S),
            "one who never listened is noticed, s": _below(self.noticed.unheard_s, NOTICED_S),
            "status is answered beside those, s": _below(self.noticed.answer_s, ANSWER_S),
        }
        if self.crowd:
            served = self.crowd.visitors - self.crowd.failed
            found["visitors of the crowd served"] = _all(served, self.crowd.visitors)
        if self.of_baseline is not None:
            ratio = self.of_baseline
            found = {"characters/s, of the baseline": (ratio, OF_BASELINE, ratio >= OF_BASELINE), **found}
        return found


def _all(found: int, of: int) -> tuple[float, float, bool]:
    return found, of, found == of


def _below(found: float, goal: float) -> tuple[float, float, bool]:
    return found, goal, found < goal


def figures(flags: Serve) -> dict[str, object]:
    """Everything as plain data."""
    report = _report(list(measure(flags)))
    goals = {
        name: {"found": found, "goal": goal, "ok": ok} for name, (found, goal, ok) in report.goals().items()
    }
    return {**_circumstances(flags), **asdict(report), "of_baseline": report.of_baseline, "goals": goals}


def lines(flags: Serve) -> Iterator[str]:
    """A report with tables, a row at a time."""
    yield line(_circumstances(flags))
    yield ""
    yield (
        "| app | visitors | characters/s | cores (clients') | first character, median / 95 %, s | all done, s "
        "| told a place | failed | texts equal |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    parts: list[Served | Noticed] = []
    for part in measure(flags):
        parts.append(part)
        if isinstance(part, Served):
            yield _row(part)
    report = _report(parts)
    yield ""
    yield f"Start {report.noticed.start_s:.1f} s, idle memory {report.noticed.idle_mb:,.0f} MB."
    yield ""
    yield "| | found | goal | |"
    yield "|---|---|---|---|"
    for name, (found, goal, ok) in report.goals().items():
        yield f"| {name} | {found:.2f} | {goal:g} | {verdict(ok)} |"


def _circumstances(flags: Serve) -> dict[str, object]:
    return circumstances(1, visitors=flags.visitors, chars=flags.chars, writers=settings.writers())


def _row(row: Served) -> str:
    return (
        f"| {row.commit} | {row.visitors} | {row.chars_per_s:,.0f} | {row.cores:.2f} ({row.clients:.2f}) "
        f"| {row.first_median_s:.2f} / {row.first_p95_s:.2f} | {row.last_s:.1f} | {row.told} | {row.failed} "
        f"| {'' if row.equal is None else row.equal} |"
    )


def measure(flags: Serve) -> Iterator[Served | Noticed]:
    """Measure the baselines, then this checkout's app: many, the crowd where one is asked for, what is noticed."""
    for folder in flags.baseline:
        with running(folder.resolve()) as app:
            asyncio.run(_ask(app.url, 1, 30))
            yield asyncio.run(_visit(app, commit(folder), flags.visitors, flags.chars))
    own = BUNDLED.parent
    wanted = alone(flags.chars, range(flags.visitors))
    with running(own) as app:
        idle = app.use().memory_mb
        asyncio.run(_ask(app.url, 1, 30))
        yield asyncio.run(_visit(app, commit(own), flags.visitors, flags.chars, wanted))
        if flags.crowd:
            yield asyncio.run(_crowd(app, commit(own), flags))
        left, unheard, answer = asyncio.run(_noticed(app))
        yield Noticed(left, unheard, answer, idle, app.start_s)


def _report(parts: Sequence[Served | Noticed]) -> Report:
    """The parts that `measure` yields, put together."""
    served = [part for part in parts if isinstance(part, Served)]
    many = next(row for row in served if row.equal is not None)
    crowd = served[-1] if served[-1] is not many else None
    noticed = next(part for part in parts if isinstance(part, Noticed))
    return Report(many, served[: served.index(many)], crowd, noticed)


async def _ask(url: str, visitors: int, chars: int, first_seed: int = 0) -> list[Response]:
    seeds = range(first_seed, first_seed + visitors)
    return await asyncio.gather(*[generate(url, arguments(chars, seed)) for seed in seeds])


async def _visit(
    app: App, name: str, visitors: int, chars: int, wanted: Mapping[int, Mapping[str, str]] | None = None
) -> Served:
    """Let visitors ask at once, listen to their ends, and compare the texts with those that are wanted."""
    cpu, own, began = app.cpu_s(), time.process_time(), time.perf_counter()
    responses = await _ask(app.url, visitors, chars)
    seconds = time.perf_counter() - began
    clients = (time.process_time() - own) / seconds
    cores = (app.cpu_s() - cpu) / seconds + clients
    equal = None if wanted is None else sum(one.texts == wanted[seed] for seed, one in enumerate(responses))
    return _served(name, responses, seconds, cores, clients, equal)


def _served(
    name: str, responses: Sequence[Response], seconds: float, cores: float, clients: float, equal: int | None
) -> Served:
    firsts = sorted(one.first_s for one in responses if one.first_s is not None) or [float("nan")]
    failed = sum(bool(one.problem) or set(one.reasons.values()) != {"length"} for one in responses)
    return Served(
        name, len(responses), sum(one.chars for one in responses) / seconds, cores, clients, statistics.median(firsts),
        firsts[min(len(firsts) - 1, int(0.95 * len(firsts)))], seconds, sum(bool(one.places) for one in responses),
        failed, equal,
    )  # fmt: skip


async def _crowd(app: App, name: str, flags: Serve) -> Served:
    """The crowd, beside one who asks for as much as possible, four times."""
    greedy = [
        asyncio.create_task(generate(app.url, arguments(settings.MAX_NEW_TOKENS, 9_000 + n)))
        for n in range(4)
    ]
    await asyncio.sleep(1)
    crowd = await _visit(app, f"{name}, beside 4 x 5,000", flags.crowd, flags.chars)
    for task in greedy:
        task.cancel()
    await asyncio.gather(*greedy, return_exceptions=True)
    return crowd


async def _noticed(app: App) -> tuple[float, float, float]:
    """Seconds until the app rests after visitors have left, and after some never listened; the slowest status."""
    await asyncio.sleep(2.5)
    long = settings.MAX_NEW_TOKENS
    await asyncio.gather(*[generate(app.url, arguments(long, n), leave_after_s=2) for n in range(8)])
    left = await _rests(app)
    for n in range(36):
        await post(app.url, f"{API}/generate", arguments(long, n))
    unheard, answer = await asyncio.gather(_rests(app), _status(app.url))
    return left, unheard, answer


async def _rests(app: App, seconds: float = 60.0) -> float:
    """Seconds until no process of the app works any more."""
    began, step = time.perf_counter(), 0.2
    while (now := time.perf_counter() - began) < seconds:
        before = app.cpu_s()
        await asyncio.sleep(step)
        if app.cpu_s() - before < 0.3 * step:
            return now
    return seconds


async def _status(url: str) -> float:
    """The slowest of some answers, of the page and of an endpoint."""
    slowest = 0.0
    for _ in range(5):
        began = time.perf_counter()
        await get(url, "/gradio_api/info")
        await post(url, "/gradio_api/run/models", {"data": []})
        slowest = max(slowest, time.perf_counter() - began)
        await asyncio.sleep(0.1)
    return slowest
