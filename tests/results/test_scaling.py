"""The table of the documents holds the stored figures."""

from minrnn.bench.scaling import Scaling, StepCost
from minrnn.results.scaling import StoredScaling, section


def test_every_eightfold_length_has_its_time_and_memory_and_one_left_out_is_empty() -> None:
    whole = [StepCost(64 << n, 0.01 * 2**n, 1_000_000 * 2**n) for n in range(4)]
    text = section(
        StoredScaling("a machine", "2026-01-02", [Scaling("gru", whole), Scaling("lstm", whole[:2])])
    )
    assert "| model | 64 characters | 512 characters |" in text
    assert "| gru | 10 ms, 1 MB | 80 ms, 8 MB |" in text and "| lstm | 10 ms, 1 MB |  |" in text
    assert "Measured on 2026-01-02: a machine" in text
