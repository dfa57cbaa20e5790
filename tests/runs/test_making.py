import dataclasses
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from minrnn import train
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.runs import folder, listing, making
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.spec import OWN_TEXT
from tests.runs.helpers import SHEEP, micro, request


def test_a_readers_text_is_stored_once_a_job(runs_dir: Path) -> None:
    names = TrainingQueue().start(request(["mingru", "lstm", "gru"]))
    texts = [(runs_dir / name / OWN_TEXT).stat() for name in names]
    assert len({status.st_ino for status in texts}) == 1 and texts[0].st_nlink == 3


def test_a_run_whose_text_is_shared_trains_where_it_is_moved_and_the_others_are_deleted(
    runs_dir: Path, tmp_path: Path
) -> None:
    first, second = TrainingQueue().start(request(["mingru", "lstm"]))
    shutil.move(runs_dir / second, tmp_path / "elsewhere")
    TrainingQueue().delete(first)
    assert list(folder.execute(tmp_path / "elsewhere"))[-1] == train.Done(4, "max_iters")


KILLED = """
    import os, signal, sys
    from minrnn.runs import process
    from minrnn.runs.queue import TrainingQueue
    from tests.runs.helpers import request
    first = process.queue
    def second(out):
        process.queue = lambda out: os.kill(os.getpid(), signal.SIGKILL)
        first(out)
    process.queue = second
    TrainingQueue().start(request(["mingru", "lstm"]))
"""


def test_an_app_killed_while_it_makes_a_job_leaves_no_half_of_it(runs_dir: Path) -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(runs_dir.glob(".new-*"))) == 2 and TrainingQueue().runs.every() == []
    (name,) = TrainingQueue().start(request())
    assert sorted(path.name for path in runs_dir.iterdir()) == [".asking", name]


KILLED_LATE = """
    import os, signal
    from pathlib import Path
    from minrnn.runs.queue import TrainingQueue
    from tests.runs.helpers import request
    rename, renamed = Path.rename, []
    def killed(self, target):
        if renamed:
            os.kill(os.getpid(), signal.SIGKILL)
        renamed.append(target)
        return rename(self, target)
    Path.rename = killed
    TrainingQueue().start(request(["mingru", "lstm", "gru"]))
"""


@pytest.mark.parametrize("next_act", ["step", "start"])
def test_a_job_whose_app_is_killed_while_its_folders_get_their_names_is_finished_whole(
    next_act: str, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED_LATE)], check=False)
    assert done.returncode == -signal.SIGKILL
    queue = TrainingQueue()
    (first,) = queue.runs.every()
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")  # the queue starts no worker there
    queue.step() if next_act == "step" else queue.start(request(text=SHEEP * 2))
    job = [run for run in queue.runs.every() if run.asked == first.asked]
    assert [run.title for run in job] == ["minGRU tiny, own", "LSTM tiny, own", "GRU tiny, own"]
    assert {run.status for run in job} == {"waiting"} and [run.order for run in job] == [0, 1, 2]
    assert not [path for mark in (".new-", ".made-") for path in runs_dir.glob(f"{mark}*")]


def test_a_job_that_cannot_be_made_leaves_nothing(runs_dir: Path) -> None:
    specs = [micro(), dataclasses.replace(micro(), preset="x" * 300)]  # no folder can have that name
    with pytest.raises(CheckpointError, match=r"cannot be made .*too long.*free some space"):
        making.make(specs, ["a", "b"], "x" * 64, SHEEP)
    assert list(runs_dir.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [{"text": SHEEP + "\ud800"}, {"corpus": "\ud800"}, {"preset": "\ud800"}, {"models": "\ud800"},
     {"models": [], "inits": ["\ud800"]}],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["full", "limited"])
def test_half_a_surrogate_pair_is_refused_and_leaves_nothing(
    mode: str, changes: dict[str, object], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    with pytest.raises(MinrnnError) as refusal:
        TrainingQueue().start(request(**changes), "m" * 20)
    str(refusal.value).encode()
    assert not [path for path in runs_dir.glob("*") if path.name != ".asking"]


def test_half_a_surrogate_pair_in_a_token_or_a_title_harms_nothing(runs_dir: Path) -> None:
    queue = TrainingQueue()
    (name,) = queue.start(request(), "\ud800" * 20)
    queue.rename(name, "a\ud800b")
    assert [run.title for run in queue.runs.every()] == ["ab"]
    listing.write_about(runs_dir / name, "\ud800", 1.0, "")
    assert [run.title for run in queue.runs.every()] == ["?"]
