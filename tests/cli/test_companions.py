"""`train --processes N`: real processes, which end with the first one, however it ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minrnn.cli import companions, train
from minrnn.errors import ConfigError
from minrnn.runs.events import METRICS
from tests.runs.helpers import losses, made, until

SMALL = ["--preset", "tiny", "--device", "cpu", "--n-embd", "16", "--n-layer", "1", "--block-size", "32"]
SMALL += ["--eval-chars", "500", "--sample-interval", "0", "--score-chars", "500", "--batch-size", "4"]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "sheep.txt"
    path.write_text("".join(f"{n} sheep, {4 * n} legs.\n" for n in range(200)), encoding="utf-8")
    return str(path)


def begun(out: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "minrnn", "train", *SMALL, *words, "--processes", "2", "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("words", "count"),
    [([], 1), (["--processes", "2"], 2), (["--out", "x", "--processes=64"], 64), (["--processes"], 1)],
)
def test_the_number_is_found_among_other_flags(words: list[str], count: int) -> None:
    assert companions.asked_for(words) == count


@pytest.mark.parametrize("processes", [[], ["--processes", "2"], ["--processes=2"]])
def test_a_folder_is_trained_by_any_number_and_takes_no_other_flag(
    processes: list[str], tmp_path: Path
) -> None:
    made(tmp_path)
    assert train.prepared(["--run", str(tmp_path), *processes]) == tmp_path
    assert train.prepared([*processes, f"--run={tmp_path}"]) == tmp_path
    for more in (["--seed", "3"], ["--resume"], ["--help"], ["more"], ["--run", "other"]):
        with pytest.raises(ConfigError, match="--run takes everything from the folder"):
            train.prepared(["--run", str(tmp_path), *processes, *more])


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "", "65", "9" * 5000, "²"])
def test_another_value_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="whole number from 1 to 64") as caught:
        companions.asked_for(["--processes", value])
    assert len(str(caught.value)) < 200


def test_torchruns_own_processes_start_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    with (
        pytest.raises(ConfigError, match="leave out --processes 2"),
        companions.started(["--processes", "2"]),
    ):
        pass


def test_every_process_knows_how_many_are_on_its_machine() -> None:
    assert companions._environment(3).items() >= {("WORLD_SIZE", "3"), ("LOCAL_WORLD_SIZE", "3")}


@pytest.mark.skipif(not Path("/proc").exists(), reason="children are counted in /proc")
def test_two_processes_train_and_are_gone_at_the_end(text: str, tmp_path: Path) -> None:
    with begun(tmp_path / "run", "--corpus", text, "--max-iters", "5") as process:
        until(lambda: process.poll() is not None or len(children(process.pid)) == 1)
        (child,) = children(process.pid)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert len(losses(tmp_path / "run")) == 5 and not is_there(child)
    assert "2 processes of" in (tmp_path / "run" / "model" / "metrics.json").read_text()


@pytest.mark.skipif(not Path("/proc").exists(), reason="children are counted in /proc")
def test_when_the_first_is_killed_the_other_ends_and_the_run_goes_on_later(text: str, tmp_path: Path) -> None:
    out, endless = tmp_path / "run", ("--max-iters", "1000000", "--eval-interval", "0")
    with begun(out, "--corpus", text, *endless) as process:
        until(lambda: process.poll() is not None or ((out / METRICS).exists() and len(losses(out)) > 3))
        (child,) = children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        until(lambda: not is_there(child))
    with begun(out, "--corpus", text, "--resume", "--max-iters", "1") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


@pytest.mark.skipif(not Path("/proc").exists(), reason="children are counted in /proc")
@pytest.mark.parametrize(
    ("words", "told"),
    [(("--model", "rnn"), "has no model 'rnn'"), (("--batch-size", "3"), "cannot be split among 2")],
)
def test_an_error_is_one_line_and_nobody_stays(
    words: tuple[str, ...], told: str, text: str, tmp_path: Path
) -> None:
    with begun(tmp_path / "run", "--corpus", text, *words) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.count("error:") == 1 and told in said and "Traceback" not in said
