"""What a figure was measured with: every report begins with it."""

from __future__ import annotations

import numpy as np
import torch

from minrnn import device


def circumstances(threads: int, **flags: object) -> dict[str, object]:
    """How a measurement was asked for, and the machine and the versions it ran with.

    Args:
        threads: CPU threads of each measured process.
        flags: whatever else the figures depend on.
    """
    return {
        **flags,
        "threads": threads,
        "cpu": device.cpu_name(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def line(found: dict[str, object]) -> str:
    """Circumstances as the first line of a report."""
    return ", ".join(f"{name} {value}" for name, value in found.items())


def verdict(reached: bool | None) -> str:
    """What a table says beside a goal: ok or short; nothing where there is no goal."""
    return {None: "", True: "ok", False: "short"}[reached]
