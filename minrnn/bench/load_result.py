"""What an app under load did, and the goals."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field

from minrnn.bench.running import Use

WARM_S = 10.0
"""Seconds after which nothing may grow any more."""
OF_THE_APP = ("memory_mb", "threads", "handles")
"""What may not grow; a training worker takes what its model needs."""
ANSWER_S, GROWTH = 1.0, 1.05
"""The goals: the slowest answer, and the largest growth."""


@dataclass
class LoadResult:
    """What the app did.

    Attributes:
        done: requests that ended, by what the visitor did.
        waited: visits that waited in line, and were told their place.
        problems: errors, and how often each came.
        wrong: texts that are not what their seed gives.
        stuck: requests that did not end.
        answers: the slowest answer to each kind of small request, in seconds.
        quickest: the quickest one.
        firsts: seconds to the first characters.
        uses: moments and what the app took of the machine.
    """

    done: Counter[str] = field(default_factory=Counter)
    waited: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    stuck: int = 0
    answers: dict[str, float] = field(default_factory=dict)
    quickest: dict[str, float] = field(default_factory=dict)
    firsts: list[float] = field(default_factory=list)
    uses: list[tuple[float, Use]] = field(default_factory=list)

    def answered(self, name: str, seconds: float) -> None:
        """Note how long a small request took."""
        self.answers[name] = max(self.answers.get(name, seconds), seconds)
        self.quickest[name] = min(self.quickest.get(name, seconds), seconds)

    def growth(self) -> dict[str, float]:
        """Memory, threads and handles at the end, as multiples of what they were after the first ten seconds.

        The memory of the training workers is among them where some trained then.
        """
        ends = self.uses[-1][0]
        window = min(WARM_S, max(1.0, (ends - WARM_S) / 2))
        first = [use for at, use in self.uses if WARM_S <= at < WARM_S + window] or [self.uses[0][1]]
        last = [use for at, use in self.uses if at > ends - window]
        names = [*OF_THE_APP, *(["training_mb"] if _mean(first, "training_mb") else [])]
        return {name: _mean(last, name) / _mean(first, name) for name in names}

    def goals(self, grows: bool = True) -> dict[str, tuple[float, float, bool]]:
        """What was found, its goal, and whether it is reached."""
        found = {
            "errors": sum(self.problems.values()), "texts that are not their seed's": self.wrong,
            "stuck": self.stuck,
        }  # fmt: skip
        goals = {name: (float(count), 0.0, count == 0) for name, count in found.items()}
        for name, seconds in self.answers.items():
            goals[f"slowest answer of {name}, s"] = seconds, ANSWER_S, seconds < ANSWER_S
        if grows:
            growth = self.growth()
            for name, ratio in ((name, growth[name]) for name in OF_THE_APP):
                goals[f"{name}, end / after {WARM_S:g} s"] = ratio, GROWTH, ratio <= GROWTH
        return goals


def _mean(uses: list[Use], name: str) -> float:
    return statistics.fmean(getattr(use, name) for use in uses)
