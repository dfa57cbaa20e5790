"""Cores as a container's control group and the process's binding say."""

import os
from pathlib import Path

import pytest

from minrnn import cores


@pytest.fixture(autouse=True)
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


SAID = {
    "200000 100000": 2, "max 100000": 16, "50000 100000": 1, "250000 100000": 2, "9900000 100000": 16,
    "": 16, "nonsense": 16, "1 0": 16, "1 2 3": 16, "\xff": 16,
}  # fmt: skip


@pytest.mark.parametrize(("said", "usable"), SAID.items())
def test_a_container_gets_no_more_than_its_share_of_time(said: str, usable: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(said, encoding="latin-1")
    assert cores.usable(tmp_path) == usable


@pytest.mark.parametrize(("quota", "usable"), [("200000", 2), ("-1", 16), ("0", 16)])
def test_the_older_control_groups_say_it_in_two_files(quota: str, usable: int, tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cores.usable(tmp_path) == usable


def test_a_process_is_bound_to_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cores.usable(tmp_path) == 16
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.usable(tmp_path) == 1
