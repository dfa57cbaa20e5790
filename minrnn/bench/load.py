"""Readers who come, write, stop, leave and come back, for a while; and, with --soak, everything else beside them.

python -m minrnn bench load [--seconds 60] [--visitors 32] [--json]
python -m minrnn bench load --soak --seconds 600

Nothing may fail, get stuck or grow; each text must be the one that its seed gives, as far as it was written; and what
is not a generation (status, Stop, drawing the cards again) must be answered within a second.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from minrnn import settings
from minrnn.bench.flags import Visitors
from minrnn.bench.load_result import LoadResult
from minrnn.bench.machine import circumstances, line, verdict
from minrnn.bench.page import FINISH_LINE, Page, config
from minrnn.bench.running import App, running
from minrnn.bench.visitor_requests import PROMPT, alone, arguments, names
from minrnn.bench.visitors import API, Response, events, generate, get, post
from minrnn.checked import Checked
from minrnn.checkpoint import BUNDLED

SEEDS, CHARS = 4, 300
STUCK_S = 60.0
"""Seconds after which a stream counts as stuck."""


@dataclass(frozen=True)
class Load(Checked):
    """Put the app under load.

    Attributes:
        visitors: readers at once.
        seconds: for how long.
        soak: read with Inside, load pages and train beside them.
        json: print one JSON object.
    """

    visitors: Visitors = 32
    seconds: float = 60.0
    soak: bool = False
    json: bool = False


def figures(flags: Load) -> dict[str, object]:
    """Everything as plain data."""
    result = measure(flags)
    goals = {name: {"found": f, "goal": g, "ok": ok} for name, (f, g, ok) in result.goals().items()}
    return {**_circumstances(flags), **asdict(result), "growth": result.growth(), "goals": goals}


def lines(flags: Load) -> Iterator[str]:
    """A report with tables."""
    yield line(_circumstances(flags))
    yield ""
    result = measure(flags)
    yield f"{flags.visitors} visitors for {flags.seconds:g} s; " + ", ".join(
        f"{name} {count}" for name, count in sorted(result.done.items())
    )
    first = statistics.median(result.firsts or [0])
    yield f"Told a place in line: {result.waited}. First character: median {first:.2f} s."
    for problem, count in result.problems.items():
        yield f"{count} times: {problem}"
    yield ""
    yield "| second | memory, MB | threads | handles | processes | training, MB |"
    yield "|---|---|---|---|---|---|"
    for at, use in [
        result.uses[0],
        *result.uses[len(result.uses) // 4 :: max(1, len(result.uses) // 4)],
        result.uses[-1],
    ]:
        yield (
            f"| {at:.0f} | {use.memory_mb:,.0f} | {use.threads} | {use.handles} | {use.processes} "
            f"| {use.training_mb:,.0f} |"
        )
    yield ""
    yield "| | found | goal | |"
    yield "|---|---|---|---|"
    for name, (found, goal, ok) in result.goals().items():
        yield f"| {name} | {found:.2f} | {goal:g} | {verdict(ok)} |"


def _circumstances(flags: Load) -> dict[str, object]:
    return circumstances(1, visitors=flags.visitors, seconds=flags.seconds, writers=settings.writers())


def measure(flags: Load) -> LoadResult:
    """Start the app and put it under load."""
    pages = alone(CHARS, range(SEEDS), FINISH_LINE)  # which go on to the end of a line
    scripts = {seed: {key: text[:CHARS] for key, text in texts.items()} for seed, texts in pages.items()}
    with running(BUNDLED.parent) as app:
        return asyncio.run(_load(app, flags, scripts, pages))


Texts = Mapping[int, Mapping[str, str]]


class _Load:
    """One run of the load: what all its visitors share."""

    def __init__(self, app: App, scripts: Texts, pages: Texts, seconds: float) -> None:
        self.app, self.scripts, self.pages = app, scripts, pages
        self.result, self.began, self.seconds = LoadResult(), time.monotonic(), seconds
        self.config: Mapping[str, Any] = {}

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    @property
    def over(self) -> bool:
        return self.now >= self.seconds

    def note(self, did: str, response: Response, wanted: Mapping[str, str], whole: bool) -> None:
        """Compare a visitor's texts with what the seed gives."""
        result = self.result
        result.done[did] += 1
        result.waited += bool(response.places)
        if response.first_s is not None:
            result.firsts.append(response.first_s)
        if response.problem:
            result.problems[f"{did}: {response.problem}"] += 1
            return
        result.wrong += not all(wanted[key].startswith(text) for key, text in response.texts.items())
        if whole and response.texts != wanted:
            result.problems[f"{did}: not everything was written: {response.reasons}"] += 1

    async def timed(self, name: str, asking: Callable[[], Any]) -> None:
        """Note how long a small request takes."""
        began = time.perf_counter()
        try:
            await asking()
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            self.result.problems[f"{name}: {error}"] += 1
        taken = time.perf_counter() - began
        self.result.answered(name, taken)


