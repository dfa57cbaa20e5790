"""A GPU checked and measured by one command, in less than eight minutes on an H100.

python -m minrnn bench gpu [--json]

First what a GPU computes is compared with what it ought to be: the scans with their definition in float64, an iter
with one that never waits, a graph's characters with `forward`'s. Then speed is measured beside what the card can do:
a scan beside a copy of as many bytes. A row says what was found, what was wanted, and `ok` or `short`; a row without
a goal only says what was found. What fails is told in its row, and the rest goes on.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from minrnn import device as devices
from minrnn.bench import gpu_checks, gpu_scan, gpu_training, machine
from minrnn.bench.gpu_plan import Plan, Row
from minrnn.errors import BackendUnavailable

PARTS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "scans": gpu_checks.scans,
    "waits": gpu_checks.waits,
    "graphs": gpu_checks.graphs,
    "bandwidth": gpu_scan.bandwidth,
    "goal": gpu_training.goal,
    "training": gpu_training.rates,
    "decoding": gpu_training.decoding,
    "peers": gpu_scan.peers,
    "settings": gpu_scan.settings,
}
"""In the order of what matters most, for the time is limited."""


@dataclass(frozen=True)
class GpuFlags:
    """Check and measure this machine's GPU.

    Attributes:
        json: print one JSON object.
        seconds: after this long no further part begins.
    """

    json: bool = False
    seconds: float = 420.0


def planned() -> Plan:
    """The full plan, for this machine's GPU.

    Raises:
        BackendUnavailable: if there is none, or Triton is not installed.
    """
    if not torch.cuda.is_available():
        raise BackendUnavailable(
            "bench gpu needs an NVIDIA GPU and a torch that was built for CUDA, and this machine has none that "
            f"torch {torch.__version__} can use; `bench` measures the CPU."
        )
    if importlib.util.find_spec("triton") is None:
        raise BackendUnavailable("bench gpu needs the package triton; install it.")
    return Plan(torch.device("cuda"))


def rows(plan: Plan, limit: float) -> Iterator[Row]:
    """Everything that is found, part by part. A part that fails becomes one row."""
    started = time.perf_counter()
    for name, part in PARTS.items():
        if time.perf_counter() - started > limit:
            yield Row(name, None, note=f"left out: {limit:g} s were over before it could begin")
            continue
        try:
            yield from part(plan)
        except Exception as error:  # nobody should lose the other figures to it
            reason = str(error).strip().split("\n")[0]
            yield Row(name, None, note=f"failed with {type(error).__name__}: {reason}", failed=True)
    yield Row("time of all this", time.perf_counter() - started, "s", 480.0, at_most=True)


def circumstances(device: torch.device) -> dict[str, object]:
    """What the figures were measured with."""
    return {
        **machine.circumstances(torch.get_num_threads()),
        "device": devices.describe(device),
        "compute": devices.choose(device.type).reason,
        "cuda": torch.version.cuda,
        "triton": _version("triton"),
        "accelerated_scan": _version("accelerated-scan"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def figures(plan: Plan, limit: float) -> dict[str, object]:
    """Everything as plain data."""
    found = [{**asdict(row), "ok": row.ok} for row in rows(plan, limit)]
    return {**circumstances(plan.device), "rows": found}


def lines(plan: Plan, limit: float) -> Iterator[str]:
    """A report with a table, a row at a time."""
    yield machine.line(circumstances(plan.device))
    yield ""
    yield "| what | found | goal | | more |"
    yield "|---|---:|---:|---|---|"
    for row in rows(plan, limit):
        wanted = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {_figure(row.goal)}"
        found = "not measured" if row.found is None else f"{_figure(row.found)} {row.unit}".strip()
        yield f"| {row.what} | {found} | {wanted} | {machine.verdict(row.ok)} | {row.note} |"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
