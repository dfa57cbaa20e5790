"""The other processes of a run that several train: they compute, and write nothing."""

from __future__ import annotations

from collections.abc import Callable

from minrnn import train
from minrnn.models import LanguageModel
from minrnn.ranks import Ranks
from minrnn.runs import teachers


def follow(ranks: Ranks, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Train along with rank 0, which holds the run's folder, until the run ends.

    Raises:
        TrainingError: whatever the training raises, or if rank 0 ends before the run does.
    """
    spec, source, saved = ranks.receive()
    state = train.begin(LanguageModel(spec.model), spec.train)
    state.load_state_dict(saved)
    lesson = teachers.received(spec, source, ranks)
    for _ in train.train(state, source, spec.train, should_stop=should_stop, ranks=ranks, lesson=lesson):
        pass