async def _load(app: App, flags: Load, scripts: Texts, pages: Texts) -> LoadResult:
    load = _Load(app, scripts, pages, flags.seconds)
    load.config = await config(app.url)
    await generate(
        app.url, arguments(1, 0)
    )  # the first request makes Gradio describe its API, which takes a while
    load.began = time.monotonic()
    beside = [_watch(load), _ask_status(load)]
    if flags.soak:
        beside += [_read(load), _open_pages(load), _train(load)]
    await asyncio.gather(*beside, *[_visitor(load, number) for number in range(flags.visitors)])
    return load.result


async def _visitor(load: _Load, number: int) -> None:
    """One reader, who does something else each time."""
    chance = random.Random(number)
    while not load.over:
        seed = chance.randrange(SEEDS)
        did = chance.choice(["writes on the page", "stops", "leaves", "asks by script", "never listens"])
        try:
            async with asyncio.timeout(STUCK_S):
                await _one(load, did, seed, chance.uniform(0.1, 2.0))
        except TimeoutError:
            load.result.stuck += 1
        await asyncio.sleep(chance.uniform(0, 0.5))


async def _one(load: _Load, did: str, seed: int, after_s: float) -> None:
    page, url = Page(load.app.url, load.config), load.app.url
    if did == "writes on the page":
        load.note(did, await page.write(PROMPT, CHARS, seed), load.pages[seed], True)
        await load.timed("redraw", page.redraw)
    elif did == "stops":
        asking = asyncio.create_task(page.write(PROMPT, CHARS, seed))
        await asyncio.wait([asking], timeout=after_s)
        await load.timed("Stop", page.stop)
        began = time.perf_counter()
        load.note(did, await asking, load.pages[seed], False)
        ended = time.perf_counter() - began
        load.result.answered("a stopped text", ended)
    elif did == "leaves":
        response = await page.write(PROMPT, CHARS, seed, leave_after_s=after_s)
        load.note(did, response, load.pages[seed], False)
    elif did == "asks by script":
        load.note(did, await generate(url, arguments(CHARS, seed)), load.scripts[seed], True)
    else:
        await post(url, f"{API}/generate", arguments(CHARS, seed))
        load.result.done[did] += 1


async def _watch(load: _Load) -> None:
    """Look at what the app takes, each second."""
    while not load.over:
        load.result.uses.append((load.now, await asyncio.to_thread(load.app.use)))
        await asyncio.sleep(1)


async def _ask_status(load: _Load) -> None:
    while not load.over:
        await load.timed("status", lambda: post(load.app.url, "/gradio_api/run/models", {"data": []}))
        await asyncio.sleep(0.5)


async def _read(load: _Load) -> None:
    """Read a text with Inside, again and again."""
    text = next(iter(load.scripts[0].values()))
    while not load.over:
        await _call(load, "read", {"text": text, "models": ",".join(names())})
        await asyncio.sleep(2)


async def _open_pages(load: _Load) -> None:
    while not load.over:
        with suppress(ValueError):
            await get(load.app.url, "/")
            load.result.done["opens the page"] += 1
        await asyncio.sleep(1)


async def _train(load: _Load) -> None:
    """Train small models, one after another."""
    while not load.over:
        seconds = min(20.0, max(5.0, load.seconds / 10))
        asked = {
            "models": names()[0],
            "preset": "tiny",
            "corpus": "python",
            "max_iters": 0,
            "max_seconds": seconds,
        }
        started = await _call(load, "train_start", asked)
        if not started:
            return
        run, token = started["runs"][0], started["token"]
        status: dict[str, Any] = {"status": "waiting"}
        while status and status["status"] in ("waiting", "running") and not load.over:
            await asyncio.sleep(1)
            status = await _call(load, "train_status", {"run": run, "token": token})
        if load.over:
            await _call(load, "train_stop", {"run": run, "token": token})


async def _call(load: _Load, name: str, given: Mapping[str, Any]) -> Any:
    """What an endpoint answers; None where it answers with an error."""
    try:
        event = await post(load.app.url, f"{API}/{name}", given)
        async for kind, data in events(load.app.url, f"{API}/{name}/{event['event_id']}"):
            if kind == "complete":
                load.result.done[name] += 1
                return data[0]
            if kind == "error":
                load.result.problems[f"{name}: {data}"] += 1
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        load.result.problems[f"{name}: {error}"] += 1
    return None
