"""How many cores there are for this program: a container often has fewer than its machine."""

from __future__ import annotations

import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Where Linux says how much of the processor a container gets."""


def usable(control_group: Path = CONTROL_GROUP) -> int:
    """Cores that this process may use: those it is bound to, as far as its container is given their time.

    Args:
        control_group: the folder that tells of the container's share.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = _time_given(control_group)
    return bound if given is None else max(1, min(bound, int(given)))


def _time_given(control_group: Path) -> float | None:
    """How many cores' time a container gets; None where it is not limited, or the system does not say."""
    one_file, quota, period = (
        _words(control_group / name) for name in ("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
    )
    try:
        time, of = one_file if one_file else (*quota, *period)
        return int(time) / int(of) if int(time) > 0 else None
    except (ValueError, ZeroDivisionError):  # "max", or another system's file
        return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []
