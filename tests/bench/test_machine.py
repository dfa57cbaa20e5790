"""Every report says what its figures were measured with."""

import pytest
import torch

from minrnn import device
from minrnn.bench import load, serve, start
from minrnn.bench.load_result import LoadResult
from minrnn.bench.machine import circumstances, line
from minrnn.bench.running import Use


def test_processor_threads_and_versions_stand_beside_the_flags() -> None:
    found = circumstances(2, rounds=3)
    assert found["cpu"] == device.cpu_name() and found["torch"] == torch.__version__
    assert line(found).startswith("rounds 3, threads 2, cpu ")


def test_measurements_of_the_app_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "measure", lambda flags: iter(()))
    monkeypatch.setattr(load, "measure", lambda flags: LoadResult(uses=[(0.0, Use(1, 1, 1, 1))]))
    monkeypatch.setattr(serve, "measure", lambda flags: iter(()))
    reports = (start.lines(start.StartFlags()), load.lines(load.Load()), serve.lines(serve.Serve()))
    for first in map(next, reports):
        assert f"cpu {device.cpu_name()}, torch {torch.__version__}" in first
    assert {"cpu", "torch", "threads"} <= set(start.figures(start.StartFlags())) & set(
        load.figures(load.Load())
    )
