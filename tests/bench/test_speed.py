"""The benchmarks run, report and end; how fast is not asserted, for machines differ."""

import subprocess
import sys
import time
from concurrent.futures import Future
from typing import Any

import pytest

from minrnn.bench import speed
from minrnn.config import ModelConfig
from minrnn.errors import MinrnnError
from minrnn.models import MODEL_NAMES, LanguageModel


class Job(Future[None]):
    """A request with the snapshots that came of it so far, as `gradio_client` has it."""

    def __init__(self, *snapshots: dict[str, str]) -> None:
        super().__init__()
        self.snapshots = snapshots

    def outputs(self) -> list[dict[str, dict[str, str]]]:
        return [{name: {"text": text} for name, text in shot.items()} for shot in self.snapshots]


def test_decoding_is_measured_for_every_model() -> None:
    models = {n: LanguageModel(ModelConfig(n, "\nab", n_layer=1, n_embd=16)).eval() for n in MODEL_NAMES}
    rates = speed.decode_rates(models, tokens=20)
    assert set(rates) == set(models) and min(rates.values()) > 0


def test_the_scan_is_measured_beside_the_loop_and_the_log_space_form() -> None:
    assert min(speed.scan_times((2, 5, 3))) > 0


@pytest.mark.parametrize("status", ["failed", "killed", "stopped", "finished"])
def test_a_training_that_ends_is_not_waited_for(status: str) -> None:
    told: dict[str, Any] = {"iter": 0, "status": status, "problem": "the disk is full"}
    with pytest.raises(MinrnnError, match=f"is {status}: the disk is full"):
        speed.until(lambda: speed.trains(told), "its first iters", 60)


def test_a_training_is_measured_from_its_second_iter_on() -> None:
    told = [
        {"iter": n, "status": s, "problem": ""} for n, s in ((0, "waiting"), (1, "running"), (2, "running"))
    ]
    assert [speed.trains(status) for status in told] == [False, False, True]


def test_what_never_comes_is_waited_for_only_so_long() -> None:
    with pytest.raises(MinrnnError, match=r"a miracle did not come within 0.05 s"):
        speed.until(lambda: False, "a miracle", 0.05)


def test_an_app_that_ends_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        began = time.monotonic()
        with pytest.raises(MinrnnError, match="the app ended with exit status 3"):
            speed.until(lambda: speed._answers("http://127.0.0.1:9", process), "the app")
    assert time.monotonic() - began < speed.APP_SECONDS / 2


def test_a_request_that_fails_is_not_waited_for() -> None:
    job = Job({"a": "x", "b": ""})
    assert not speed.all_wrote(job)
    job.set_exception(ValueError("no such model"))
    with pytest.raises(MinrnnError, match="the request ended before every model had written.*no such model"):
        speed.all_wrote(job)


def test_a_request_that_has_ended_well_counts() -> None:
    job = Job({"a": "", "b": ""}, {"a": "x", "b": "y"})
    job.set_result(None)
    assert speed.all_wrote(job)
