"""The GPU's bench, in tiny sizes on the CPU: the kernels in Triton's interpreter, a fake graph for the real one."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # read when triton is imported
pytest.importorskip("triton", reason="the package triton is not installed")

from minrnn import scan
from minrnn.bench import gpu, gpu_checks, gpu_scan, gpu_training
from minrnn.bench.gpu_plan import Plan, Row
from minrnn.cli import bench
from minrnn.cli.main import main
from minrnn.errors import BackendUnavailable
from tests.models.fake_graph import FakeGraph

TINY = Plan(
    torch.device("cpu"), lengths=(3,), channels=(4,), shapes=(((1, 2, 4), 0.75),), rounds=1, preset="tiny", iters=3,
    compiled=(), chars=2, trains_to_goal=False, graph=FakeGraph,
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION:UserWarning")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    for module in (gpu_checks, gpu_training):
        monkeypatch.setattr(module, "MODEL_NAMES", ("mingru", "nanogpt"))
    monkeypatch.setattr(gpu_scan, "BLOCKS", (2,))
    monkeypatch.setattr(gpu_scan, "PROGRAMS", (16,))
    return monkeypatch


def test_every_form_is_checked_in_both_dtypes_by_both_backends(small: pytest.MonkeyPatch) -> None:
    few = {name: gpu_checks.FORMS[name] for name in ("linear", "signed minLSTM")}
    small.setattr(gpu_checks, "FORMS", few)
    found = list(gpu_checks.scans(TINY))
    assert len(found) == 2 * len(few) * 2 * 2
    assert [row.what for row in found if not row.ok] == []


def test_a_scan_that_is_wrong_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    right = gpu_checks.FORMS["linear"]
    wrong = replace(right, scan=lambda a, b, h0, backend: right.scan(a, b, h0 * 1.01, backend=backend))
    nothing = replace(right, scan=lambda a, b, h0, backend: right.scan(a, b, h0) * torch.nan)
    for form in (wrong, nothing):
        monkeypatch.setitem(gpu_checks.FORMS, "linear", form)
        rows = list(gpu_checks._errors(TINY, "linear", "passes", torch.float32))
        assert [row.ok for row in rows] == [False, False]


def test_the_models_are_checked_trained_and_write() -> None:
    waits, *graphs = [*gpu_checks.waits(TINY), *gpu_checks.graphs(TINY)]
    assert waits.ok and [row.ok for row in graphs] == [True, None]
    assert all(row.found for row in gpu_training.rates(TINY))
    written = [row.what for row in gpu_training.decoding(TINY)]
    assert "tiny mingru: writing by a graph" in written and "tiny nanogpt: writing by a graph" not in written


def test_scans_are_measured_beside_a_copy_and_the_settings_are_restored() -> None:
    found = list(gpu_scan.bandwidth(TINY))
    assert len(found) == 2 * len(gpu_scan.MEASURED) and all(row.found and row.goal == 0.75 for row in found)
    before = (gpu_scan.triton().BLOCK, gpu_scan.triton().PROGRAMS)
    (row,) = gpu_scan.settings(TINY)
    assert row.found and before == (gpu_scan.triton().BLOCK, gpu_scan.triton().PROGRAMS)


def test_the_bytes_of_a_scan_are_those_that_it_must_read_and_write() -> None:
    shape = (1, 2, 4)
    runs = gpu_scan._runs(shape, "MINGRU", 2, torch.bfloat16, TINY.device)
    assert runs["forward"][1] == 8 * (2 + 2 + 4)  # gate, candidate; h
    assert runs["backward"][1] == 8 * (2 + 2 + 4 + 4 + 2 + 2)  # gate, candidate, h, dL/dh; two gradients


def test_another_scan_is_measured_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_scan, "_peer", lambda name: None)
    (row,) = gpu_scan.peers(TINY)
    assert row.found is None and "requirements-bench.txt" in row.note
    shapes = []

    def theirs(gates: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(gates.shape))
        return scan.linear_scan(gates.mT, tokens.mT).mT

    monkeypatch.setattr(gpu_scan, "_peer", lambda name: theirs if name.endswith("warp") else None)
    (row,) = gpu_scan.peers(TINY)
    assert row.found and row.goal == 1.3 and set(shapes) == {(1, 4, 2)}


def test_a_part_that_fails_is_told_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(plan: Plan) -> Iterator[Row]:
        yield Row("one", 1.0, "x", 2.0)
        raise RuntimeError("no kernel\nand much more")

    parts = {"broken": broken, "whole": lambda plan: iter([Row("two", 1.0, "x", 2.0, at_most=True)])}
    monkeypatch.setattr(gpu, "PARTS", parts)
    one, failed, two, _ = gpu.rows(TINY, 100)
    assert (one.ok, failed.ok, two.ok) == (False, False, True) and "no kernel" in failed.note
    late = list(gpu.rows(TINY, -1))
    assert [row.found for row in late[:-1]] == [None, None] and "left out" in late[0].note


def test_the_report_says_ok_or_short_and_json_is_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        Row("slow", 0.5, "of copy", 0.75),
        Row("right", 1e-6, "error", 1e-4, at_most=True),
        Row("told", 5.0),
    ]
    monkeypatch.setattr(gpu, "PARTS", {"all": lambda plan: iter(rows)})
    monkeypatch.setattr(gpu, "planned", lambda: TINY)
    bench.main(["gpu"])
    table = capsys.readouterr().out.splitlines()[4:7]
    assert "≥ 0.75 | short" in table[0] and "≤ 0.0001 | ok" in table[1] and "|  |  |" in table[2]
    bench.main(["gpu", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [row["ok"] for row in found["rows"][:3]] == [False, True, None] and {
        "device",
        "torch",
        "triton",
    } <= set(found)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_one_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BackendUnavailable):
        gpu.planned()
    with pytest.raises(SystemExit) as ended:
        main(["bench", "gpu"])
    said = capsys.readouterr().err.strip()
    assert (
        ended.value.code == 1 and said.startswith("error: bench gpu needs an NVIDIA GPU") and "\n" not in said
    )


@pytest.mark.parametrize(("found", "ok"), [(0.5, True), (2.0, False), (float("nan"), False), (None, None)])
def test_a_figure_that_is_no_number_reaches_no_goal(found: float | None, ok: bool | None) -> None:
    assert Row("x", found, "", 1.0, at_most=True).ok is ok
