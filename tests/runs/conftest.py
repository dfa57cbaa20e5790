from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from minrnn.runs.listing import Run
from minrnn.runs.queue import TrainingQueue


@pytest.fixture
def queue(runs_dir: Path) -> Iterator[TrainingQueue]:
    """A queue with a runs folder of its own; no worker outlives the test."""
    queue = TrainingQueue()
    yield queue
    queue.close()
    for child in queue._children.values():
        child.kill()
        child.wait()


@pytest.fixture
def see(queue: TrainingQueue) -> Callable[[str], Run]:
    return lambda name: queue.runs.find(name, "")
