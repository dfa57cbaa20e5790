"""The ranges of the flags that several parts have."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

Rounds = Annotated[int, Interval(ge=1, le=10_000)]
Threads = Annotated[int, Interval(ge=1, le=1_024)]
Visitors = Annotated[int, Interval(ge=1, le=10_000)]
