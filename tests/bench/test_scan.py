"""The scan is measured and reported; how fast is not asserted, for machines differ."""

import json
from dataclasses import replace

import pytest

from minrnn.bench import scan
from minrnn.cli import bench

ROW = scan.Row((1, 2, 3), 1.0, 0.5, 2.0, 4.0)


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(scan, "SHAPES", ((2, 5, 3), (1, 9, 4)))
    bench.main(["scan", "--json", "--rounds", "1"])
    found = json.loads(capsys.readouterr().out)
    assert {"cpu", "torch", "dtype", "threads", "rounds"} <= set(found)
    assert [row["shape"] for row in found["shapes"]] == [[2, 5, 3], [1, 9, 4]]
    assert all(
        min(row["ms"], row["of_copy"], row["of_loop"], row["of_logspace"]) > 0 for row in found["shapes"]
    )


def test_ok_or_short_stands_beside_each_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "rows", lambda flags: iter([ROW, replace(ROW, of_loop=0.9, of_logspace=2.0)]))
    *_, first, second = scan.lines(scan.Scan())
    assert "1: ok" in first and "3: ok" in first and "1: short" in second and "3: short" in second
